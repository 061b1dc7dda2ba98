import t from 'tap';
import { lastValue } from '../../lib/consul/watch-state.ts';
import { CatalogWatches } from '../../lib/consul/watches.ts';
import { hear, query, Script, start } from './script.ts';

t.test('any number of followers of one query make one request', async (t) => {
  const { script, watches } = start(t);
  const heard: string[] = [];
  const follows = [1, 2, 3].map((n) => watches.follow(query, (event) => heard.push(`${n} ${event}`)));
  const first = await script.next();
  t.equal(first.options.index, 0n);
  t.same(follows[0]?.state, { kind: 'pending' });
  first.answer(['x'], 7);
  const second = await script.next();
  t.equal(second.options.index, 7n);
  t.same(heard, ['1 state', '2 state', '3 state']);
  t.match(follows[2]?.state, { kind: 'current', value: ['x'], index: 7n });
  t.equal(watches.size, 1);
  t.equal(script.count, 2);
});

t.test('an equal value with a newer index notifies nobody and stays the same object', async (t) => {
  const { script, watches } = start(t);
  const { follow, heard } = hear(watches);
  (await script.next()).answer(['x'], 7);
  const second = await script.next();
  const before = follow.state;
  second.answer(['x'], 8);
  const third = await script.next();
  t.equal(third.options.index, 8n);
  t.same(heard, ['state']);
  t.ok(before.kind === 'current' && follow.state.kind === 'current' && before.value === follow.state.value);
  third.answer(['y'], 9);
  await script.next();
  t.same(heard, ['state', 'value']);
});

t.test('a request has the text of the last answer, whose value is the object that followers have', async (t) => {
  const { script, watches } = start(t);
  const { follow, heard } = hear(watches);
  const first = await script.next();
  t.equal(first.options.known, undefined);
  first.answer(['x'], 7, { digest: 'one' });
  const second = await script.next();
  t.equal(second.options.known?.digest, 'one');
  t.equal(second.options.known?.value, lastValue(follow.state));
  second.answer(['x', 'y'], 8, { digest: 'two' });
  const third = await script.next();
  t.equal(third.options.known?.digest, 'two');
  t.equal(third.options.known?.value, lastValue(follow.state));
  third.answer(third.options.known?.value, 9, { digest: 'two' });
  const fourth = await script.next();
  t.match(follow.state, { value: ['x', 'y'], index: 9n });
  t.same(heard, ['state', 'value']);
  fourth.answer(['z'], 10);
  t.equal((await script.next()).options.known, undefined, 'the text of the last answer is not known');
});

t.test('after a fall of the index the value is read again without an index', async (t) => {
  const { script, watches } = start(t);
  const { follow, heard } = hear(watches);
  (await script.next()).answer(['x'], 70);
  (await script.next()).answer([], 3);
  const again = await script.next();
  t.equal(again.options.index, 0n);
  t.match(follow.state, { value: ['x'], resets: 0 });
  again.answer(['x'], 4);
  await script.next();
  t.match(follow.state, { kind: 'current', value: ['x'], index: 4n, resets: 1 });
  t.same(heard, ['state', 'reset']);
});

t.test('an early answer without news is read again without an index', async (t) => {
  const { script, watches } = start(t);
  const { follow, heard } = hear(watches);
  (await script.next()).answer(['new'], 26);
  (await script.next()).answer(['new'], 26);
  const again = await script.next();
  t.equal(again.options.index, 0n);
  again.answer(['restored'], 9);
  (await script.next()).answer(['restored'], 9);
  const blocking = await script.next();
  t.equal(blocking.options.index, 9n);
  t.match(follow.state, { kind: 'current', value: ['restored'], index: 9n, resets: 1 });
  t.same(heard, ['state', 'value']);
});

t.test('after a wait without news, the next query blocks on the same index', async (t) => {
  const { script, watches } = start(t, { waitMs: 0 });
  watches.follow(query, () => undefined);
  (await script.next()).answer(['x'], 26);
  (await script.next()).answer(['x'], 26);
  t.equal((await script.next()).options.index, 26n);
});

t.test('an outage keeps the last value, reads again without an index, and detects the fall', async (t) => {
  const { script, watches } = start(t);
  const { follow, heard } = hear(watches);
  (await script.next()).answer(['x'], 70);
  (await script.next()).fail();
  const second = await script.next();
  t.equal(second.options.index, 0n);
  t.match(follow.state, { kind: 'stale', value: ['x'], error: { code: 'consul-unreachable' } });
  second.fail();
  (await script.next()).answer(['x'], 2);
  (await script.next()).answer(['x'], 2);
  await script.next();
  t.match(follow.state, { kind: 'current', value: ['x'], index: 2n, resets: 1 });
  t.same(heard, ['state', 'state', 'state']);
});

t.test('an outage from the start is failed, not empty', async (t) => {
  const { script, watches } = start(t);
  const follow = watches.follow(query, () => undefined);
  (await script.next()).fail();
  const retry = await script.next();
  t.match(follow.state, { kind: 'failed', error: { code: 'consul-unreachable' } });
  retry.answer([], 1);
  await script.next();
  t.match(follow.state, { kind: 'current', value: [] });
});

t.test('an index below 1 is never blocked on', async (t) => {
  const { script, watches } = start(t);
  const follow = watches.follow(query, () => undefined);
  (await script.next()).answer(['x'], 0);
  const second = await script.next();
  t.equal(second.options.index, 0n);
  t.match(follow.state, { kind: 'current', value: ['x'] });
});

t.test('an answer of a server without a leader is not used', async (t) => {
  const { script, watches } = start(t);
  const follow = watches.follow(query, () => undefined, { consistency: 'stale' });
  const first = await script.next();
  t.equal(first.options.consistency, 'stale');
  first.answer(['old'], 5, { knownLeader: false });
  const second = await script.next();
  t.equal(second.options.consistency, 'default');
  second.answer(['old'], 5, { knownLeader: false });
  await script.next();
  t.match(follow.state, { kind: 'failed', error: { code: 'consul-unavailable' } });
});

t.test('after a stale answer of a server without contact, the leader is read', async (t) => {
  const { script, watches } = start(t);
  const follow = watches.follow(query, () => undefined, { consistency: 'stale' });
  (await script.next()).answer(['old'], 5, { lastContactMs: 60_000 });
  (await script.next()).answer(['new'], 9);
  await script.next();
  t.match(follow.state, { kind: 'current', value: ['new'], index: 9n });
});

t.test('the limit of staleness is a setting, and 0 asks the leader for everything', async (t) => {
  const patient = start(t, { maxStaleMs: 600_000 });
  const follow = patient.watches.follow(query, () => undefined, { consistency: 'stale' });
  (await patient.script.next()).answer(['x'], 7, { lastContactMs: 590_000 });
  t.equal((await patient.script.next()).options.consistency, 'stale');
  t.match(follow.state, { kind: 'current', value: ['x'] });
  const strict = start(t, { maxStaleMs: 0 });
  strict.watches.follow(query, () => undefined, { consistency: 'stale' });
  strict.watches.follow(query, () => undefined);
  t.equal((await strict.script.next()).options.consistency, 'default');
  t.equal(strict.watches.size, 1, 'all followers share one query');
});

t.test('after a stale answer with a lower index, the leader is read', async (t) => {
  const { script, watches } = start(t);
  const follow = watches.follow(query, () => undefined, { consistency: 'stale' });
  (await script.next()).answer(['x'], 9);
  (await script.next()).fail();
  (await script.next()).answer([], 7, { lastContactMs: 20 });
  const asked = await script.next();
  t.equal(asked.options.consistency, 'default');
  asked.answer(['x'], 9);
  await script.next();
  t.match(follow.state, { kind: 'current', value: ['x'], resets: 0 });
});

t.test('a query without followers is no longer sent', async (t) => {
  const { script, watches } = start(t);
  const [one, two] = [watches.follow(query, () => t.fail('released')), watches.follow(query, () => undefined)];
  (await script.next()).options.signal?.throwIfAborted();
  one.release();
  one.release();
  t.equal(watches.size, 1);
  two.release();
  t.equal(watches.size, 0);
  const fresh = watches.follow(query, () => undefined);
  (await script.next()).answer(['x'], 1);
  const blocking = await script.next();
  t.equal(fresh.state.kind, 'current');
  await watches.close();
  t.ok(blocking.options.signal?.aborted);
});

const service = { kind: 'service', service: 'web' } as const;

t.test('a streamed answer with a lower index is read again from the servers and is no fall by itself', async (t) => {
  const { script, watches } = start(t);
  const events: string[] = [];
  const follow = watches.follow(service, (event) => events.push(event));
  (await script.next()).answer(['x'], 7);
  (await script.next()).answer([], 1, { streamed: true });
  const again = await script.next();
  t.equal(again.options.index, 0n);
  t.match(follow.state, { kind: 'current', value: ['x'], resets: 0 });
  again.answer(['x'], 7);
  await script.next();
  t.match(follow.state, { kind: 'current', value: ['x'], resets: 0 });
  t.same(events, ['state']);
});

t.test('when the index of one query falls, blocking queries about services are read again at once', async (t) => {
  const { script, watches } = start(t);
  const services = watches.follow(service, () => undefined);
  (await script.next()).answer(['x'], 70);
  const blocked = await script.next();
  t.match(blocked, { query: service, options: { index: 70n } });
  watches.follow(query, () => undefined);
  (await script.next()).answer(['k'], 80);
  (await script.next()).answer(['k'], 3);
  const requests = [await script.next(), await script.next()];
  const again = requests.find((request) => request.query.kind === 'service');
  t.equal(blocked.options.signal?.aborted, true);
  t.equal(again?.options.index, 0n);
  again?.answer([], 2);
  await script.next();
  t.match(services.state, { kind: 'current', value: ['x'] }, 'an answer after a fall is read once more first');
});

t.test('after the burst, a folder of keys is read four times as often as a service', async (t) => {
  const script = new Script();
  const watches = new CatalogWatches({ client: script });
  t.teardown(() => watches.close());
  for (const one of [query, service]) watches.follow(one, () => undefined);
  const counts = { 'key-tree': 0, service: 0 };
  // Both answer at once, each time with a newer value. The first eleven requests are free.
  while (counts.service < 14) {
    const request = await script.next();
    const kind = request.query.kind as keyof typeof counts;
    counts[kind] += 1;
    if (counts.service < 14) request.answer([counts[kind]], counts[kind]);
  }
  t.ok(counts['key-tree'] >= 20, `${counts['key-tree']} requests for the keys while 14 were sent for the service`);
});
