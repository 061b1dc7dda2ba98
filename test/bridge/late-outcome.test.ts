import t from 'tap';
import { beforeHurry } from '../../lib/bridge/late-outcome.ts';
import type { Outcome } from '../../lib/loop/outcome.ts';

const applied: Outcome = { kind: 'applied', summary: 'written' };

function start() {
  const hurry = new AbortController();
  const late: Outcome[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  const waiting = beforeHurry(promise, { hurry: hurry.signal, onLate: (outcome) => late.push(outcome) });
  return { hurry, late, resolve, reject, waiting };
}

t.test('a write is waited for while nothing is announced', async (t) => {
  const { late, resolve, waiting } = start();
  resolve(applied);
  t.equal(await waiting, applied);
  t.strictSame(late, []);
});

t.test('a write that is about to be answered is waited for also then', async (t) => {
  const { hurry, late, resolve, waiting } = start();
  hurry.abort();
  resolve(applied);
  t.equal(await waiting, applied);
  t.strictSame(late, []);
});

t.test('a write that hangs is left alone, and what came of it is told', async (t) => {
  const { hurry, late, resolve, waiting } = start();
  hurry.abort();
  t.equal(await waiting, undefined);
  resolve(applied);
  await Promise.resolve();
  t.strictSame(late, [applied]);
});

t.test('one that fails later is no news: the next run writes what still differs', async (t) => {
  const { hurry, late, reject, waiting } = start();
  hurry.abort();
  t.equal(await waiting, undefined);
  reject(new Error('no answer'));
  await new Promise((resolve) => setImmediate(resolve));
  t.strictSame(late, []);
});

t.test('one that fails in time is the failure of the run', async (t) => {
  const { reject, waiting } = start();
  reject(new Error('no answer'));
  await t.rejects(waiting, { message: 'no answer' });
});
