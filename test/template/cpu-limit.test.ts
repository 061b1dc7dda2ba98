import { spawn } from 'node:child_process';
import t, { type Test } from 'tap';
import { cpuTimeMs, limitProcess } from '../../lib/template/bounded/cpu-limit.ts';

function start(t: Test, program: string): number {
  const child = spawn('/bin/sh', ['-c', program], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  return child.pid as number;
}

t.test('a process is limited by the processor time that it takes', async (t) => {
  const pid = start(t, 'while :; do :; done');
  const limit = { cpuMs: 100, wallMs: 600_000 };
  await new Promise<void>((resolve) => limitProcess({ pid, limit, onReached: resolve }));
  t.ok((cpuTimeMs(pid) ?? 0) >= 100, 'and not by the time that others have the processor');
});

t.test('a process that takes none has until the limit by the clock', async (t) => {
  const pid = start(t, 'exec sleep 1000');
  const startMs = performance.now();
  const limit = { cpuMs: 200, wallMs: 500 };
  await new Promise<void>((resolve) => limitProcess({ pid, limit, onReached: resolve }));
  t.ok(performance.now() - startMs >= 499);
});

t.test('a limit that was ended is never reached', async (t) => {
  const pid = start(t, 'exec sleep 1000');
  let reached = false;
  limitProcess({ pid, limit: { cpuMs: 10, wallMs: 10 }, onReached: () => (reached = true) })();
  await new Promise<void>((resolve) => limitProcess({ pid, limit: { cpuMs: 10, wallMs: 30 }, onReached: resolve }));
  t.notOk(reached);
  t.equal(cpuTimeMs(2 ** 30), undefined);
});
