import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import {
  idOf,
  instanceOf,
  instancesOf,
  makeInstance,
  putRecordOf,
  type Registered,
  register,
  replicaOf,
  startRegistrar,
  untilSays,
} from '../support/registering.ts';
import { repeat } from '../support/repeating.ts';

t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'registrar' });
const [consul, plain, returning, outlived] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'plain' }),
  sandbox.redis({ name: 'returning' }),
  sandbox.redis({ name: 'outlived' }),
]);

t.test('instances are registered with the roles of the record, and are in DNS', async (t) => {
  await register(t, { consul, shards: [plain] });
  const master = await instanceOf(consul, idOf(plain.master));
  t.match(master?.Service, {
    Address: plain.master.address.host,
    Port: plain.master.address.port,
    Tags: ['plain', 'master'],
    Meta: { role: 'master', name: 'plain', version: /^\d+\.\d+\.\d+$/, switchmaster: 'default' },
  });
  t.strictSame((await instanceOf(consul, idOf(replicaOf(plain))))?.Service.Tags, ['plain', 'replica']);
  await untilSays(consul, idOf(plain.master), 'passing: answers');
  t.strictSame(await consul.dnsA('replica.redis.service.consul'), [replicaOf(plain).address.host]);
  const [srv] = await consul.dnsSrv('master.redis.service.consul');
  t.equal(srv?.port, plain.master.address.port);
});

t.test('the registrar writes nothing while nothing changes', async (t) => {
  const { reports } = await register(t, { consul, shards: [plain] });
  /** What the agent held before and after twenty probes, and their outcomes. */
  const observe = async () => {
    const before = await instancesOf(consul, 'redis');
    const count = reports.length;
    await waitFor('twenty more probes', () => reports.length >= count + 20);
    const changes = reports.slice(count).filter(({ outcome }) => outcome.kind !== 'unchanged');
    return { before, after: await instancesOf(consul, 'redis'), changes };
  };
  // The role by the record comes a moment after the registration. On a busy machine a probe may come too late.
  const isSame = ({ before, after, changes }: Awaited<ReturnType<typeof observe>>) =>
    changes.length === 0 && JSON.stringify(before) === JSON.stringify(after);
  t.ok(isSame(await waitFor('a time without a change', observe, { until: isSame })));
});

t.test('a foreign service with the id of an instance stays as it is, and the check reports it', async (t) => {
  const wish = {
    kind: 'redis',
    address: await sandbox.address(),
    name: 'taken',
    more: { deregisterOnStop: true },
  } as const;
  const { spec } = makeInstance(wish);
  await consul.put('/v1/agent/service/register', { Name: 'pirate', ID: spec.id, Port: 7, Tags: ['theirs'] });
  t.teardown(() => consul.put(`/v1/agent/service/deregister/${spec.id}`));
  const { part, reports, stop } = startRegistrar(t, { consul, instances: [wish] });
  const held = () => reports.filter(({ key, outcome }) => key === spec.id && outcome.kind === 'held').length;
  await waitFor('some runs', held, { until: (count) => count >= 5 });
  t.match(part.instances.list(), [
    { check: { status: 'critical', output: /belongs to a service pirate that no registrar/ } },
  ]);
  t.match(await consul.get('/v1/agent/services'), { [spec.id]: { Service: 'pirate', Tags: ['theirs'] } });
  await stop();
  t.match(await consul.get('/v1/agent/services'), { [spec.id]: { Service: 'pirate' } }, 'it stays at the end, too');
});

t.test('a change of the record changes tags, and no check flaps', async (t) => {
  const registrar = await register(t, { consul, shards: [returning] });
  const { name, master } = returning;
  const replica = replicaOf(returning);
  const statuses = new Set<string>();
  const stopWatch = repeat(async () => {
    for (const { Service, Checks } of await instancesOf(consul, 'redis')) {
      for (const { CheckID, Status } of Checks)
        if (Service.ID === idOf(replica)) statuses.add(`${CheckID.split(':').at(-1)} ${Status}`);
    }
  });
  // In the order of a failover: ROLE first, the record as soon as it is announced.
  await replica.command('REPLICAOF', 'NO', 'ONE');
  await master.command('REPLICAOF', replica.address.host, replica.address.port);
  await putRecordOf(consul, { name, master: replica.address, replicas: [master.address], epoch: 2 });
  await waitFor('the tags to follow', () => instanceOf(consul, idOf(replica)), {
    until: (one) => one?.Service.Tags.join() === 'returning,master',
  });
  await waitFor('the tags to follow', () => instanceOf(consul, idOf(master)), {
    until: (one) => one?.Service.Tags.join() === 'returning,replica',
  });
  const looks = registrar.reports.length;
  await waitFor('ten more probes', () => registrar.reports.length > looks + 10);
  await stopWatch();
  t.notOk(
    [...statuses].some((status) => status.endsWith('critical')),
    [...statuses].join(),
  );
  t.ok(registrar.part.ready().ready);
});

t.test('a former master that returns as a master is critical from its first second, and never passes', async (t) => {
  // The record has the former replica as its master now.
  const { name, master } = returning;
  const replica = replicaOf(returning);
  const registrar = startRegistrar(t, {
    consul,
    instances: [{ kind: 'redis', name, address: master.address, checks: { consulIntervalMs: 60_000 } }],
  });
  await untilSays(consul, idOf(master), 'passing: answers');
  await master.kill();
  await untilSays(consul, idOf(master), 'critical: refuses connections');
  const seen: Registered['Checks'][number][] = [];
  const stopWatch = repeat(async () => {
    const one = await instanceOf(consul, idOf(master));
    seen.push(...(one?.Checks ?? []).filter(({ CheckID }) => CheckID.endsWith(':switchmaster')));
  });
  await master.start();
  await master.command('REPLICAOF', 'NO', 'ONE');
  await untilSays(consul, idOf(master), 'critical: answers as a master, but the record has it as a replica');
  const looks = registrar.reports.length;
  await waitFor('ten more probes', () => registrar.reports.length > looks + 10);
  await stopWatch();
  t.ok(seen.length > 10);
  t.strictSame(
    seen.filter(({ Status }) => Status !== 'critical'),
    [],
  );
  await master.command('REPLICAOF', replica.address.host, replica.address.port);
  await untilSays(consul, idOf(master), 'passing: answers');
});

t.test('without the daemon a healthy Redis stays in DNS, and a dead one leaves it', async (t) => {
  const registrar = await register(t, { consul, shards: [outlived] });
  await registrar.stop();
  const id = idOf(outlived.master);
  const before = await instanceOf(consul, id);
  await replicaOf(outlived).kill();
  await waitFor('the dead one to leave DNS', () => consul.dnsA('outlived.redis.service.consul'), {
    until: (addresses) => addresses.join() === outlived.master.address.host,
  });
  t.strictSame(await instanceOf(consul, id), before);
});

t.test('an instance that leaves the config is deregistered, and foreign services stay', async (t) => {
  await consul.put('/v1/agent/service/register', { Name: 'redis', ID: 'foreign', Port: 1 });
  const { address } = plain.master;
  const registrar = startRegistrar(t, { consul, instances: [{ kind: 'redis', address }] });
  await waitFor('the others to be gone', () => instancesOf(consul, 'redis'), {
    until: (all) =>
      all
        .map(({ Service }) => Service.ID)
        .sort()
        .join() === ['foreign', idOf(plain.master)].join(),
  });
  await waitFor('its name to be found', () => instanceOf(consul, idOf(plain.master)), {
    until: (one) => one?.Service.Tags.join() === 'plain,master',
  });
  await registrar.stop();
  t.ok(await instanceOf(consul, idOf(plain.master)), 'a stopped daemon leaves it');
  startRegistrar(t, { consul, instances: [] });
  await waitFor('it to be gone too', () => instancesOf(consul, 'redis'), { until: (all) => all.length === 1 });
});

t.test('the registrar discovers instances by the records', async (t) => {
  await putRecordOf(consul, { name: 'plain', master: plain.master.address, replicas: [] });
  const { spec } = makeInstance({ kind: 'redis', address: plain.master.address });
  const { id: _, address: __, origin: ___, ...pattern } = spec;
  startRegistrar(t, {
    consul,
    instances: [],
    discoveries: [{ discovery: { pattern, hosts: [], matches: (name) => name.startsWith('plain') }, access: {} }],
    nodeHosts: plain.servers.map(({ address }) => address.host),
  });
  await untilSays(consul, idOf(plain.master), 'passing: answers');
  t.notOk(await instanceOf(consul, idOf(replicaOf(plain))));
  await putRecordOf(consul, {
    name: 'plain',
    master: plain.master.address,
    replicas: [replicaOf(plain).address],
    epoch: 2,
  });
  await untilSays(consul, idOf(replicaOf(plain)), 'passing: answers');
  await putRecordOf(consul, { name: 'plain', master: plain.master.address, epoch: 3 });
  await waitFor('the replica to go with the record', () => instanceOf(consul, idOf(replicaOf(plain))), {
    until: (one) => one === undefined,
  });
  await consul.delete('/v1/kv/redis/record/plain');
  t.ok(await instanceOf(consul, idOf(plain.master)), 'a record that is gone says nothing');
  await putRecordOf(consul, { name: 'plainer', master: plain.master.address });
  await waitFor('it to be known by its new name', () => instanceOf(consul, idOf(plain.master)), {
    until: (one) => one?.Service.Tags.join() === 'plainer,master',
  });
});

t.test('a reload deregisters only what left the config, even with deregisterOnStop', async (t) => {
  const configOf = (servers: readonly RedisServer[], more: Record<string, unknown>) => ({
    consul: { address: consul.url },
    environment: 'reloaded',
    register: servers.map(({ address }) => ({
      kind: 'redis',
      address: formatAddress(address),
      deregisterOnStop: true,
      ...more,
    })),
  });
  const { master, servers } = outlived;
  await replicaOf(outlived).start();
  const daemon = await sandbox.switchmaster({ config: configOf(servers, {}) });
  const createdAt = async () => {
    const all =
      (await consul.get<{ Service: { ID: string; CreateIndex: number } }[]>('/v1/health/service/redis')) ?? [];
    return all.find(({ Service }) => Service.ID === idOf(master))?.Service.CreateIndex;
  };
  const before = await createdAt();
  t.type(before, 'number');
  daemon.writeConfig(configOf([master], { tags: ['tagged'] }));
  await daemon.kill('SIGHUP');
  await waitFor('the tag', () => instanceOf(consul, idOf(master)), {
    until: (one) => one?.Service.Tags.join() === 'reloaded,tagged',
  });
  await waitFor('the other to be gone', () => instanceOf(consul, idOf(replicaOf(outlived))), {
    until: (one) => one === undefined,
  });
  t.equal(await createdAt(), before, 'it was never deregistered');
  await daemon.stop();
  await waitFor('it to go with the daemon', () => instanceOf(consul, idOf(master)), {
    until: (one) => one === undefined,
  });
});

t.test('an agent that lost its state gets all registrations again', async (t) => {
  await register(t, { consul, shards: [plain] });
  await consul.restart();
  await waitFor('both to be there again', () => instancesOf(consul, 'redis'), {
    until: (all) => all.length === 2 && all.every(({ Checks }) => Checks.every(({ Status }) => Status === 'passing')),
  });
  await untilSays(consul, idOf(plain.master), 'passing: answers');
});
