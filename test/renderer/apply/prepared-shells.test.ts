import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import t from 'tap';
import { runCommand } from '../../../lib/renderer/apply/command.ts';
import { startPrepared } from '../../../lib/renderer/apply/prepared-shells.ts';
import { launchOf } from '../../../lib/renderer/apply/process-group.ts';
import { waitFor } from '../../sandbox/condition.ts';

const { signal } = new AbortController();
const run = (...argv: string[]) => runCommand({ command: { argv, timeoutMs: 30_000 }, signal });

/** Uses one of the two shells. The next command gets the other. */
async function untilPrepared(): Promise<void> {
  const started = await waitFor('a prepared shell', () => startPrepared(launchOf('true'), []));
  if (started === undefined) throw new Error('no shell was prepared');
  await once(started.child, 'exit');
  started.output.close();
}

/** What a process sees of itself. */
const facts = `
  tr '\\0' '\\n' < /proc/$$/environ | sort
  grep -E '^(Sig(Blk|Ign|Cgt)|Umask|Cap)' /proc/$$/status
  [ "$(cut -d' ' -f5 /proc/$$/stat)" = $$ ] && echo leads its group
  [ "$(cut -d' ' -f6 /proc/$$/stat)" = $$ ] && echo leads its session
  readlink /proc/$$/fd/0 /proc/$$/cwd
  ls /proc/$$/fd
  tr '\\0' '\\n' < /proc/$$/cmdline
`;

t.test('a command in a prepared shell sees the same as one that is started directly', async (t) => {
  const words = ["it's", '', ' a  b ', '$HOME `id` \\ "x" ; #', 'two\nlines', '*'];
  const direct = await run('sh', '-c', facts, ...words);
  await untilPrepared();
  const prepared = await run('sh', '-c', facts, ...words);
  t.match(direct.output, /leads its group\nleads its session\n\/dev\/null/);
  t.equal(prepared.output, direct.output);
});

t.test('it ends in the same ways', async (t) => {
  await untilPrepared();
  await t.rejects(run('sh', '-c', 'echo out; exit 3'), { message: /exited with 3\. It wrote: out/ });
  await untilPrepared();
  await t.rejects(run('sh', '-c', 'kill -9 $$'), { message: /was killed by SIGKILL/ });
  await untilPrepared();
  const sleep = runCommand({ command: { argv: ['sleep', '300'], timeoutMs: 50 }, signal });
  await t.rejects(sleep, { code: 'command-timeout' });
});

t.test('what a shell could treat differently is started directly', async (t) => {
  await untilPrepared();
  const env = { ...process.env };
  const start = (program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
    startPrepared({ file: program, argv0: program, env: { ...env, ...more } }, args);
  t.equal(start('no-such-program', []), undefined);
  t.equal(start('-true', []), undefined);
  t.equal(start('true', ['\u{e9}']), undefined);
  t.equal(start('true', ['\0']), undefined);
  t.equal(start('true', [], { 'not.a.name': 'x' }), undefined);
  t.equal(startPrepared({ file: '/bin/true', argv0: 'true', env }, []), undefined);
});

t.test('prepared shells end with the process that started them, however it ends', async (t) => {
  const script = `
    import { readFileSync } from 'node:fs';
    import { runCommand } from ${JSON.stringify(new URL('../../../lib/renderer/apply/command.ts', import.meta.url).href)};
    await runCommand({ command: { argv: ['true'], timeoutMs: 30000 }, signal: new AbortController().signal });
    const file = '/proc/' + process.pid + '/task/' + process.pid + '/children';
    setInterval(() => console.log(readFileSync(file, 'utf8')), 20);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: parent.stdout });
  let pids: readonly string[] = [];
  for await (const line of lines) {
    pids = line.split(' ').filter(Boolean);
    if (pids.length === 2) break;
  }
  t.equal(pids.length, 2);
  parent.kill('SIGKILL');
  const left = () => pids.filter((pid) => existsSync(`/proc/${pid}`) && !/^State:\tZ/m.test(statusOf(pid)));
  t.strictSame(await waitFor('the shells to end', left, { until: ({ length }) => length === 0 }), []);
});

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return 'State:\tZ';
  }
}
