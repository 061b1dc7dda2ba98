import t from 'tap';
import { waitFor, within } from './condition.ts';

t.test('a wait returns the first reading that is as described', async (t) => {
  let readings = 0;
  const value = await waitFor('three readings', () => (readings += 1), { until: (seen) => seen === 3, intervalMs: 1 });
  t.equal(value, 3);
});

t.test('a wait that times out says what it waited for and what it last saw', async (t) => {
  const wait = waitFor('the sky to fall', () => ({ sky: 'up' }), { until: () => false, timeoutMs: 20 });
  await t.rejects(wait, { message: "waited 20 ms for the sky to fall; last saw: { sky: 'up' }" });
});

t.test('a reading that throws counts as not yet, and is named at the timeout', async (t) => {
  const failure = new Error('refused');
  const wait = waitFor('an answer', () => Promise.reject(failure), { timeoutMs: 20 });
  await t.rejects(wait, { message: /last saw: Error: refused$/, cause: failure });
});

t.test('a reading that never comes back does not hang the wait', async (t) => {
  const wait = waitFor('a frozen server', () => new Promise<never>(() => undefined), { timeoutMs: 20 });
  await t.rejects(wait, /last saw: nothing/);
});

t.test('a signal ends the wait with its reason as cause', async (t) => {
  const reason = new Error('it exited');
  const wait = waitFor('readiness', () => false, { signal: AbortSignal.abort(reason) });
  await t.rejects(wait, { cause: reason });
});

t.test('a signal ends a wait whose reading never comes back', async (t) => {
  const ended = new AbortController();
  const never = () => {
    setImmediate(() => ended.abort(new Error('it exited')));
    return new Promise<never>(() => undefined);
  };
  await t.rejects(waitFor('readiness', never, { signal: ended.signal }), { message: 'gave up waiting for readiness' });
});

t.test('within returns undefined for what takes longer', async (t) => {
  t.equal(await within(new Promise(() => undefined), 5), undefined);
  t.equal(await within(Promise.resolve(1), 1_000), 1);
});
