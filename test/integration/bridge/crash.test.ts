import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer, Shard } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { only, type RunningBridge, recordOf, startBridge } from '../support/bridging.ts';

/* Sentinels that wait for 30 s, and bridges that order a failover once the process of a master is gone. */
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'crash' });
const [consul, killed, alive, contradicted, restarted, emptied, split] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'killed' }),
  sandbox.redis({ name: 'alive', config: { 'enable-debug-command': 'yes' } }),
  sandbox.redis({ name: 'contradicted' }),
  sandbox.redis({ name: 'restarted', config: { appendonly: 'yes', appendfsync: 'always' } }),
  // Redis' own default of the delay.
  sandbox.redis({ name: 'emptied', config: { 'repl-diskless-sync-delay': '5' } }),
  sandbox.redis({ name: 'split' }),
]);
const sentinels = await sandbox.sentinels({
  masters: [killed, alive, contradicted, restarted, emptied],
  downAfterMs: 30_000,
});
/** One of them sees the master down after a second, and needs no other for that. */
const splitSentinels = await sandbox.sentinels({
  name: 'split-sentinel',
  masters: [split],
  quorum: 1,
  failoverTimeoutMs: 3_000,
});
const onCrash = 'failover' as const;

/** A listener at the address of the process, which the daemon beside it reaches: it contradicts a crash. */
const listener = createServer((socket) => socket.destroy());
listener.listen(0, '127.0.0.1');
await once(listener, 'listening');
t.teardown(() => listener.close());
const { port } = listener.address() as { port: number };
const localMasters = () => [{ name: 'contradicted', endpoint: { host: '127.0.0.1', port } }];

const bridges = [1, 2].map((n) =>
  startBridge(t, { consul, sentinels, onCrash, id: `pair-${n}`, masters: ['killed', 'alive'] }),
);
const contradicting = [1, 2].map((n) =>
  startBridge(t, {
    consul,
    sentinels,
    onCrash,
    id: `beside-${n}`,
    environment: 'beside',
    masters: ['contradicted'],
    ...(n === 2 ? { localMasters } : {}),
  }),
);
const patient = startBridge(t, {
  consul,
  sentinels,
  onCrash,
  id: 'patient',
  environment: 'patient',
  masters: ['restarted', 'emptied'],
  crashAfterMs: 20_000,
});

/** Ready to judge: the replica is measured, and Consul lists every bridge. */
async function untilReady(of: readonly RunningBridge[], { shard, prefix }: { shard: Shard; prefix: string }) {
  await recordOf(consul, shard.name, { master: shard.master, prefix });
  const replica = only(shard.replicas).address;
  await waitFor(`the lag of ${shard.name}`, () => of.map(({ part }) => part.masters.lag(shard.name, replica)), {
    until: (lags) => lags.every((lag) => typeof lag?.behindMs === 'number'),
  });
  await waitFor('the bridges in Consul', () => consul.get<string[]>(`/v1/kv/${prefix}crash/bridge/?keys`), {
    until: (keys) => keys?.length === of.length,
  });
}

const crashes = (of: readonly RunningBridge[], name: string) =>
  of.flatMap(({ reports }) => reports).filter(({ loop, key }) => loop === 'crash' && key === name);

async function untilMaster(server: RedisServer): Promise<void> {
  const role = async () => ((await server.command('ROLE')) as unknown[])[0];
  await waitFor(`${server.name} to be master`, role, { until: (said) => said === 'master', intervalMs: 5 });
}

t.test('a killed master is failed over long before Sentinel sees it down, by one bridge', async (t) => {
  await untilReady(bridges, { shard: killed, prefix: 'redis/' });
  // A bridge of a backup that somebody imported: its key has no session, and it cannot contradict.
  await consul.putKey(
    'redis/crash/bridge/imported',
    JSON.stringify({ bridge: 'imported', masters: ['*'], beside: [] }),
  );
  await killed.master.command('SET', 'k', 'v');
  await killed.master.command('WAIT', 1, 5_000);
  const startedMs = performance.now();
  await killed.master.kill();
  const replica = only(killed.replicas);
  await untilMaster(replica);
  const tookMs = performance.now() - startedMs;
  t.comment(`${Math.round(tookMs)} ms from the kill to the first ROLE master`);
  t.ok(tookMs < 20_000, 'Sentinel waits for 30 s');
  await recordOf(consul, 'killed', { master: replica });
  t.equal(await replica.command('GET', 'k'), 'v');
  const reports = await waitFor('the report of each bridge', () => crashes(bridges, 'killed'), {
    until: ({ length }) => length >= bridges.length,
  });
  const [report, other, ...more] = reports.toSorted((a, b) => (a.outcome.kind < b.outcome.kind ? -1 : 1));
  t.strictSame(more, []);
  const last = JSON.parse((await consul.key('redis/crash/order/killed')) ?? '{}');
  t.match(last, { orderedBy: /^pair-/, sign: 'refused', master: formatAddress(killed.master.address) });
  t.match(other?.outcome, {
    kind: 'fenced',
    summary: new RegExp(`This bridge ordered no failover: the bridge ${last.orderedBy} has ordered it$`),
    details: { cause: 'crash', end: 'ordered-elsewhere', stages: { provenMs: Number }, sentinels: [{ link: 'down' }] },
  });
  t.match(report?.outcome, {
    kind: 'applied',
    summary: `${formatAddress(killed.master.address)} has crashed: its host refuses connections.`,
    details: {
      cause: 'crash',
      end: 'ordered',
      stages: { provenMs: Number, orderedMs: Number },
      bridges: [{ sees: 'crash' }, { sees: 'crash' }],
      replicas: [{ link: 'down', wasInStep: true }],
      sentinels: [{ link: 'down' }, { link: 'down' }, { link: 'down' }],
    },
  });
  await consul.delete('/v1/kv/redis/crash/bridge/imported');
});

t.test('a master that lives is not failed over, whatever happens to its connections', async (t) => {
  await untilReady(bridges, { shard: alive, prefix: 'redis/' });
  const { master } = alive;
  // The master counts those that it has accepted. Two bridges connect again, and each tries to connect first.
  const accepted = async () =>
    Number(/total_connections_received:(\d+)/.exec(String(await master.command('INFO', 'stats')))?.[1]);
  for (let n = 0; n < 3; n += 1) {
    const before = await accepted();
    await master.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await waitFor('the bridges to connect again', accepted, { until: (count) => count > before + 5 });
  }
  await master.command('DEBUG', 'SLEEP', 1);
  master.pause();
  // Longer than a bridge waits for an answer: it closes its own connection.
  const runs = () =>
    bridges.map(({ reports }) => reports.filter(({ loop, key }) => loop === 'bridge' && key === 'alive'));
  const before = runs().map(({ length }) => length);
  await waitFor('two runs of each bridge', runs, {
    until: (all) => all.every(({ length }, i) => length > (before[i] ?? 0) + 1),
  });
  master.resume();
  await waitFor('the master to answer', () => master.command('PING'), { until: (said) => said === 'PONG' });
  await recordOf(consul, 'alive', { master });
  t.strictSame(crashes(bridges, 'alive'), []);
});

t.test('the daemon beside the master can contradict a crash', async (t) => {
  await untilReady(contradicting, { shard: contradicted, prefix: 'redis/beside/' });
  const beside = async () => (await consul.key('redis/beside/crash/bridge/beside-2'))?.includes('"contradicted"');
  await waitFor('the bridge beside it in Consul', beside, { until: (said) => said === true });
  await contradicted.master.kill();
  const [report] = await waitFor('the report', () => crashes(contradicting, 'contradicted'), {
    until: (reports) => reports.length > 0,
  });
  t.match(report?.outcome, { kind: 'held', summary: /the bridge beside-2 beside it has not seen a crash$/ });
  t.equal(
    await only(contradicted.replicas)
      .command('ROLE')
      .then((reply) => (reply as unknown[])[0]),
    'slave',
  );
});

t.test('a restart that is faster than the proof is followed, unless the master has lost its keys', async (t) => {
  for (const shard of [restarted, emptied]) {
    await untilReady([patient], { shard, prefix: 'redis/patient/' });
    for (const key of ['a', 'b', 'c']) await shard.master.command('SET', key, 'v');
    await shard.master.command('WAIT', 1, 5_000);
  }
  await restarted.master.kill();
  await restarted.master.start();
  await emptied.master.kill();
  await emptied.master.start();
  const replica = only(emptied.replicas);
  await untilMaster(replica);
  t.equal(await replica.command('DBSIZE'), 3);
  await recordOf(consul, 'emptied', { master: replica, prefix: 'redis/patient/' });
  t.match(
    crashes([patient], 'emptied').map(({ outcome }) => outcome),
    [{ kind: 'applied', details: { sign: { kind: 'emptied', keys: 0 } } }],
  );
  const { master } = restarted;
  const reply = async () => (await only(restarted.replicas).command('ROLE')) as unknown[];
  await waitFor('the replica to follow the restarted master', reply, { until: (role) => role[3] === 'connected' });
  t.equal(await master.command('DBSIZE'), 3);
  t.strictSame(crashes([patient], 'restarted'), []);
});

/** A Sentinel that gets no votes: the others do not answer it, and do not see the master down themselves. */
async function isolateVotes(): Promise<SentinelServer> {
  const [candidate, ...voters] = splitSentinels;
  for (const voter of voters) {
    await voter.command('SENTINEL', 'SET', 'split', 'down-after-milliseconds', 60_000);
    await voter.command('ACL', 'SETUSER', 'default', '-sentinel|is-master-down-by-addr');
  }
  if (candidate === undefined) throw new Error('there are Sentinels');
  return candidate;
}

t.test('after an election that nobody won, a bridge orders the failover of a crashed master', async (t) => {
  const candidate = await isolateVotes();
  const prefix = 'redis/split/';
  // Another bridge contradicts the crash until the election has failed. Consul lists it before the bridge reads the list.
  const silent = `${prefix}crash/bridge/silent`;
  const { ID } = (await consul.put<{ ID: string }>('/v1/session/create', { Behavior: 'delete' })) ?? { ID: '' };
  await consul.put(`/v1/kv/${silent}?acquire=${ID}`, { bridge: 'silent', masters: ['*'], beside: [] });
  const bridge = startBridge(t, { consul, sentinels: splitSentinels, onCrash, id: 'alone', environment: 'split' });
  await untilReady([bridge, bridge], { shard: split, prefix });
  const recorder = await candidate.record();
  t.teardown(() => recorder.close());
  await split.master.kill();
  await recorder.event('-failover-abort-not-elected', { master: 'split', timeoutMs: 60_000 });
  await consul.delete(`/v1/kv/${silent}`);
  const replica = only(split.replicas);
  await untilMaster(replica);
  await recordOf(consul, 'split', { master: replica, prefix });
  const last = await waitFor('the report of the order', () => crashes([bridge], 'split').at(-1)?.outcome, {
    until: (outcome) => outcome?.kind === 'applied',
  });
  t.match(last, { details: { cause: 'crash', stages: { orderedMs: Number } } });
});
