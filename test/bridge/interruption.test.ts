import t from 'tap';
import { beforeInterruption } from '../../lib/bridge/interruption.ts';
import type { Outcome } from '../../lib/loop/outcome.ts';

const applied: Outcome = { kind: 'applied', summary: 'written' };

function start() {
  const interruption = new AbortController();
  const late: Outcome[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const waiting = beforeInterruption(promise, {
    interrupted: interruption.signal,
    onLate: (outcome) => late.push(outcome),
  });
  return { interruption, late, resolve, reject, waiting };
}

t.test('a run waits for its write while nothing interrupts it', async (t) => {
  const { late, resolve, waiting } = start();
  resolve(applied);
  t.equal(await waiting, applied);
  t.strictSame(late, []);
});

t.test('an interrupted run still waits for a write that is answered soon', async (t) => {
  const { interruption, late, resolve, waiting } = start();
  interruption.abort();
  resolve(applied);
  t.equal(await waiting, applied);
  t.strictSame(late, []);
});

t.test('an interrupted run leaves a write that hangs, and its outcome is reported later', async (t) => {
  const { interruption, late, resolve, waiting } = start();
  interruption.abort();
  t.equal(await waiting, undefined);
  resolve(applied);
  await Promise.resolve();
  t.strictSame(late, [applied]);
});

t.test('a write that fails after its run left it is not reported', async (t) => {
  const { interruption, late, reject, waiting } = start();
  interruption.abort();
  t.equal(await waiting, undefined);
  reject(new Error('no answer'));
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(late, []);
});

t.test('a write that fails in time is the failure of its run', async (t) => {
  const { reject, waiting } = start();
  reject(new Error('no answer'));
  await t.rejects(waiting, { message: 'no answer' });
});
