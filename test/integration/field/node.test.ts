import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import {
  idOf,
  instanceOf,
  makeInstance,
  putRecordOf,
  replicaOf,
  startRegistrar,
  untilSays,
} from '../support/registering.ts';

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-node' });
const [consul, plain] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'plain' })]);
const replica = replicaOf(plain);
await putRecordOf(consul, { name: 'plain', master: plain.master.address, replicas: [replica.address] });

/** As under systemd's RestrictAddressFamilies without AF_NETLINK. */
function refuseInterfaces(): never {
  throw new Error('A system error occurred: uv_interface_addresses returned Unknown system error 97');
}

t.test(
  "maintenance mode of the service and of the node, and another tool's check stay through a change of role",
  async (t) => {
    const { stop } = startRegistrar(t, {
      consul,
      instances: [{ kind: 'redis', name: 'plain', address: replica.address }],
    });
    const id = idOf(replica);
    await untilSays(consul, id, 'passing: answers');
    await consul.put(`/v1/agent/service/maintenance/${id}?enable=true&reason=disk`, '');
    await consul.put('/v1/agent/maintenance?enable=true', '');
    const check = { ID: 'other-tool', Name: 'disk', ServiceID: id, TTL: '10m', Status: 'passing' };
    await consul.put('/v1/agent/check/register', JSON.stringify(check));
    await putRecordOf(consul, { name: 'plain', master: replica.address, replicas: [plain.master.address], epoch: 2 });
    const changed = await waitFor('the new role', () => instanceOf(consul, id), {
      until: (one) => one?.Service.Tags.includes('master') === true,
    });
    const ids = changed?.Checks.map(({ CheckID }) => CheckID) ?? [];
    for (const kept of [
      '_node_maintenance',
      `_service_maintenance:${id}`,
      'other-tool',
      `${id}:consul`,
      `${id}:switchmaster`,
    ])
      t.ok(ids.includes(kept), kept);
    await putRecordOf(consul, { name: 'plain', master: plain.master.address, replicas: [replica.address], epoch: 3 });
    await consul.put(`/v1/agent/service/maintenance/${id}?enable=false`, '');
    await consul.put('/v1/agent/maintenance?enable=false', '');
    await consul.put('/v1/agent/check/deregister/other-tool', '');
    await stop();
  },
);

t.test('weights, meta, tagged addresses and added tags of somebody else stay through a change of role', async (t) => {
  const { stop } = startRegistrar(t, {
    consul,
    instances: [{ kind: 'redis', name: 'plain', address: replica.address, more: { meta: { rack: 'r1' } } }],
  });
  const id = idOf(replica);
  const held = await waitFor('the registration', () => heldService(id), { until: (one) => one?.Meta?.rack === 'r1' });
  const others = {
    Weights: { Passing: 7, Warning: 2 },
    EnableTagOverride: true,
    TaggedAddresses: { virtual: { Address: '192.0.2.9', Port: 99 } },
  };
  const { Service: Name, ID, Tags, Address, Port } = held ?? {};
  const Meta = { ...held?.Meta, team: 'billing', rack: 'wrong', configured: 'rack gone', gone: 'x' };
  const other = { ID, Name, Tags: [...(Tags ?? []), 'canary'], Address, Port, Meta, ...others };
  await consul.put('/v1/agent/service/register', JSON.stringify(other));
  await putRecordOf(consul, { name: 'plain', master: replica.address, replicas: [plain.master.address], epoch: 4 });
  const changed = await waitFor('the new role', () => heldService(id), {
    until: (one) => one?.Tags?.includes('master') === true,
  });
  t.same(changed?.Tags?.toSorted(), ['canary', 'master', 'plain']);
  t.match(changed, others);
  t.match(changed?.Meta, { team: 'billing', rack: 'r1', role: 'master', configured: 'rack' });
  t.notOk(Object.hasOwn(changed?.Meta ?? {}, 'gone'), 'a key that left the config');
  await putRecordOf(consul, { name: 'plain', master: plain.master.address, replicas: [replica.address], epoch: 5 });
  const back = await waitFor('the former role', () => heldService(id), {
    until: (one) => one?.Tags?.includes('replica') === true,
  });
  t.same(back?.Tags?.toSorted(), ['canary', 'plain', 'replica']);
  await consul.put('/v1/agent/service/register', JSON.stringify({ ...other, EnableTagOverride: false }));
  const bare = await waitFor('its own tags', () => heldService(id), { until: (one) => one?.Tags?.length === 2 });
  t.match(bare, { EnableTagOverride: false, Weights: others.Weights, Meta: { team: 'billing' } });
  await stop();
});

interface AgentService {
  readonly ID: string;
  readonly Service: string;
  readonly Tags: readonly string[] | null;
  readonly Address: string;
  readonly Port: number;
  readonly Meta: Readonly<Record<string, string>> | null;
}

async function heldService(id: string): Promise<AgentService | undefined> {
  return (await consul.get<Record<string, AgentService>>('/v1/agent/services'))?.[id];
}

t.test('if the interfaces cannot be listed, only the instances that they would find are missing', async (t) => {
  const { spec } = makeInstance({ kind: 'redis', address: replica.address });
  const kept = { checks: spec.checks, deregisterOnStop: false, isolation: 'ignore' } as const;
  const pattern = { kind: 'redis', tags: [], meta: {}, ...kept } as const;
  const discoveries = [{ discovery: { pattern, hosts: [], matches: () => true }, access: {} }];
  const instances = [{ kind: 'redis', name: 'plain', address: plain.master.address } as const];
  const nodeHosts = [replica.address.host];
  const first = startRegistrar(t, { consul, instances, discoveries, nodeHosts });
  await untilSays(consul, idOf(plain.master), 'passing: answers');
  await untilSays(consul, idOf(replica), 'passing: answers');
  await first.stop();
  const second = startRegistrar(t, { consul, instances, discoveries, nodeHosts: refuseInterfaces });
  await waitFor('readiness', () => second.part.ready(), { until: ({ ready }) => ready });
  await waitFor('the removal of what is not needed', () => second.reports.some(({ key }) => key === '(surplus)'));
  t.match(await instanceOf(consul, idOf(replica)), { Service: { Tags: ['plain', 'replica'] } }, 'it stays registered');
  await waitFor('the tags of the master', () => instanceOf(consul, idOf(plain.master)), {
    until: (instance) => String(instance?.Service.Tags) === 'plain,master',
  });
  await second.stop();
});
