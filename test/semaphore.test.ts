import t from 'tap';
import { type Permit, Semaphore } from '../lib/semaphore.ts';

const { signal } = new AbortController();

t.test('a few have a place, and the others follow in their order', async (t) => {
  const semaphore = new Semaphore({ places: () => 2 });
  const entered: string[] = [];
  const enter = (name: string, rank = () => 1) => {
    const permit = semaphore.permit(rank);
    const entering = permit.enter(signal).then((how) => void entered.push(`${name} ${how}`));
    return { permit, entering };
  };
  const [a, b] = [enter('a'), enter('b')];
  await Promise.all([a.entering, b.entering]);
  t.equal(a.permit.isWaitedFor, false);
  let isUrgent = false;
  const [c, d, e] = [enter('c'), enter('d'), enter('e', () => (isUrgent ? 0 : 1))];
  t.equal(a.permit.isWaitedFor, true);
  a.permit.leave();
  await c.entering;
  isUrgent = true;
  a.permit.leave();
  b.permit.leave();
  await e.entering;
  t.strictSame(entered, ['a at-once', 'b at-once', 'c waited', 'e waited'], 'a second leave gives no place');
  c.permit.leave();
  await d.entering;
  t.equal(await d.permit.enter(signal), 'at-once', 'it has its place already');
  for (const { permit } of [d, e]) permit.leave();
  await Promise.all([a, b].map(({ permit }) => permit.enter(signal)));
  t.equal(a.permit.isWaitedFor, false);
});

t.test('one that is not wanted any more takes no place', async (t) => {
  const semaphore = new Semaphore({ places: () => 1 });
  const abort = new AbortController();
  const [a, b, c] = [0, 1, 2].map(() => semaphore.permit(() => 1));
  if (a === undefined || b === undefined || c === undefined) throw new Error('there are three');
  await a.enter(signal);
  const refused = t.rejects(b.enter(abort.signal), { message: 'stopping' });
  const entering = c.enter(signal);
  abort.abort(new Error('stopping'));
  await refused;
  a.leave();
  t.equal(await entering, 'waited');
  await t.rejects(b.enter(abort.signal), { message: 'stopping' });
});

t.test('one that leaves gives its place to as many as there is room for', async (t) => {
  let places = 3;
  const semaphore = new Semaphore({ places: () => places });
  const permits = Array.from({ length: 6 }, () => semaphore.permit(() => 1));
  const entered: number[] = [];
  const entering = permits.map((permit, i) => permit.enter(signal).then(() => void entered.push(i)));
  await Promise.all(entering.slice(0, 3));
  places = 1;
  permits[0]?.leave();
  permits[1]?.leave();
  await new Promise(setImmediate);
  t.strictSame(entered, [0, 1, 2], 'there are fewer places now');
  places = 3;
  permits[2]?.leave();
  await Promise.all(entering);
  t.strictSame(entered, [0, 1, 2, 3, 4, 5]);
});

t.test('places are given one after the other, first to one that goes first', async (t) => {
  const semaphore = new Semaphore({ places: () => 10, everyMs: () => 30 });
  const entered: (readonly [number, string, number])[] = [];
  const startedMs = performance.now();
  const permits = Array.from({ length: 4 }, (_, i) => semaphore.permit(() => (i === 3 ? 0 : 1)));
  const enter = async (permit: Permit, i: number) => {
    const how = await permit.enter(signal);
    entered.push([i, how, performance.now() - startedMs]);
  };
  await Promise.all(permits.map(enter));
  t.match(entered, [
    [0, 'at-once'],
    [3, 'waited'],
    [1, 'waited'],
    [2, 'waited'],
  ]);
  // Node's timers may fire a millisecond early.
  for (const [i, [, , atMs]] of entered.entries()) t.ok(atMs >= i * 29, `${atMs} ms`);
});

t.test('of those that wait, the lowest rank goes first, and of equal ones the first', async (t) => {
  const semaphore = new Semaphore({ places: () => 1 });
  const first = semaphore.permit(() => 9);
  await first.enter(signal);
  const entered: string[] = [];
  const ranks = [2, 1, 2, 0, 1].entries();
  const entering = [...ranks].map(async ([i, rank]) => {
    const permit = semaphore.permit(() => rank);
    await permit.enter(signal);
    entered.push(`${rank}: ${i}`);
    permit.leave();
  });
  first.leave();
  await Promise.all(entering);
  t.strictSame(entered, ['0: 3', '1: 1', '1: 4', '2: 0', '2: 2']);
});
