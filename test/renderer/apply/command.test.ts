import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SwitchmasterError } from '../../../lib/errors.ts';
import { runCommand } from '../../../lib/renderer/apply/command.ts';
import { waitFor } from '../../sandbox/condition.ts';

const signal = new AbortController().signal;
const sh = (script: string) => ['/bin/sh', '-c', script];

t.test('a command that succeeds answers with what it wrote, and no shell reads its arguments', async (t) => {
  const { output } = await runCommand({
    command: { argv: ['echo', '$HOME;', '{{file}}x', '{{ file }}'], timeoutMs: 30_000 },
    file: '/a b',
    signal,
  });
  t.equal(output, '$HOME; /a bx /a b');
});

t.test('a failure has the exit code and the output', async (t) => {
  const run = runCommand({ command: { argv: sh('echo out; echo err >&2; exit 3'), timeoutMs: 30_000 }, signal });
  await t.rejects(run, {
    code: 'command-failed',
    message: /exited with 3\. It wrote: out\nerr/,
    details: { exitCode: 3 },
  });
});

t.test('a program that does not exist is named', async (t) => {
  const run = runCommand({ command: { argv: ['/no/such/program'], timeoutMs: 30_000 }, signal });
  await t.rejects(run, { code: 'command-failed', message: /could not be started: there is no such program/ });
});

t.test('a command that kills itself differs from one that exits', async (t) => {
  const run = runCommand({ command: { argv: sh('kill -9 $$'), timeoutMs: 30_000 }, signal });
  await t.rejects(run, { code: 'command-failed', message: /was killed by SIGKILL/ });
});

t.test('a command that hangs is killed with everything that it started', async (t) => {
  const alive = join(t.testdir({}), 'pid');
  const script = `trap '' TERM; (trap '' TERM; echo $$ > ${alive}; exec sleep 300) & sleep 300`;
  const run = runCommand({ command: { argv: sh(script), timeoutMs: 200 }, signal });
  await t.rejects(run, { code: 'command-timeout', message: /did not end within \d+ ms and was killed/ });
});

t.test('a command that leaves a daemon behind counts as ended', async (t) => {
  const pidFile = join(t.testdir({}), 'pid');
  const script = `setsid sh -c 'echo $$ > ${pidFile}; exec sleep 300' & echo started`;
  const startedMs = performance.now();
  const { output } = await runCommand({ command: { argv: sh(script), timeoutMs: 20_000 }, signal });
  t.equal(output, 'started');
  t.ok(performance.now() - startedMs < 10_000);
  const { readFile } = await import('node:fs/promises');
  const pid = await waitFor('the pid', () => (existsSync(pidFile) ? readFile(pidFile, 'utf8') : ''), {
    until: Boolean,
  });
  process.kill(Number(pid), 'SIGKILL');
});

t.test('the end of a long output is kept', async (t) => {
  const { output } = await runCommand({
    command: { argv: sh('head -c 100000 /dev/zero | tr "\\\\0" x; echo end'), timeoutMs: 30_000 },
    signal,
  });
  t.ok(output.length <= 8_192 && output.endsWith('xend'));
});

t.test('stopping kills the command', async (t) => {
  const abort = new AbortController();
  const run = runCommand({ command: { argv: ['sleep', '300'], timeoutMs: 30_000 }, signal: abort.signal });
  abort.abort(new SwitchmasterError('stopping', 'The daemon is stopping.'));
  await t.rejects(run, { code: 'stopping' });
});

t.test("the daemon's secrets stay with the daemon", async (t) => {
  const names = ['CONSUL_HTTP_TOKEN', 'SWITCHMASTER_API_TOKEN', 'SWITCHMASTER_REDIS_PASSWORD'];
  names.push('SWITCHMASTER_SENTINEL_PASSWORD');
  for (const name of names) process.env[name] = 'secret';
  t.teardown(() => {
    for (const name of names) delete process.env[name];
  });
  const script = names.map((name) => `echo "[$${name}]"`).join('; ');
  const { output } = await runCommand({ command: { argv: sh(script), timeoutMs: 30_000 }, signal });
  t.equal(output.replace(/\s/g, ''), '[][][][]');
});
