import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { formatRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { Shard } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import {
  failOver,
  failOverTo,
  only,
  outcomes,
  recordOf,
  servicesOf,
  startBridge,
  written,
} from '../support/bridging.ts';
import { snapshot, watchEpochs } from '../support/reading.ts';

// Three bridges at once, on one Consul and three Sentinels; each test has shards of its own.
// A busy machine takes its time.
t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'bridge' });
const [consul, ...shards] = await Promise.all([
  sandbox.consul(),
  ...['killed', 'one', 'two', 'twice', 'edited', 'still'].map((name) => sandbox.redis({ name })),
]);
const sentinels = await sandbox.sentinels({ masters: shards });
const leader = only(sentinels);
const bridges = [1, 2, 3].map((n) => startBridge(t, { consul, sentinels, id: `bridge-${n}`, resyncMs: 500 }));
await Promise.all(shards.map(({ name }) => recordOf(consul, name)));

function shard(name: string): Shard {
  const found = shards.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no shard ${name}`);
  return found;
}

t.test('bridges', { jobs: 6 }, async (t) => {
  t.test('a killed master moves the record, the keys, the services and DNS in one transaction', async (t) => {
    const { name, master, replicas } = shard('killed');
    const replica = only(replicas);
    const before = await recordOf(consul, name);
    t.match(before, {
      generation: 1,
      phase: 'confirmed',
      master: master.address,
      replicas: [replica.address],
      previous: null,
    });
    const observer = watchEpochs(consul, name);
    t.teardown(() => observer.stop());
    await master.kill();
    const after = await recordOf(consul, name, { master: replica });
    await observer.stop();
    t.match(after, { generation: 1, previous: master.address, reason: 'failover' });
    t.ok(after.epoch > before.epoch);
    t.strictSame(observer.seen, [
      `${formatAddress(master.address)}@${before.epoch}`,
      `${formatAddress(replica.address)}@${after.epoch}`,
    ]);
    await waitFor('DNS', () => consul.dnsA(`${name}.redis-master.service.consul`), {
      until: (hosts) => hosts.join() === replica.address.host,
    });
    const [srv, ...more] = await consul.dnsSrv(`${name}.redis-master.service.consul`);
    t.strictSame([srv?.port, more], [replica.address.port, []]);
    t.strictSame(await consul.dnsA(srv?.target ?? ''), [replica.address.host]);
    t.equal(await consul.key(`redis/master/${name}/host`), replica.address.host);
    t.equal(await consul.key(`redis/master/${name}/port`), String(replica.address.port));
    const failovers = () => outcomes(bridges, name).filter((outcome) => outcome === 'applied failover');
    await waitFor('the report', () => failovers().length);
    t.strictSame(failovers(), ['applied failover'], 'one bridge wrote it');
    const killed = await waitFor('the dead replica to be critical', () => servicesOf(consul, name), {
      until: (instances) =>
        instances.some(
          ({ Service, Checks }) =>
            Service.Address === master.address.host && Checks.some(({ Status }) => Status === 'critical'),
        ),
      timeoutMs: 20_000,
    });
    t.equal(killed.length, 2);
  });

  t.test('a failover changes everything at one ModifyIndex', async (t) => {
    const { name, replicas } = shard('one');
    const first = startBridge(t, { consul, sentinels, id: 'late', masters: [name] });
    await waitFor('it to be ready', () => first.part.ready().ready);
    const applied = () =>
      bridges
        .flatMap(({ reports }) => reports)
        .filter(
          ({ key, outcome }) => key === name && outcome.kind === 'applied' && outcome.details?.cause === 'failover',
        );
    const key = `key redis/master/${name}`;
    const before = (await written(consul, name)).get(key);
    await failOver(leader, name);
    const indexes = await waitFor('the change', () => written(consul, name), {
      until: (now) => now.get(key) !== before,
    });
    const index = indexes.get(key);
    for (const what of [
      `key redis/master/${name}/host`,
      `key redis/master/${name}/port`,
      `key redis/master/${name}/epoch`,
      'service redis-master',
    ])
      t.equal(indexes.get(what), index, what);
    await recordOf(consul, name, { master: only(replicas) });
    const changes = () => [
      ...applied(),
      ...first.reports.filter(({ outcome }) => outcome.kind === 'applied' && outcome.details?.cause === 'failover'),
    ];
    const reports = await waitFor('the report', changes, { until: ({ length }) => length > 0 });
    t.equal(reports.length, 1);
    t.match(reports[0]?.outcome, { details: { modifyIndex: index } }, 'and so had the record');
  });

  t.test('two shards fail over at once', async () => {
    const { name, replicas } = shard('two');
    await failOver(leader, name);
    await recordOf(consul, name, { master: only(replicas) });
    await waitFor('DNS', () => consul.dnsA(`${name}.redis-master.service.consul`), {
      until: (hosts) => hosts.join() === only(replicas).address.host,
    });
  });

  t.test('the record follows a second failover right after the first', async (t) => {
    const { name, master, replicas } = shard('twice');
    const { epoch } = await recordOf(consul, name);
    await failOver(leader, name);
    await recordOf(consul, name, { master: only(replicas) });
    await failOverTo(leader, name, master.address);
    const back = await recordOf(consul, name, { master });
    t.ok(back.epoch > epoch + 1);
    t.strictSame(back.previous, only(replicas).address);
    const truth = await leader.masterInfo(name);
    t.strictSame([truth.ip, truth['config-epoch']], [back.master.host, String(back.epoch)]);
  });

  t.test('the bridges restore what somebody deleted or edited', async (t) => {
    const { name, master } = shard('edited');
    const record = await recordOf(consul, name);
    const edits: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['the record is deleted', () => consul.delete(`/v1/kv/redis/record/${name}`)],
      ['the record is no record', () => consul.putKey(`redis/record/${name}`, 'x')],
      [
        'the record names another master',
        () =>
          consul.putKey(`redis/record/${name}`, formatRecord({ ...record, master: { host: '127.9.9.9', port: 1 } })),
      ],
      [
        'the record has an older epoch',
        () => consul.putKey(`redis/record/${name}`, formatRecord({ ...record, epoch: record.epoch - 1 })),
      ],
      ['all plain keys are deleted', () => consul.delete(`/v1/kv/redis/master/${name}?recurse`)],
      ['a plain key is edited', () => consul.putKey(`redis/master/${name}/port`, '1')],
      [
        'the service is deregistered',
        () => consul.put('/v1/catalog/deregister', { Node: `redis-${name}`, ServiceID: 'redis-master' }),
      ],
      ['the node is deregistered', () => consul.put('/v1/catalog/deregister', { Node: `redis-${name}` })],
      [
        'the check is edited',
        () =>
          consul.put('/v1/catalog/register', {
            Node: `redis-${name}`,
            Address: master.address.host,
            SkipNodeUpdate: true,
            Check: {
              CheckID: 'redis-master:sentinel',
              ServiceID: 'redis-master',
              Name: 'Sentinel',
              Status: 'critical',
            },
          }),
      ],
      [
        'the service is edited',
        () =>
          consul.put('/v1/catalog/register', {
            Node: `redis-${name}`,
            Address: '127.9.9.9',
            Service: { ID: 'redis-master', Service: 'redis-master', Address: '127.9.9.9', Port: 1 },
          }),
      ],
      [
        'a second master is registered',
        () =>
          consul.put('/v1/catalog/register', {
            Node: `redis-${name}`,
            Address: master.address.host,
            SkipNodeUpdate: true,
            Service: { ID: 'second', Service: 'redis-master', Address: '127.9.9.9', Port: 1 },
          }),
      ],
    ];
    for (const [what, edit] of edits) {
      await edit();
      await waitFor(`it to be put back after ${what}`, () => snapshot(consul, name), {
        until: (now) => JSON.stringify(now) === JSON.stringify(good),
        timeoutMs: 30_000,
      });
      t.pass(what);
    }
    t.strictSame(
      outcomes(bridges, name).filter((outcome) => outcome === 'failed'),
      [],
    );
  });
  const good = await snapshot(consul, 'edited');

  t.test('the bridges write nothing while nothing changes', async (t) => {
    const { name } = shard('still');
    await waitFor('all checks to pass', () => servicesOf(consul, name), {
      until: (instances) =>
        instances.length === 2 && instances.every(({ Checks }) => Checks.every(({ Status }) => Status === 'passing')),
    });
    /** What was written while each bridge ran six times, and its outcomes other than `unchanged`. */
    const observe = async () => {
      const before = await written(consul, name);
      const runsBefore = bridges.map(({ reports }) => reports.length);
      const runs = () =>
        bridges.map(({ reports }, i) => reports.slice(runsBefore[i]).filter(({ key }) => key === name));
      const all = await waitFor('each bridge to look six times', runs, {
        until: (lists) => lists.every(({ length }) => length >= 6),
      });
      const after = await written(consul, name);
      const changes = [...after].filter(([what, index]) => before.get(what) !== index);
      return [...changes, ...all.flat().flatMap(({ outcome }) => (outcome.kind === 'unchanged' ? [] : [outcome]))];
    };
    // On a busy machine a Sentinel may see a server down for a moment. That changes the check.
    const changes = await waitFor('a time without a change', observe, {
      until: ({ length }) => length === 0,
      timeoutMs: 60_000,
    });
    t.strictSame(changes, []);
  });
});
