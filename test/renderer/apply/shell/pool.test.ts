import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { SwitchmasterError } from '../../../../lib/errors.ts';
import { runCommand } from '../../../../lib/renderer/apply/command.ts';
import { ShellPool } from '../../../../lib/renderer/apply/shell/pool.ts';
import { waitFor } from '../../../sandbox/condition.ts';
import { alive, openPool, scriptAsShell, untilFull } from './shells.ts';

const { signal } = new AbortController();

function run(argv: readonly string[], shells: ShellPool, given: Partial<Parameters<typeof runCommand>[0]> = {}) {
  const env = { inherit: 'all', allowlist: [], denylist: ['_'], custom: { SHLVL: '1' } } as const;
  return runCommand({ command: { argv, env, timeoutMs: 30_000 }, signal, shells, ...given });
}

/** A command that adds a line with its process id to a file. */
function counting(t: Pick<Test, 'testdir'>) {
  const file = join(t.testdir({}), 'runs');
  const argv = ['/bin/sh', '-c', `echo $$ >> ${file}`];
  const pids = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []);
  return { argv, pids };
}

t.test('a shell becomes one command, and another one waits later', async (t) => {
  const pool = await openPool(t, { size: 2 });
  const { argv, pids } = counting(t);
  const first = await untilFull(pool, 2);
  await run(argv, pool);
  await run(argv, pool);
  t.strictSame(pids().slice(0, 1), first.slice(0, 1));
  const second = await untilFull(pool, 2);
  t.notOk(second.includes(pids()[0] ?? 0));
  await waitFor('the command to be gone', () => alive(pids()), { until: (left) => left.length === 0 });
});

t.test('a command runs exactly once whatever happens to the shell that waits', async (t) => {
  const harms: Readonly<Record<string, (pid: number) => void>> = {
    'killed just before': (pid) => process.kill(pid, 'SIGKILL'),
    'ended just before': (pid) => process.kill(pid, 'SIGTERM'),
    stopped: (pid) => process.kill(pid, 'SIGSTOP'),
    'stopped, and killed later': (pid) => {
      process.kill(pid, 'SIGSTOP');
      setTimeout(() => process.kill(pid, 'SIGKILL'), 20);
    },
    'stopped, and continued later': (pid) => {
      process.kill(pid, 'SIGSTOP');
      setTimeout(() => process.kill(pid, 'SIGCONT'), 20);
    },
  };
  for (const [name, harm] of Object.entries(harms)) {
    await t.test(name, async (t) => {
      const pool = await openPool(t, { startLimitMs: 100 });
      const { argv, pids } = counting(t);
      const [pid = 0] = await untilFull(pool);
      harm(pid);
      await run([...argv, 'x'.repeat(50_000)], pool);
      t.equal(pids().length, 1);
      // One that continues may be in time.
      if (name !== 'stopped, and continued later') t.notMatch(pids(), [pid]);
      await waitFor('the shell to be gone', () => alive([pid]), { until: (left) => left.length === 0 });
    });
  }
});

t.test('a command that started in time is not killed where the event loop stands still', async (t) => {
  const pool = await openPool(t, { startLimitMs: 100 });
  const [pid] = await untilFull(pool);
  const { argv, pids } = counting(t);
  const running = run(['/bin/sh', '-c', `${argv[2]}; exec sleep 0.5`], pool);
  const endMs = performance.now() + 200;
  while (performance.now() < endMs || pids().length === 0);
  await running;
  t.strictSame(pids(), [pid]);
});

t.test('fifty commands at once all run once, in shells and directly', async (t) => {
  const pool = await openPool(t, { size: 4 });
  const { argv, pids } = counting(t);
  const waiting = await untilFull(pool, 4);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, n) => run(['/bin/sh', '-c', `${argv[2]}; echo ${n}`], pool)),
  );
  t.strictSame(
    results.map(({ output }) => output),
    results.map((_, n) => `${n}`),
  );
  t.equal(new Set(pids()).size, 50);
  t.ok(waiting.every((pid) => pids().includes(pid)));
});

t.test('a command is ended and fails as before', async (t) => {
  const pool = await openPool(t);
  const hangs = ['/bin/sh', '-c', 'echo begun; exec sleep 300'];
  const [pid = 0] = await untilFull(pool);
  const timeout = runCommand({ command: { argv: hangs, timeoutMs: 300 }, signal, shells: pool });
  await t.rejects(timeout, { code: 'command-timeout', message: /did not end within \d+ ms and was killed/ });
  t.strictSame(alive([pid]), []);
  for (const onAbort of ['kill', 'terminate'] as const) {
    await untilFull(pool);
    const abort = new AbortController();
    const aborted = run(hangs, pool, { signal: abort.signal, onAbort });
    abort.abort(new SwitchmasterError('stopping', 'The daemon is stopping.'));
    await t.rejects(aborted, { code: 'stopping' });
  }
  await untilFull(pool);
  await t.rejects(run(['no-such-program'], pool), {
    code: 'command-failed',
    message: /could not be started: there is no such program/,
  });
});

t.test('shells that end without a command switch the pool off until it is opened again', async (t) => {
  const { argv, pids } = counting(t);
  let off = 0;
  const shell = scriptAsShell(t, 'exit 0');
  const pool = new ShellPool({ size: 1, shell, calmMs: 1, onOff: () => (off += 1) });
  t.teardown(() => pool.close());
  pool.open();
  await waitFor('the pool to be off', () => off === 1);
  await run(argv, pool);
  t.equal(pids().length, 1);
  t.equal(off, 1);
  pool.open();
  await waitFor('the pool to be off again', () => off === 2);
});

t.test('a shell that never executes anything costs ten commands a moment, and none of them is lost', async (t) => {
  const { argv, pids } = counting(t);
  let off = 0;
  const pool = await openPool(t, {
    shell: scriptAsShell(t, 'exec cat > /dev/null'),
    startLimitMs: 100,
    onOff: () => (off += 1),
  });
  for (let count = 1; count <= 10; count += 1) {
    t.equal(off, 0);
    await untilFull(pool);
    await run(argv, pool);
    t.equal(pids().length, count);
  }
  t.equal(off, 1);
  t.strictSame(pool.waiting, []);
});

t.test('without a shell that is known, commands are started directly', async (t) => {
  for (const shell of ['/bin/false', '/no/such/shell']) {
    const { argv, pids } = counting(t);
    const pool = new ShellPool({ size: 1, shell, calmMs: 1, onOff: () => t.fail('it is not an error') });
    pool.open();
    await run(argv, pool);
    await run(argv, pool);
    t.equal(pids().length, 2);
    t.strictSame(pool.waiting, []);
    pool.close();
  }
});

t.test('a shell is started only in calm time', async (t) => {
  let isCalm = false;
  let asked = 0;
  const ask = () => {
    asked += 1;
    return isCalm;
  };
  const pool = new ShellPool({ size: 1, calmMs: 1, isCalm: ask });
  t.teardown(() => pool.close());
  pool.open();
  await waitFor('the pool to ask', () => asked > 3);
  t.strictSame(pool.waiting, []);
  isCalm = true;
  await untilFull(pool);
  const used = run(['/bin/sh', '-c', 'sleep 0.3'], pool);
  const before = asked;
  await used;
  t.equal(asked, before, 'not while a command runs');
});

t.test('opening replaces the shells that wait, and closing ends them', async (t) => {
  const pool = await openPool(t, { size: 2 });
  const first = await untilFull(pool, 2);
  for (const pid of first.slice(0, 1)) process.kill(pid, 'SIGSTOP');
  pool.open();
  const second = await untilFull(pool, 2);
  t.notOk(first.some((pid) => second.includes(pid)));
  pool.close();
  await waitFor('no shell to be left', () => alive([...first, ...second]), { until: (left) => left.length === 0 });
  pool.open();
  await pool.during(async () => undefined);
  await openPool(t);
  t.strictSame(pool.waiting, [], 'not even later');
});

t.test('shells keep no process running, and none outlives it', async (t) => {
  const program = fileURLToPath(new URL('pool-process.ts', import.meta.url));
  for (const how of ['end', 'SIGKILL'] as const) {
    const owner = spawn(process.execPath, [program, how], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
    const pids = JSON.parse(line) as number[];
    t.equal(pids.length, 2);
    if (how === 'SIGKILL') owner.kill('SIGKILL');
    if (owner.exitCode === null && owner.signalCode === null) await once(owner, 'exit');
    await waitFor('no shell to be left', () => alive(pids), { until: (left) => left.length === 0 });
  }
});
