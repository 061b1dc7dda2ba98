import t from 'tap';
import { Splay, splayOf } from '../../../lib/renderer/apply/splay.ts';

const never = new AbortController().signal;
const signals = { signal: never, interrupted: never };

t.test('only an ordinary reload of a consumer that has a file waits', async (t) => {
  const ordinary = { spec: { splayMs: 5_000 }, urgency: 'ordinary', supervisor: undefined } as const;
  const reload = { route: 'reload', present: {}, owed: undefined } as const;
  t.equal(splayOf(ordinary, reload), 5_000);
  t.equal(splayOf({ ...ordinary, spec: {} }, reload), 0);
  t.equal(splayOf({ ...ordinary, urgency: 'master-change' }, reload), 0);
  t.equal(splayOf(ordinary, { ...reload, route: 'runtime' }), 0);
  t.equal(splayOf(ordinary, { ...reload, route: 'none' }), 0);
  t.equal(splayOf(ordinary, { ...reload, present: undefined }), 0);
  t.equal(splayOf(ordinary, { ...reload, owed: {} }), 0, 'a master may have moved back');
  t.equal(splayOf({ ...ordinary, supervisor: { pid: undefined } }, reload), 0, 'a program that does not run');
  t.equal(splayOf({ ...ordinary, supervisor: { pid: 1 } }, reload), 5_000);
});

t.test('the time is random', async (t) => {
  await new Splay(() => 0).wait(3_600_000, signals);
  const startMs = performance.now();
  await new Splay(() => 0.5).wait(40, signals);
  t.ok(performance.now() - startMs > 15);
});

t.test('a change of master, and the end of the daemon, end the wait', async (t) => {
  const waiting = (splay: Splay, given = signals) => splay.wait(3_600_000, given);
  const interruption = new AbortController();
  const interrupted = waiting(new Splay(() => 1), { signal: never, interrupted: interruption.signal });
  interruption.abort(new Error('a change of master'));
  await t.rejects(interrupted, { message: 'a change of master' });
  const abort = new AbortController();
  const aborted = waiting(new Splay(() => 1), { signal: abort.signal, interrupted: never });
  abort.abort(new Error('stopping'));
  await t.rejects(aborted, { message: 'stopping' });
  const splay = new Splay(() => 1);
  const ended = waiting(splay);
  splay.end();
  await ended;
  await waiting(splay);
});
