import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { withDeadline } from '../lib/deadline.ts';

const late = () => new Error('late');

/** What happens to a process that is stopped, or whose virtual machine is moved. */
function stopEventLoop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

t.test('it settles as the promise does, or with the error of its caller', async (t) => {
  t.equal(await withDeadline(Promise.resolve(1), { timeoutMs: 1_000, late }), 1);
  await t.rejects(withDeadline(Promise.reject(new Error('own')), { timeoutMs: 1_000, late }), { message: 'own' });
  const startedMs = performance.now();
  await t.rejects(withDeadline(new Promise(() => {}), { timeoutMs: 50, late }), { message: 'late' });
  t.ok(performance.now() - startedMs >= 45);
  for (const timeoutMs of [0, -5]) {
    await t.rejects(withDeadline(new Promise(() => {}), { timeoutMs, late }), { message: 'late' });
  }
});

t.test('an answer that came while the process did not run is in time', async (t) => {
  const child = spawn('sh', ['-c', 'read -r order; echo answer'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill());
  const answer = once(child.stdout, 'data').then(([data]) => String(data));
  const outcome = withDeadline(answer, { timeoutMs: 100, late });
  child.stdin.write('order\n');
  stopEventLoop(1_000);
  t.equal(await outcome, 'answer\n');

  const file = withDeadline(readFile(import.meta.filename, 'utf8'), { timeoutMs: 20, late });
  stopEventLoop(500);
  t.match(await file, 'in time');
});
