import { toClusterView } from '../../../lib/client/cluster-shapes.ts';
import { ConsulClient } from '../../../lib/client/consul.ts';
import { ClusterPart, type WantedCluster } from '../../../lib/cluster/part.ts';
import { CatalogWatches } from '../../../lib/consul/watches.ts';
import type { RunReport } from '../../../lib/loop/outcome.ts';
import { MaintenanceMemory } from '../../../lib/maintenance/memory.ts';
import { MaintenancePart } from '../../../lib/maintenance/part.ts';
import { type Address, type Endpoint, formatAddress } from '../../../lib/model/address.ts';
import { type ClusterRecord, type ClusterView, parseClusterRecord, slotCount } from '../../../lib/model/cluster.ts';
import { clusterKey } from '../../../lib/model/naming.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { RedisConfig, RedisServer } from '../../sandbox/redis.ts';
import { RespConnection } from '../../sandbox/resp.ts';
import type { Sandbox, TestLike } from '../../sandbox/sandbox.ts';
import { stopWith } from './stopping.ts';

export interface RunningCluster {
  readonly name: string;
  readonly nodes: readonly RedisServer[];
}

export interface ClusterSetup {
  readonly name: string;
  readonly masters?: number;
  /** Nodes that belong to no cluster yet, after all others. */
  readonly spares?: number;
  readonly program?: string;
  readonly password?: string;
  /** More settings of each node, by its number. */
  readonly configs?: readonly RedisConfig[];
  /** The settings that keep replicas from changing masters by themselves. Default: those of 7.0 and later. */
  readonly still?: RedisConfig;
  /** The ports at which the nodes meet each other. Default: those that they listen on. */
  readonly ports?: readonly number[];
}

/** A Redis Cluster of three masters with a replica each: nodes 0 to 2 begin as masters, 3 to 5 as their replicas. */
export async function startCluster(sandbox: Sandbox, setup: ClusterSetup): Promise<RunningCluster> {
  const { name, masters: count = 3, spares = 0, ports = [] } = setup;
  const all = await Promise.all(Array.from({ length: 2 * count + spares }, (_, i) => clusterNode(sandbox, setup, i)));
  const nodes = all.slice(0, 2 * count);
  const [first, ...others] = nodes as [RedisServer, ...RedisServer[]];
  const share = Math.ceil(slotCount / count);
  for (const [i, node] of nodes.slice(0, count).entries()) {
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    await addSlots(node, { from: i * share, to: Math.min((i + 1) * share, slotCount) - 1 });
  }
  for (const [i, { address }] of others.entries()) {
    await first.command('CLUSTER', 'MEET', address.host, ports[i + 1] ?? address.port);
  }
  for (const node of nodes) {
    await waitFor(`${node.name} to know all`, () => viewOf(node), {
      until: ({ shards }) => shards.flatMap((shard) => shard.nodes).length === nodes.length,
    });
  }
  for (const [i, replica] of nodes.slice(count).entries()) {
    await replica.command('CLUSTER', 'REPLICATE', await idOf(nodes[i] as RedisServer));
  }
  for (const node of nodes) {
    await waitFor(`${node.name} to be ready`, () => viewOf(node), {
      until: ({ state, shards }) =>
        state === 'ok' && shards.length === count && shards.every((s) => s.nodes.length === 2),
      timeoutMs: 45_000,
    });
  }
  for (const replica of nodes.slice(count)) {
    await waitFor(`${replica.name} to be in step`, () => replica.command('ROLE'), {
      until: (role) => Array.isArray(role) && role[3] === 'connected',
    });
  }
  return { name, nodes: all };
}

/** Nodes see a replica load until its master sends the first ping, and each of them hears of that at another time. */
export async function allOnline(
  { nodes }: RunningCluster,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<void> {
  const seen = async () => JSON.stringify(await Promise.all(nodes.map((node) => node.command('CLUSTER', 'SHARDS'))));
  const until = (text: string) => text.includes('"online"') && !/"(fail|loading)"/.test(text);
  await waitFor('all nodes to be online to all', seen, { until, timeoutMs });
}

async function clusterNode(sandbox: Sandbox, setup: ClusterSetup, index: number): Promise<RedisServer> {
  const { name, program, password, configs, still = { 'cluster-allow-replica-migration': 'no' } } = setup;
  const config = {
    'cluster-enabled': 'yes',
    'cluster-node-timeout': '1500',
    'cluster-require-full-coverage': 'no',
    ...still,
    ...configs?.[index],
  };
  const shard = await sandbox.redis({
    name: `${name}-${index + 1}`,
    replicas: 0,
    config,
    ...(program === undefined ? {} : { program }),
    ...(password === undefined ? {} : { password }),
  });
  return shard.master;
}

/** ADDSLOTSRANGE for versions before 7.0. */
async function addSlots(node: RedisServer, range: { readonly from: number; readonly to: number }): Promise<void> {
  const slots = Array.from({ length: range.to - range.from + 1 }, (_, i) => range.from + i);
  await node.command('CLUSTER', 'ADDSLOTS', ...slots);
}

export async function meet(member: RedisServer, node: RedisServer): Promise<void> {
  await member.command('CLUSTER', 'MEET', node.address.host, node.address.port);
}

export async function idOf(node: RedisServer): Promise<string> {
  return String(await node.command('CLUSTER', 'MYID'));
}

export async function viewOf(node: RedisServer): Promise<ClusterView> {
  const ask = (name: string) => node.command('CLUSTER', name);
  const shards = await ask('SHARDS').catch((error: Error) => error);
  const nodes = shards instanceof Error ? await ask('NODES') : undefined;
  return toClusterView([await ask('MYID'), await ask('INFO'), shards], { at: node.address, tls: 'plain', nodes });
}

/** Moves slots with their keys, as redis-cli --cluster reshard does, several at a time. */
export async function moveSlots(move: {
  readonly from: RedisServer;
  readonly to: RedisServer;
  readonly slots: readonly number[];
}): Promise<void> {
  const ids = { from: await idOf(move.from), to: await idOf(move.to) };
  const [from, to] = (await Promise.all(
    [move.from, move.to].map(({ address }) => RespConnection.open(address, { timeoutMs: 10_000 })),
  )) as [RespConnection, RespConnection];
  const target = move.to.address;
  const moveOne = async (slot: number): Promise<void> => {
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids.from);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids.to);
    for (;;) {
      const keys = (await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
      if (keys.length === 0) break;
      await from.command('MIGRATE', target.host, target.port, '', 0, 5_000, 'KEYS', ...keys);
    }
    await to.command('CLUSTER', 'SETSLOT', slot, 'NODE', ids.to);
    await from.command('CLUSTER', 'SETSLOT', slot, 'NODE', ids.to);
  };
  const left = [...move.slots];
  const work = async (): Promise<void> => {
    for (let slot = left.shift(); slot !== undefined; slot = left.shift()) await moveOne(slot);
  };
  try {
    await Promise.all(Array.from({ length: 10 }, work));
  } finally {
    from.close();
    to.close();
  }
}

/** Follows clusters in this process until the test ends. */
export function startFollower(
  t: Pick<TestLike, 'teardown'>,
  setting: {
    readonly consul: Pick<ConsulAgent, 'http'>;
    readonly id?: string;
    /** When a shard may be failed over again. Default: at once. */
    readonly settled?: 'at-once' | 'by-cluster';
    readonly onReport?: (report: RunReport) => void;
    readonly clusters: readonly (Pick<WantedCluster, 'name' | 'seeds'> & Partial<WantedCluster>)[];
    /** The cluster nodes that its daemon registers. */
    readonly localNodes?: () => readonly Endpoint[];
  },
): {
  readonly part: ClusterPart;
  readonly maintenance: MaintenancePart;
  readonly reports: readonly RunReport[];
  stop(): Promise<void>;
} {
  const client = new ConsulClient(setting.consul.http);
  const watches = new CatalogWatches({ client });
  const reports: RunReport[] = [];
  const onReport = (report: RunReport) => {
    reports.push(report);
    setting.onReport?.(report);
  };
  const naming = { environment: undefined };
  const maintenance = new MaintenancePart({ client, watches, naming, memory: new MaintenanceMemory(), onReport });
  const part = new ClusterPart({
    client,
    watches,
    naming,
    bridgeId: setting.id ?? 'follower',
    ...(setting.settled === 'by-cluster' ? {} : { settledAfterMs: 0 }),
    clusters: setting.clusters.map((cluster) => ({
      access: {},
      resyncMs: 200,
      onCrash: 'wait',
      crashAfterMs: 60,
      ...cluster,
    })),
    ...(setting.localNodes === undefined ? {} : { localNodes: setting.localNodes }),
    maintenance,
    onReport,
  });
  const stop = stopWith(t, { part, maintenance, watches, client });
  maintenance.start();
  part.start();
  return { part, maintenance, reports, stop };
}

export async function clusterRecordOf(consul: ConsulAgent, name: string): Promise<ClusterRecord | undefined> {
  const text = await consul.key(clusterKey({ environment: undefined }, name));
  return text === undefined ? undefined : parseClusterRecord(text);
}

export function untilRecord(
  consul: ConsulAgent,
  name: string,
  setup: { readonly what: string; readonly until: (record: ClusterRecord) => boolean },
): Promise<ClusterRecord | undefined> {
  return waitFor(`the record of ${name} to show ${setup.what}`, () => clusterRecordOf(consul, name), {
    until: (record) => record !== undefined && setup.until(record),
    timeoutMs: 45_000,
  });
}

export function mastersOf(record: ClusterRecord | undefined): readonly string[] {
  return (record?.shards ?? []).flatMap(({ master }) => (master === null ? [] : formatAddress(master))).sort();
}

export function addressesOf(servers: readonly { readonly address: Address }[]): readonly string[] {
  return servers.map(({ address }) => formatAddress(address)).sort();
}
