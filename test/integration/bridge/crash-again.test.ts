import t from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { Shard } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, type RunningBridge, recordOf, startBridge } from '../support/bridging.ts';

/* A crash that could not be ordered is judged again when what was missing is there. The Sentinels would wait for two minutes. */
t.setTimeout(240_000);
const management = 'a5c0ffee-0000-4000-8000-000000000001';
const sandbox = await Sandbox.openFor(t, { name: 'crash-again' });
const tokens = { master: management, agent: management, default: management };
const names = ['token', 'replica', 'soon', 'pair', 'rights', 'wiped', 'outage'] as const;
const [consul, ...shards] = await Promise.all([
  sandbox.consul({ config: { acl: { enabled: true, default_policy: 'deny', tokens } } }),
  ...names.map((name) => sandbox.redis({ name })),
]);
// Right after its start Consul has no ACLs yet.
await waitFor('ACLs', () => consul.get('/v1/acl/policies'));
const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 120_000 });
const onCrash = 'failover' as const;
const resyncMs = 5_000;
const shardOf = (name: (typeof names)[number]): Shard => {
  const shard = shards.find((one) => one.name === name);
  if (shard === undefined) throw new Error(`no shard ${name}`);
  return shard;
};

const withoutCrashes = 'key_prefix "redis/token/crash" { policy = "read" }';
const withoutMaintenance = 'key_prefix "redis/token/maintenance" { policy = "deny" }';

/** A token with these rules, and a function that replaces them. */
async function makeToken(rules: string) {
  const policy = await consul.put<{ ID: string }>('/v1/acl/policy', { Name: 'bridge', Rules: rules });
  const made = await consul.put<{ SecretID: string }>('/v1/acl/token', { Policies: [{ Name: 'bridge' }] });
  const change = (Rules: string) => consul.put(`/v1/acl/policy/${policy?.ID}`, { Name: 'bridge', Rules });
  return { token: made?.SecretID ?? '', change };
}

const everything = `key_prefix "" { policy = "write" } service_prefix "" { policy = "write" } node_prefix "" { policy = "write" }
  session_prefix "" { policy = "write" } agent_prefix "" { policy = "read" }`;

const bridge = startBridge(t, {
  ...{ consul, sentinels, onCrash, resyncMs, id: 'all' },
  masters: ['replica', 'soon', 'rights', 'wiped', 'outage'],
});
const pair = ['one', 'two'].map((id) =>
  startBridge(t, { consul, sentinels, onCrash, resyncMs, id, environment: 'pair', masters: ['pair'] }),
);

async function untilReady(of: RunningBridge, { shard, prefix }: { shard: Shard; prefix: string }): Promise<void> {
  await recordOf(consul, shard.name, { master: shard.master, prefix });
  const lag = () => of.part.masters.lag(shard.name, only(shard.replicas).address);
  await waitFor(`the lag of ${shard.name}`, lag, { until: (known) => typeof known?.behindMs === 'number' });
}

/** How the crash ended, in order: one entry for each end. A bridge on a busy host may not know its own connections for a moment. */
const endsOf = (of: RunningBridge, name: string) =>
  of.reports.flatMap(({ loop, key, outcome }) =>
    loop === 'crash' && key === name && outcome.details?.end !== 'unclear' ? [String(outcome.details?.end)] : [],
  );

async function untilEnd(of: RunningBridge, name: string): Promise<void> {
  await waitFor(`the end of ${name}`, () => endsOf(of, name), { until: ({ length }) => length > 0 });
}

async function untilPromoted({ name, replicas }: Shard): Promise<void> {
  await waitFor(`the replica of ${name} to be master`, () => only(replicas).role(), {
    until: (role) => role === 'master',
    timeoutMs: 60_000,
  });
}

t.test('what was missing comes', async (t) => {
  t.jobs = 4;
  t.test(
    'the token gets the right to read maintenance, and then to the keys of crashes',
    { buffered: true },
    async (t) => {
      const shard = shardOf('token');
      const { token, change } = await makeToken(`${everything} ${withoutCrashes} ${withoutMaintenance}`);
      const http: Address & { readonly token: string } = { ...consul.http, token };
      const limited = startBridge(t, {
        ...{ consul: { http }, sentinels, onCrash, resyncMs, id: 'limited', environment: 'token', masters: ['token'] },
      });
      await untilReady(limited, { shard, prefix: 'redis/token/' });
      await shard.master.kill();
      await untilEnd(limited, 'token');
      t.match(limited.part.masters.get('token')?.crash?.why ?? '', /^$|^the token may not read in Consul whether/);
      t.strictSame(endsOf(limited, 'token'), ['maintenance']);
      await change(`${everything} ${withoutCrashes}`);
      await waitFor('the next end', () => endsOf(limited, 'token'), {
        until: ({ length }) => length > 1,
        timeoutMs: 60_000,
      });
      const why = /^Consul lists no bridge that judges crashes/;
      await waitFor('the crash', () => limited.part.masters.get('token')?.crash, {
        until: (crash) => crash !== null && crash !== undefined && why.test(crash.why),
      });
      t.match(limited.part.masters.get('token')?.crash, { address: shard.master.address });
      await change(everything);
      await untilPromoted(shard);
      t.strictSame(endsOf(limited, 'token'), ['maintenance', 'consul', 'ordered']);
    },
  );

  t.test('a replica that did not answer answers again', { buffered: true }, async (t) => {
    const shard = shardOf('replica');
    await untilReady(bridge, { shard, prefix: 'redis/' });
    const replica = only(shard.replicas);
    replica.pause();
    await shard.master.kill();
    await untilEnd(bridge, 'replica');
    replica.resume();
    await untilPromoted(shard);
    t.strictSame(endsOf(bridge, 'replica'), ['no-replica', 'ordered']);
  });

  t.test('failover-timeout is over since the last order', { buffered: true }, async (t) => {
    const shard = shardOf('soon');
    await untilReady(bridge, { shard, prefix: 'redis/' });
    for (const sentinel of sentinels) await sentinel.command('SENTINEL', 'SET', 'soon', 'failover-timeout', 6_000);
    const orderedAt = new Date();
    await consul.putKey('redis/crash/order/soon', JSON.stringify({ orderedAt, orderedBy: 'another' }));
    await shard.master.kill();
    await untilPromoted(shard);
    t.ok(Date.now() - orderedAt.getTime() >= 6_000, 'at most one order in that time');
    t.strictSame(endsOf(bridge, 'soon'), ['too-soon', 'ordered']);
  });

  t.test(
    'bridges that contradicted are gone, and a majority of the others judges at the same time',
    { buffered: true },
    async (t) => {
      const shard = shardOf('pair');
      const prefix = 'redis/pair/';
      const { ID } = (await consul.put<{ ID: string }>('/v1/session/create', { Behavior: 'delete' })) ?? { ID: '' };
      for (const silent of ['three', 'four']) {
        const value = { bridge: silent, masters: ['*'], beside: [] };
        await consul.put(`/v1/kv/${prefix}crash/bridge/${silent}?acquire=${ID}`, value);
      }
      for (const one of pair) await untilReady(one, { shard, prefix });
      await waitFor('the bridges in Consul', () => consul.get<string[]>(`/v1/kv/${prefix}crash/bridge/?keys`), {
        until: (keys) => keys?.length === 4,
      });
      await shard.master.kill();
      for (const one of pair) await untilEnd(one, 'pair');
      await consul.put(`/v1/session/destroy/${ID}`);
      await untilPromoted(shard);
      const all = () => pair.map((one) => endsOf(one, 'pair').join(', ')).toSorted();
      await waitFor('both reports', all, { until: (list) => list[0] !== list[1] });
      const [ordering, other] = all().toReversed();
      t.equal(ordering?.replace('-elsewhere', ''), 'contradicted, ordered', `${ordering}`);
      t.ok(
        ['contradicted', 'contradicted, ordered', 'contradicted, ordered-elsewhere'].includes(other ?? ''),
        `${other}`,
      );
    },
  );
});

t.test(
  'the user at the Sentinels gets the right to order, and a replica that restarted without its data is not taken',
  async (t) => {
    const [rights, wiped] = [shardOf('rights'), shardOf('wiped')];
    for (const shard of [rights, wiped]) await untilReady(bridge, { shard, prefix: 'redis/' });
    await wiped.master.command('SET', 'k', 'v');
    await wiped.master.command('WAIT', 1, 5_000);
    for (const sentinel of sentinels) await sentinel.command('ACL', 'SETUSER', 'default', '-sentinel|failover');
    await Promise.all([rights.master.kill(), wiped.master.kill()]);
    for (const name of ['rights', 'wiped']) await untilEnd(bridge, name);
    const replica = only(wiped.replicas);
    await replica.kill();
    replica.launch();
    for (const sentinel of sentinels) await sentinel.command('ACL', 'SETUSER', 'default', '+sentinel|failover');
    await untilPromoted(rights);
    t.strictSame(endsOf(bridge, 'rights'), ['right-missing', 'ordered']);
    // While the replica starts, a Sentinel may still take the former one for connected.
    const ends = () => endsOf(bridge, 'wiped').filter((end) => end !== 'contradicted');
    await waitFor('another end', ends, { until: ({ length }) => length > 1 });
    t.strictSame(ends(), ['right-missing', 'no-replica']);
    t.equal(await replica.role(), 'replica');
  },
);

t.test('Consul answers again after an outage', async (t) => {
  const shard = shardOf('outage');
  await untilReady(bridge, { shard, prefix: 'redis/' });
  consul.pause();
  await shard.master.kill();
  await untilEnd(bridge, 'outage');
  consul.resume();
  await untilPromoted(shard);
  t.strictSame(endsOf(bridge, 'outage'), ['consul', 'ordered']);
});
