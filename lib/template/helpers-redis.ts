import { type Address, formatAddress } from '../model/address.ts';
import { instanceKinds } from '../model/instance-kinds.ts';
import { parseJsonObject } from '../model/json.ts';
import { clusterKey, recordKey, recordPrefix } from '../model/naming.ts';
import { publishedAddress } from '../model/publish.ts';
import type { MasterRecord } from '../model/record.ts';
import { type RecordsReading, readRecords } from '../model/records.ts';
import { type HelperCall, type HelperDefinition, templateFailure, textArgument } from './helper.ts';
import { planListeners } from './listeners.ts';
import { plainNumbers } from './number.ts';
import { planPools } from './pools.ts';
import { readReplicaHealth } from './replica-health.ts';
import type { RenderScope, RenderWorld } from './scope.ts';
import { formatServiceQuery, makeServiceQuery } from './service-query.ts';
import { readInstances } from './service-reads.ts';

/** Helpers that read the records that bridges write. */
export const redisHelpers = {
  redisMasters: {
    kind: 'value',
    takes: [0, 0],
    usage: '(redisMasters)',
    run: ({ scope }) => (readMasters(scope)?.records ?? []).map((record) => showMaster(record, scope.world)),
  },
  redisMaster: {
    kind: 'value',
    takes: [1, 1],
    usage: '(redisMaster "shard1")',
    run(call) {
      const record = findRecord(call);
      return record === undefined ? undefined : showMaster(record, call.scope.world);
    },
  },
  redisReplicas: {
    kind: 'value',
    takes: [1, 1],
    options: ['all'],
    usage: '(redisReplicas "shard1" all=true)',
    run(call) {
      const name = textArgument(call, 0);
      const healthOf = readReplicaHealth(call.scope, name);
      const show = serverOf(name, call.scope.world);
      const replicas = findRecord(call)?.replicas ?? [];
      const shown = replicas.map((replica) => ({ ...show(replica), ...healthOf(replica) }));
      return call.options.all === true ? shown : shown.filter(({ readable }) => readable);
    },
  },
  redisListeners: {
    kind: 'value',
    takes: [1, 1],
    options: ['reserved'],
    usage: '(redisListeners vars.ports)',
    run(call) {
      const masters = (readMasters(call.scope)?.records ?? []).map((record) => showMaster(record, recorded));
      const listeners = planListeners({ masters, ports: plainNumbers(call.args[0]), reserved: call.options.reserved });
      for (const warning of listeners.warnings) call.scope.warnings.add(warning);
      return listeners;
    },
  },
  redisPools: {
    kind: 'value',
    takes: [1, 1],
    usage: '(redisPools vars)',
    run(call) {
      const reading = readMasters(call.scope);
      if (reading === undefined) return [];
      const masters = reading.records.map((record) => showMaster(record, recorded));
      const { pools, warnings } = planPools({ masters, vars: plainNumbers(call.args[0]) });
      for (const warning of warnings) call.scope.warnings.add(warning);
      return pools;
    },
  },
  redisSentinels: {
    kind: 'value',
    takes: [0, 0],
    usage: '(redisSentinels)',
    run(call) {
      const { environment } = call.scope.world;
      const { service } = instanceKinds.sentinel;
      const by = { filter: 'any', ...(environment === undefined ? {} : { tag: environment }) };
      const label = formatServiceQuery(service, by);
      const query = makeServiceQuery(service, by);
      return readInstances(call.scope, { query, label }).map(({ address: host, port, node, id, status }) => {
        return { host, port, address: formatAddress({ host, port }), node, id, status };
      });
    },
  },
  redisCluster: {
    kind: 'value',
    takes: [1, 1],
    usage: '(redisCluster "sessions")',
    run(call) {
      const name = textArgument(call, 0);
      const key = clusterKey(call.scope.world, name);
      const answer = call.scope.read({ kind: 'key', key });
      if (answer === undefined) return undefined;
      if (answer.value === undefined) throw templateFailure(`Consul holds no record of the cluster: no key "${key}".`);
      return readCluster(answer.value.value, { key, name });
    },
  },
} satisfies Record<string, HelperDefinition>;

function readCluster(text: string, { key, name }: { readonly key: string; readonly name: string }): unknown {
  const record = parseJsonObject(text);
  if (record !== undefined && Array.isArray(record.shards)) {
    // A copy that somebody made of another cluster's record.
    if (record.name === undefined || record.name === name) return record;
    throw templateFailure(
      `the key "${key}" in Consul holds the record of another cluster, ${JSON.stringify(record.name)}.`,
    );
  }
  throw templateFailure(`the key "${key}" in Consul does not hold a record of a cluster.`);
}

/** The records in the order of their names. What is no record is ignored: it concerns no other master. */
function readMasters(scope: RenderScope): RecordsReading | undefined {
  const prefix = recordPrefix(scope.world);
  scope.records = 'read';
  const answer = scope.read({ kind: 'key-tree', prefix });
  if (answer === undefined) return undefined;
  const { records, ignoredKeys } = readRecords(answer.value, prefix);
  for (const { name, master } of records) {
    scope.members.add(`master ${name}`);
    scope.masters.set(name, formatAddress(master));
  }
  return { records: records.toSorted((a, b) => (a.name < b.name ? -1 : 1)), ignoredKeys };
}

function findRecord(call: HelperCall): MasterRecord | undefined {
  const reading = readMasters(call.scope);
  if (reading === undefined) return undefined;
  const name = textArgument(call, 0);
  const record = reading.records.find((one) => one.name === name);
  if (record !== undefined) return record;
  const key = recordKey(call.scope.world, name);
  const damaged = reading.ignoredKeys.find((one) => one.key === key);
  if (damaged !== undefined) throw templateFailure(`${damaged.message}.`);
  const known = reading.records.map((one) => one.name).join(', ') || 'none';
  throw templateFailure(`Consul holds no record of the master "${name}" (known: ${known}).`);
}

/** For proxies: they connect to the servers as Sentinel does. */
const recorded: Pick<RenderWorld, 'publish'> = {};

function showMaster(
  { name, master, epoch, generation, phase, replicas }: MasterRecord,
  world: Pick<RenderWorld, 'publish'>,
) {
  const show = serverOf(name, world);
  return { name, ...show(master), epoch, generation, phase, replicas: replicas.map(show) };
}

/** The address for clients, and in `recorded` the one in the record. */
function serverOf(name: string, { publish }: Pick<RenderWorld, 'publish'>) {
  const describe = (address: Address) => ({ ...address, address: formatAddress(address) });
  return (address: Address) => ({
    ...describe(publishedAddress(publish, { name, address })),
    recorded: describe(address),
  });
}
