import t, { type Test } from 'tap';
import { SentinelSource } from '../../../lib/bridge/observe/sentinels.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';

const sandbox = await Sandbox.openFor(t, { name: 'sentinel-source' });
const [shard1, other] = await Promise.all([sandbox.redis({ name: 'shard1' }), sandbox.redis({ name: 'other' })]);
const sentinels = await sandbox.sentinels({ masters: [shard1, other] });
const [first, second, third] = sentinels;
if (first === undefined || second === undefined || third === undefined) throw new Error('three were asked for');

function open(t: Test, addresses: readonly SentinelServer[], discoverMs = 200, onThirdUp = () => {}) {
  const hints: string[] = [];
  const source = new SentinelSource({
    addresses: addresses.map(({ address }) => address),
    access: {},
    matches: (name) => name.startsWith('shard'),
    named: [],
    discoverMs,
    identity: { record: () => undefined, runId: async () => undefined },
    onHint: (name, { event }) => hints.push(`${name} ${event.event}`),
    onLink: ({ sentinel, up, error }) => {
      if (up && error === undefined && sentinel.port === third?.address.port) onThirdUp();
    },
  });
  t.teardown(() => source.close());
  source.start();
  return { source, hints, up: () => source.sentinels.filter(({ up }) => up).length };
}

t.test('the source finds the other Sentinels from one, and only the wanted masters', async (t) => {
  const { source, hints, up } = open(t, [first]);
  await waitFor('all three', up, { until: (count) => count === 3 });
  t.strictSame(source.names, ['shard1']);
  t.equal(source.count('shard1'), 3);
  t.ok(hints.includes('shard1 found') && hints.includes('shard1 connected'));
  t.notOk(hints.some((hint) => hint.startsWith('other')));
  const readings = await source.read('shard1');
  t.equal(new Set(readings.map(({ sentinelId }) => sentinelId)).size, 3);
  t.ok(readings.every((reading) => reading.kind === 'seen' && reading.view.master.port === shard1.master.address.port));
  t.ok(readings.every((reading) => reading.kind === 'seen' && reading.view.knownSentinels === 3));
  const only = await source.read('shard1', { only: [second.address] });
  t.strictSame(
    only.map(({ sentinel }) => formatAddress(sentinel)),
    [formatAddress(second.address)],
  );
  t.ok((await source.read('shard9')).every(({ kind }) => kind === 'unaware'));
});

t.test('a Sentinel that did not answer the first question is asked again soon', async (t) => {
  let pauses = 0;
  const { source } = open(t, [third], 600_000, () => {
    pauses += 1;
    if (pauses === 1) third.pause();
  });
  await waitFor('the connection', async () => pauses, { until: (count) => count === 1 });
  // A later question than the first one.
  t.match(await source.read('shard1'), [{ kind: 'unreachable' }]);
  third.resume();
  await waitFor('its masters', async () => source.names.join(), { until: (names) => names === 'shard1' });
  t.equal(pauses, 1, 'over the first connection');
});

t.test('PING keeps idle links up', async (t) => {
  const { hints, up } = open(t, sentinels, 60_000);
  await waitFor('all three', up, { until: (count) => count === 3 });
  // Sentinels ping each other as well, but nobody else subscribes.
  const pinged = async () => /flags=P .*cmd=ping/.test(String(await first.command('CLIENT', 'LIST')));
  await waitFor('a PING on the subscription', pinged);
  t.equal(up(), 3);
  t.notOk(hints.includes('shard1 disconnected'));
});

t.test('a Sentinel that dies gives a hint, still counts, and reconnects', async (t) => {
  const { source, hints, up } = open(t, sentinels);
  // A Sentinel that has not named its masters yet gives no hint about them.
  const connected = () => hints.filter((hint) => hint === 'shard1 connected').length;
  await waitFor('the masters of all three', connected, { until: (count) => count === 3 });
  await third.kill();
  await waitFor('the loss', up, { until: (count) => count === 2 });
  t.ok(hints.includes('shard1 disconnected'));
  t.equal(source.count('shard1'), 3, 'a majority is counted with the dead ones');
  const readings = await source.read('shard1');
  t.strictSame(readings.map(({ kind }) => kind).sort(), ['seen', 'seen', 'unreachable']);
  const heard = hints.length;
  await third.restart();
  await waitFor('its return', up, { until: (count) => count === 3 });
  await waitFor('a hint, because everything may have changed', () => hints.slice(heard).includes('shard1 connected'));
});

t.test('a Sentinel whose messages arrive at last gives a hint, because earlier ones are lost', async (t) => {
  const permit = (rule: string) => first.command('ACL', 'SETUSER', 'default', rule);
  t.teardown(() => permit('+psubscribe'));
  await permit('-psubscribe');
  const { hints } = open(t, sentinels, 60_000);
  const connected = () => hints.filter((hint) => hint === 'shard1 connected').length;
  await waitFor('all three', connected, { until: (count) => count === 3 });
  await waitFor('a poll', () => hints.includes('shard1 polled'));
  await permit('+psubscribe');
  await waitFor('the hint', connected, { until: (count) => count === 4 });
});

t.test('a Sentinel that does not answer is unreachable after a second, and the others are read', async (t) => {
  const { source, up } = open(t, sentinels);
  await waitFor('all three', up, { until: (count) => count === 3 });
  second.pause();
  const readings = await source.read('shard1');
  second.resume();
  t.strictSame(readings.map(({ kind }) => kind).sort(), ['seen', 'seen', 'unreachable']);
});

t.test('the source forgets a discovered Sentinel that is gone and that no other one lists', async (t) => {
  const { source, up } = open(t, [first]);
  await waitFor('all three', up, { until: (count) => count === 3 });
  await third.kill();
  await waitFor('the loss', up, { until: (count) => count === 2 });
  t.equal(source.count('shard1'), 3);
  await first.command('SENTINEL', 'RESET', '*');
  await second.command('SENTINEL', 'RESET', '*');
  await waitFor('it to be forgotten', () => source.sentinels.length, { until: (count) => count === 2 });
  t.equal(source.count('shard1'), 2);
});

t.test(
  'Sentinels of other masters that were never reached have no say where two others monitor a master',
  async (t) => {
    const shard2 = await sandbox.redis({ name: 'shard2' });
    const own = await sandbox.sentinels({ masters: [shard2], name: 'own' });
    const dead = await Promise.all([1, 2, 3].map(() => sandbox.address()));
    const six = [...dead.map((address) => ({ address })), ...own] as readonly SentinelServer[];
    const { source, up } = open(t, six);
    await waitFor('the three of shard2', up, { until: (count) => count === 3 });
    await waitFor('its majority', () => source.count('shard2'), { until: (count) => count === 3 });
    t.strictSame(
      (await source.read('shard2')).map(({ kind }) => kind),
      ['seen', 'seen', 'seen'],
    );
    const uncounted = source.uncounted('shard2').map(({ address }) => formatAddress(address));
    t.strictSame(uncounted.sort(), dead.map(formatAddress).sort());
    t.equal(source.count('shard9'), 3, 'nobody speaks for it');

    // One of its own that was never reached is listed by the others, and counts.
    await own[2]?.kill();
    const later = open(t, six);
    await waitFor('the two', later.up, { until: (count) => count === 2 });
    await waitFor('the count', () => later.source.count('shard2'), { until: (count) => count === 3 });
    t.strictSame((await later.source.read('shard2')).map(({ kind }) => kind).sort(), ['seen', 'seen', 'unreachable']);
  },
);

t.test('a Redis in the place of a Sentinel is not up, is reported, and does not count', async (t) => {
  const redis = { address: shard1.master.address } as SentinelServer;
  const { source } = open(t, [first, redis]);
  const [uncounted] = await waitFor('the refusal', () => source.uncounted('shard1'), {
    until: ({ length }) => length === 1,
  });
  t.match(uncounted, { address: redis.address, error: { details: { fault: 'not-sentinel' } } });
  t.match(
    source.sentinels.find(({ address }) => formatAddress(address) === formatAddress(redis.address)),
    { up: false },
  );
  t.ok((await source.read('shard1')).every(({ kind }) => kind === 'seen'));
});

t.test(
  'one Sentinel alone, which may just have been rebuilt, is no majority beside those that were never reached',
  async (t) => {
    const shard3 = await sandbox.redis({ name: 'shard3' });
    const alone = await sandbox.sentinels({ count: 1, masters: [shard3], name: 'alone' });
    const dead = await Promise.all([1, 2].map(() => sandbox.address()));
    const { source } = open(t, [...dead.map((address) => ({ address })), ...alone] as readonly SentinelServer[]);
    await waitFor('the master', () => source.names, { until: (names) => names.includes('shard3') });
    t.equal(source.count('shard3'), 3);
    t.strictSame(source.uncounted('shard3'), []);
  },
);
