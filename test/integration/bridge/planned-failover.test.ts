import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type Address, formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Shard } from '../../sandbox/redis.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import {
  type BridgeSetting,
  only,
  type RunningBridge,
  readRecord,
  recordOf,
  startBridge,
} from '../support/bridging.ts';
import { otherEditions } from '../support/editions.ts';
import { NumberWriter, persistentClient } from '../support/writing.ts';

t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'planned' });
const editions = ['redis', ...otherEditions];

// Scenes of one edition share Sentinels and two bridges.
const names = ['load-redis', 'chosen', 'excluded', 'stalled', 'alone', 'dark', 'unconfirmed'];
const [consul, darkConsul, ...shards] = await Promise.all([
  sandbox.consul(),
  sandbox.consul({ name: 'dark-consul' }),
  ...names.map((name) => sandbox.redis({ name, replicas: 2 })),
]);
const sentinels = await startSentinels({ name: 'sentinel', masters: shards });
const bridge = startBridges({ consul, sentinels, masters: names.filter((name) => name !== 'dark') });

async function startSentinels(options: Parameters<typeof sandbox.sentinels>[0]) {
  const started = await sandbox.sentinels(options);
  // By default Sentinel reads priorities every ten seconds.
  await Promise.all(started.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'info-period', 300)));
  return started;
}

function startBridges(setting: BridgeSetting): RunningBridge {
  return only([1, 2].map((n) => startBridge(t, { ...setting, id: `bridge-${n}` })));
}

/** A shard of another edition, with Sentinels and bridges of its own. */
async function startEdition(edition: string) {
  const name = `load-${edition}`;
  const shard = await sandbox.redis({ name, replicas: 2, program: `${edition}-server` });
  const own = await startSentinels({ name: `${name}-sentinel`, masters: [shard], program: `${edition}-sentinel` });
  return { shard, bridge: startBridges({ consul, sentinels: own, masters: [name] }) };
}

function sharedShard(name: string): Shard {
  const shard = shards.find((one) => one.name === name);
  if (shard === undefined) throw new Error(`there is no shard ${name}`);
  return shard;
}

/** Waits until the record lists both replicas. */
async function ready(name: string, at: ConsulAgent = consul): Promise<Shard> {
  await recordOf(at, name, { until: ({ replicas }) => replicas.length === 2 });
  return sharedShard(name);
}

/** Applications that write to a master, until `stop`. */
async function startWriters(
  t: Pick<Test, 'teardown'>,
  name: string,
  { count = 1 }: { readonly count?: number } = {},
): Promise<readonly NumberWriter[]> {
  const client = () => persistentClient(() => masterOf(consul, name));
  const writers = Array.from(
    { length: count },
    (_, n) => new NumberWriter({ name: `${n}`, key: `w${n}`, client: client(), pauseMs: 20 }),
  );
  t.teardown(async () => void (await Promise.all(writers.map((writer) => writer.stop()))));
  await waitFor('writes', () => writers.every(({ acknowledged }) => acknowledged.size > 20), { timeoutMs: 60_000 });
  return writers;
}

/** Waits until each writer has written `more` times. */
async function writesContinue(writers: readonly NumberWriter[], more: number): Promise<void> {
  const sizes = writers.map(({ acknowledged }) => acknowledged.size);
  const continued = () => writers.every(({ acknowledged }, i) => acknowledged.size > (sizes[i] ?? 0) + more);
  await waitFor('writes to continue', continued, { timeoutMs: 60_000 });
}

async function losesNothing(t: Test, writers: readonly NumberWriter[], master: Address): Promise<void> {
  await Promise.all(writers.map((writer) => writer.stop()));
  for (const writer of writers) t.strictSame((await writer.lostAt(master)).lost, []);
}

async function masterOf(consul: ConsulAgent, name: string) {
  const record = await readRecord(consul, name);
  if (record === undefined) throw new Error('there is no record');
  return record.master;
}

t.test('a planned failover', { jobs: 3 }, async (t) => {
  for (const edition of editions) {
    t.test(`loses no acknowledged write under load, on ${edition}`, async (t) => {
      const name = `load-${edition}`;
      const own = edition === 'redis' ? { shard: sharedShard(name), bridge } : await startEdition(edition);
      await recordOf(consul, name, { until: ({ replicas }) => replicas.length === 2 });
      const writers = await startWriters(t, name, { count: 3 });
      const report = await own.bridge.part.failOver(name, {});
      const { master } = own.shard;
      t.strictSame(report.from, master.address);
      t.equal(report.manner, edition === 'valkey9' ? 'coordinated' : 'paused');
      t.ok(report.offsets.inherited >= (report.offsets.paused ?? Number.NaN), JSON.stringify(report.offsets));
      // The demotion also closes the connections of the old master's clients.
      await waitFor('the old master to be a replica', () => master.role(), { until: (role) => role === 'replica' });
      t.ok(sameAddress((await recordOf(consul, name)).master, report.to));
      await writesContinue(writers, 20);
      await losesNothing(t, writers, report.to);
      t.comment(`${edition}: ${report.withoutWritesMs} ms without writes`);
    });
  }

  t.test('promotes the chosen replica, and restores the priorities', async (t) => {
    const shard = await ready('chosen');
    const writers = await startWriters(t, 'chosen');
    const [other, successor] = shard.replicas;
    if (other === undefined || successor === undefined) throw new Error('there are two replicas');
    await other.command('CONFIG', 'SET', 'replica-priority', 1);
    await waitFor('the bridge to know both', () => bridge.part.masters.get('chosen')?.record?.replicas.length === 2);
    const report = await bridge.part.failOver('chosen', { successor: successor.address });
    t.strictSame(report.to, successor.address);
    const priorities = await Promise.all(
      shard.replicas.map((server) => server.command('CONFIG', 'GET', 'replica-priority')),
    );
    t.strictSame(priorities, [
      ['replica-priority', '1'],
      ['replica-priority', '100'],
    ]);
    // Sentinel has the promoted replica write its config file while it comes first.
    const [, file] = String(await successor.command('INFO', 'server')).match(/^config_file:(.+?)\r?$/m) ?? [];
    t.notMatch(readFileSync(file ?? '', 'utf8'), /^replica-priority 1$/m, 'nor does it come first after a restart');
    await losesNothing(t, writers, report.to);
  });

  t.test('excludes a replica that stays out of sync, and restores its priority', async (t) => {
    const [successor, other] = (await ready('excluded')).replicas;
    const writers = await startWriters(t, 'excluded');
    if (other === undefined || successor === undefined) throw new Error('there are two replicas');
    // Sentinel waits so long for a replica that does not follow, before it announces the new master.
    await Promise.all(
      sentinels.map((sentinel) => sentinel.command('SENTINEL', 'SET', 'excluded', 'failover-timeout', 3_000)),
    );
    // The master has no password, and refuses this one.
    await other.command('CONFIG', 'SET', 'masterauth', 'wrong');
    await other.command('CLIENT', 'KILL', 'TYPE', 'master');
    const links = async () =>
      (await Promise.all(sentinels.map((sentinel) => sentinel.replicaInfos('excluded')))).flat();
    await waitFor('the Sentinels to see that its link is down', links, {
      until: (infos) => infos.filter((info) => info['master-link-status'] === 'err').length === 3,
    });
    const report = await bridge.part.failOver('excluded', {});
    t.strictSame(report.to, successor.address);
    t.strictSame(await other.command('CONFIG', 'GET', 'replica-priority'), ['replica-priority', '100']);
    await losesNothing(t, writers, report.to);
  });

  t.test('that stalls releases the writes, and changes nothing', async (t) => {
    const shard = await ready('stalled');
    const writers = await startWriters(t, 'stalled');
    const { generation, epoch, master } = await recordOf(consul, 'stalled');
    // Without a replica that Sentinel sees up, it would not begin.
    for (const sentinel of sentinels)
      await sentinel.command('SENTINEL', 'SET', 'stalled', 'down-after-milliseconds', 60_000);
    // The Sentinels see nothing of this yet.
    for (const replica of shard.replicas) replica.pause();
    await t.rejects(bridge.part.failOver('stalled', { waitMs: 300 }), {
      code: 'failover-refused',
      message: /a replica that is not in step: \S+ does not answer ROLE; .* It waited/,
    });
    t.match(await bridge.part.previewFailover('stalled', {}), { verdict: 'waits', why: /not in step/ });
    for (const replica of shard.replicas) replica.resume();
    const onStep = (step: string) => {
      if (step === 'checked') for (const replica of shard.replicas) replica.pause();
    };
    await t.rejects(bridge.part.failOver('stalled', { timeoutMs: 300, onStep }), { code: 'failover-stalled' });
    await writesContinue(writers, 5);
    for (const replica of shard.replicas) replica.resume();
    t.equal(await shard.master.role(), 'master');
    t.match(await recordOf(consul, 'stalled'), { generation, epoch, master });
    for (const server of shard.servers)
      t.strictSame(await server.command('CONFIG', 'GET', 'replica-priority'), ['replica-priority', '100']);
  });

  t.test('is refused if no replica is in sync, before any pause', async (t) => {
    const shard = await ready('alone');
    await Promise.all(shard.replicas.map((replica) => replica.kill()));
    const waits: string[] = [];
    const infos = async () => (await Promise.all(sentinels.map((sentinel) => sentinel.replicaInfos('alone')))).flat();
    await waitFor('the Sentinels to see them down', infos, {
      until: (all) => all.every(({ flags = '' }) => flags.includes('down')),
    });
    await t.rejects(bridge.part.failOver('alone', { waitMs: 500, onWait: (why) => waits.push(why) }), {
      code: 'failover-refused',
      message: /no replica is up and in sync .* It waited for/,
    });
    t.match(waits[0], 'is s_down by the Sentinels');
    const own = shard.servers.map(({ address }) => formatAddress(address));
    t.strictSame(
      bridge.fences.filter(({ address }) => own.includes(address)),
      [],
    );
    t.equal(await redisCli(shard.master.address, ['SET', 'k', 'v'], { timeoutMs: 3_000 }), 'OK');
  });

  t.test('is refused while Consul is dead', async (t) => {
    const alone = startBridges({ consul: darkConsul, sentinels, masters: ['dark'] });
    const shard = await ready('dark', darkConsul);
    await darkConsul.kill();
    await waitFor('the bridge to notice', () => alone.part.state(), {
      until: (state) => (state as { consul: unknown }).consul !== null,
    });
    await t.rejects(alone.part.failOver('dark', {}), { code: 'failover-refused', message: /Consul cannot be reached/ });
    t.equal(await redisCli(shard.master.address, ['SET', 'k', 'v'], { timeoutMs: 3_000 }), 'OK');
  });
});

t.test('an order that no Sentinel answers in time continues, and loses nothing', async (t) => {
  const writers = await startWriters(t, 'load-redis');
  const slow = (step: string) => {
    if (step === 'checked') for (const sentinel of sentinels) sentinel.pause();
  };
  const running = bridge.part.failOver('load-redis', { onStep: slow });
  // Longer than the second for which the bridge waits for an answer, and shorter than the 2 s that put a Sentinel into TILT mode.
  await delay(1_300);
  for (const sentinel of sentinels) sentinel.resume();
  const report = await running;
  t.ok(report.offsets.inherited >= (report.offsets.paused ?? Number.NaN));
  await writesContinue(writers, 5);
  await losesNothing(t, writers, report.to);
});

t.test('a planned failover that no majority of the Sentinels confirms fails, and says what may be lost', async (t) => {
  await ready('unconfirmed');
  const cut = (step: string) => {
    if (step === 'ordered') for (const sentinel of sentinels.slice(1)) sentinel.pause();
  };
  await t.rejects(bridge.part.failOver('unconfirmed', { onStep: cut }), {
    code: 'failover-stalled',
    message: /no majority of the Sentinels confirmed it within 10000 ms\. Writes that .+ accepted since .+ may be lost/,
  });
});
