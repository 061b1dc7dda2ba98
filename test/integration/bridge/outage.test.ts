import { monitorEventLoopDelay } from 'node:perf_hooks';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, readRecord, recordOf, servicesOf, startBridge } from '../support/bridging.ts';

// What is down, and when. Every Consul here is a dev agent of its own, so that an outage does not affect other tests.
const sandbox = await Sandbox.openFor(t, { name: 'outage' });
const names = ['paused', 'restarted', 'stopped', 'frozen', 'emptied', 'silent', 'missing'] as const;
const [agents, shards] = await Promise.all([
  Promise.all(names.map((name) => sandbox.consul({ name: `consul-${name}` }))),
  Promise.all(names.map((name) => sandbox.redis({ name }))),
]);
// Sentinels of one master find each other: the last two shards have their own.
const sentinels = await sandbox.sentinels({ masters: shards.slice(0, -2) });
const leader = only(sentinels);

function stage(name: (typeof names)[number]) {
  const index = names.indexOf(name);
  const [consul, shard] = [agents[index], shards[index]];
  if (consul === undefined || shard === undefined) throw new Error(`there is no stage ${name}`);
  const masters = [name];
  return { name, consul, shard, master: shard.master, replica: only(shard.replicas), masters };
}

t.test('outages', { jobs: 7 }, async (t) => {
  t.test('a Consul that is stopped during a failover gets the new master when it continues', async (t) => {
    const { name, consul, masters, replica } = stage('paused');
    const bridges = [1, 2].map((n) => startBridge(t, { consul, sentinels, masters, id: `bridge-${n}` }));
    const { epoch } = await recordOf(consul, name);
    consul.pause();
    await failOver(leader, name);
    await waitFor('a write to fail', () => bridges[0]?.reports.some(({ outcome }) => outcome.kind === 'failed'));
    consul.resume();
    const record = await recordOf(consul, name, { master: replica });
    t.ok(record.epoch > epoch);
    t.equal(record.generation, 1);
    const errors = bridges.flatMap(({ reports }) =>
      reports.flatMap(({ outcome }) => (outcome.kind === 'failed' ? [outcome.error.code] : [])),
    );
    t.ok(
      errors.every((code) => code === 'consul-unreachable' || code === 'consul-unavailable'),
      errors.join(),
    );
  });

  t.test('a Consul that was killed during a failover and returns empty gets the new master', async (t) => {
    const { name, consul, masters, replica } = stage('restarted');
    const bridge = startBridge(t, { consul, sentinels, masters });
    const { epoch } = await recordOf(consul, name);
    await consul.kill();
    await failOver(leader, name);
    await waitFor('the write to fail', () => bridge.reports.some(({ outcome }) => outcome.kind === 'failed'));
    await consul.start();
    const record = await recordOf(consul, name, { master: replica });
    t.ok(record.epoch > epoch);
    t.strictSame(await consul.dnsA(`${name}.redis-master.service.consul`), [replica.address.host]);
    t.ok(bridge.part.ready().ready);
  });

  t.test('a Consul that lost its data gets the record again, with the same generation and epoch', async (t) => {
    const { name, consul, masters, master } = stage('emptied');
    startBridge(t, { consul, sentinels, masters });
    const before = await recordOf(consul, name, { until: ({ replicas }) => replicas.length === 1 });
    await consul.restart();
    const after = await recordOf(consul, name, { master });
    t.strictSame({ ...after, reason: '' }, { ...before, reason: '' });
    await waitFor('its services', () => servicesOf(consul, name), { until: (instances) => instances.length === 2 });
  });

  t.test('the next bridge finds a failover that happened while none was running', async (t) => {
    const { name, consul, masters, master, replica } = stage('stopped');
    const first = startBridge(t, { consul, sentinels, masters });
    const { epoch } = await recordOf(consul, name);
    await first.stop();
    await failOver(leader, name);
    await waitFor('the Sentinels to switch', () => Promise.all(sentinels.map((each) => each.masterAddress(name))), {
      until: (addresses) => addresses.every(({ port }) => port === replica.address.port),
    });
    t.equal((await readRecord(consul, name))?.epoch, epoch, 'nobody wrote');
    const second = startBridge(t, { consul, sentinels, masters });
    const record = await recordOf(consul, name, { master: replica });
    t.match(record, { generation: 1, phase: 'confirmed', replicas: [master.address] });
    await waitFor('the former master to follow', () => master.role(), { until: (role) => role === 'replica' });
    const fences = second.fences.length;
    const rebased = await second.part.rebase(name);
    t.equal(rebased.generation, 2);
    await second.stop();
    // The bridge may have made the former master a replica itself, and report that a moment later.
    const isLate = ({ action, address }: (typeof second.fences)[number]) =>
      action === 'demote' && address === formatAddress(master.address);
    const since = second.fences.slice(fences).filter((fence) => !isLate(fence));
    t.strictSame(since, [], 'a new generation with the same master fences nobody');
    await consul.delete('/v1/kv/redis/?recurse');
    startBridge(t, { consul, sentinels, masters });
    const last = await recordOf(consul, name, { master: replica });
    const versions = [last, rebased].map(({ generation, epoch }) => [generation, epoch]);
    t.strictSame(versions[0], versions[1], 'also after its record was deleted');
  });

  t.test('a daemon that is stopped (SIGSTOP) during a failover catches up when it continues', async (t) => {
    const { name, consul, replica } = stage('frozen');
    const addresses = sentinels.map(({ address }) => formatAddress(address));
    const config = { consul: { address: consul.url }, sentinel: { addresses, masters: [name] } };
    const daemon = await sandbox.switchmaster({ name: 'frozen-daemon', config });
    const { epoch } = await recordOf(consul, name);
    daemon.pause();
    await failOver(leader, name);
    await waitFor('the Sentinels to switch', () => Promise.all(sentinels.map((each) => each.masterAddress(name))), {
      until: (all) => all.every(({ port }) => port === replica.address.port),
    });
    t.equal((await readRecord(consul, name))?.epoch, epoch);
    daemon.resume();
    t.ok((await recordOf(consul, name, { master: replica })).epoch > epoch);
  });

  t.test('a bridge without Consul and Sentinels reports that, and works when they start', async (t) => {
    const { name, consul, shard, masters, master } = stage('missing');
    await consul.stop();
    const late = await sandbox.sentinels({ name: 'late', masters: [shard] });
    await Promise.all(late.map((sentinel) => sentinel.stop()));
    const bridge = startBridge(t, { consul, sentinels: late, masters });
    await waitFor('it to miss Consul', () => bridge.part.ready(), {
      until: (ready) => !ready.ready && /Consul/.test(ready.missing.join()),
    });
    await consul.start();
    await waitFor('it to miss the Sentinels', () => bridge.part.ready(), {
      until: (ready) => !ready.ready && /Sentinel/.test(ready.missing.join()),
    });
    t.equal(await readRecord(consul, name), undefined);
    await late[0]?.start();
    await waitFor('one Sentinel to be heard', () => bridge.reports.some(({ outcome }) => outcome.kind === 'held'));
    t.equal(await readRecord(consul, name), undefined, 'one of three is no majority');
    await late[1]?.start();
    t.match(await recordOf(consul, name), { master: master.address, generation: 1 });
    await waitFor('the bridge to be ready', () => bridge.part.ready().ready);
  });

  t.test('a Sentinel that does not answer does not delay a failover', async (t) => {
    const { name, consul, shard, masters, replica } = stage('silent');
    const trio = await sandbox.sentinels({ name: 'trio', masters: [shard] });
    const [first, second, third] = trio;
    if (first === undefined || second === undefined || third === undefined) throw new Error('three were asked for');
    const bridge = startBridge(t, { consul, sentinels: [third, second, first], masters, follow: 'announcement' });
    await recordOf(consul, name);
    third.pause();
    const recorder = await first.record();
    t.teardown(() => recorder.close());
    const lag = monitorEventLoopDelay({ resolution: 10 });
    lag.enable();
    await failOver(first, name);
    const promoted = await recordOf(consul, name, { master: replica });
    lag.disable();
    const { atMs } = await recorder.event('+switch-master', { master: name });
    // Without the longest time for which the machine stopped this process.
    const tookMs = Date.parse(promoted.changedAt) - atMs - lag.max / 1e6;
    t.ok(tookMs < 950, `${tookMs} ms: a Sentinel is given up after 1,000`);
    t.match(promoted, { phase: 'confirmed' }, 'two of three are a majority');
    await second.kill();
    await waitFor('the loss to be seen', () => bridge.part.sentinels.filter(({ up }) => up).length, {
      until: (up) => up === 1,
    });
    t.ok(bridge.part.ready().ready, 'what was published stands');
    await second.start();
    third.resume();
    await waitFor('all three to be back', () => bridge.part.sentinels.filter(({ up }) => up).length, {
      until: (up) => up === 3,
    });
    t.strictSame(new Set(bridge.part.sentinels.map(({ address }) => formatAddress(address))).size, 3);
  });
});
