import { ConsulClient } from '../../../lib/client/consul.ts';
import type { RedisAccess } from '../../../lib/client/redis-connection.ts';
import { CatalogWatches } from '../../../lib/consul/watches.ts';
import type { RunReport } from '../../../lib/loop/outcome.ts';
import { type Address, type Endpoint, formatAddress } from '../../../lib/model/address.ts';
import type { CheckSettings, InstanceSpec } from '../../../lib/model/instance.ts';
import { instanceId } from '../../../lib/model/instance.ts';
import type { InstanceKind } from '../../../lib/model/instance-kinds.ts';
import { formatRecord, type MasterRecord } from '../../../lib/model/record.ts';
import { RegistrarPart, type WantedDiscovery } from '../../../lib/registrar/part.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { RedisServer, Shard } from '../../sandbox/redis.ts';
import type { TestLike } from '../../sandbox/sandbox.ts';
import { stopWith } from './stopping.ts';

const quickChecks: CheckSettings = {
  intervalMs: 80,
  timeoutMs: 300,
  consulIntervalMs: 1_000,
  consulTimeoutMs: 500,
  fall: 2,
  rise: 2,
  maxLagMs: 30_000,
  maxLinkDownMs: 60_000,
};

export interface InstanceSetup {
  readonly kind: InstanceKind;
  readonly address: Endpoint;
  readonly name?: string;
  readonly access?: RedisAccess;
  readonly checks?: Partial<CheckSettings>;
  readonly more?: Partial<InstanceSpec>;
}

export function makeInstance(setup: InstanceSetup): { readonly spec: InstanceSpec; readonly access: RedisAccess } {
  const { kind, address, name, access = {}, checks = {}, more = {} } = setup;
  const spec: InstanceSpec = {
    id: instanceId(kind, address),
    kind,
    ...(name === undefined ? {} : { name }),
    address,
    tags: [],
    meta: {},
    checks: { ...quickChecks, ...checks },
    origin: 'configured',
    isolation: 'ignore',
    deregisterOnStop: false,
    ...more,
  };
  return { spec, access };
}

export interface RunningRegistrar {
  readonly part: RegistrarPart;
  readonly reports: readonly RunReport[];
  stop(): Promise<void>;
}

/** Runs a registrar in this process until the test ends. */
export function startRegistrar(
  t: Pick<TestLike, 'teardown'>,
  setting: {
    readonly consul: ConsulAgent;
    readonly instances: readonly InstanceSetup[];
    readonly discoveries?: readonly WantedDiscovery[];
    readonly environment?: string | undefined;
    readonly nodeHosts?: readonly string[] | (() => readonly string[]);
  },
): RunningRegistrar {
  const { nodeHosts = [] } = setting;
  const client = new ConsulClient(setting.consul.http);
  const watches = new CatalogWatches({ client, limits: { backoff: { initialMs: 20, maxMs: 200 } } });
  const reports: RunReport[] = [];
  const part = new RegistrarPart({
    client,
    watches,
    naming: { environment: setting.environment },
    instances: setting.instances.map(makeInstance),
    discoveries: setting.discoveries ?? [],
    wantedScope: () => undefined,
    nodeHosts: typeof nodeHosts === 'function' ? nodeHosts : () => nodeHosts,
    onReport: (report) => reports.push(report),
  });
  const stop = stopWith(t, { part, watches, client });
  part.start();
  return { part, reports, stop };
}

export function replicaOf(shard: Shard): RedisServer {
  const [replica] = shard.replicas;
  if (replica === undefined) throw new Error(`${shard.name} has no replica`);
  return replica;
}

export function idOf(server: RedisServer): string {
  return `redis-${formatAddress(server.address)}`;
}

/** Writes a record for each shard, registers all servers of the shards, and waits until all checks pass. */
export async function register(
  t: Pick<TestLike, 'teardown'>,
  setting: {
    readonly consul: ConsulAgent;
    readonly shards: readonly Shard[];
    readonly checks?: Partial<CheckSettings>;
    /** More instances to register. Their checks need not pass. */
    readonly others?: readonly InstanceSetup[];
  },
): Promise<RunningRegistrar> {
  const { consul, shards, checks = {}, others = [] } = setting;
  const setups: InstanceSetup[] = [];
  for (const { name, master, replicas, servers, password } of shards) {
    await putRecordOf(consul, { name, master: master.address, replicas: replicas.map(({ address }) => address) });
    const access = password === undefined ? {} : { password };
    setups.push(...servers.map(({ address }) => ({ kind: 'redis', name, address, checks, access }) as const));
  }
  const registrar = startRegistrar(t, { consul, instances: [...setups, ...others] });
  const servers = shards.flatMap((shard) => shard.servers);
  await waitFor('all instances to pass', () => Promise.all(servers.map((server) => instanceOf(consul, idOf(server)))), {
    until: (all) => all.every((one) => one?.Checks.every(({ Status }) => Status === 'passing')),
    timeoutMs: 60_000,
  });
  return registrar;
}

export interface Registered {
  readonly Service: {
    readonly ID: string;
    readonly Address: string;
    readonly Port: number;
    readonly Tags: readonly string[];
    readonly Meta: Readonly<Record<string, string>>;
    readonly ModifyIndex: number;
  };
  readonly Checks: readonly {
    readonly CheckID: string;
    readonly Status: string;
    readonly Output: string;
    readonly Notes: string;
    readonly ModifyIndex: number;
  }[];
}

/** Instances of a service in the catalog. */
export async function instancesOf(consul: ConsulAgent, service: string): Promise<readonly Registered[]> {
  return (await consul.get<Registered[]>(`/v1/health/service/${service}`)) ?? [];
}

export async function instanceOf(consul: ConsulAgent, id: string): Promise<Registered | undefined> {
  for (const service of ['redis', 'redis-sentinel', 'redis-cluster', 'redis-proxy']) {
    const found = (await instancesOf(consul, service)).find(({ Service }) => Service.ID === id);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * `status: output` of the daemon's check, by the agent itself: into the catalog it lets an output that changes alone
 * only some minutes later. undefined if there is none.
 */
async function saysOf(consul: ConsulAgent, id: string): Promise<string | undefined> {
  const checks = await consul.get<Record<string, Registered['Checks'][number]>>('/v1/agent/checks');
  const check = checks?.[`${id}:switchmaster`];
  return check === undefined ? undefined : `${check.Status}: ${check.Output}`;
}

export function untilSays(consul: ConsulAgent, id: string, what: string, timeoutMs = 30_000): Promise<unknown> {
  return waitFor(`${id} to say ${what}`, () => saysOf(consul, id), { until: (said) => said === what, timeoutMs });
}

/** A record as a bridge would write it. */
export async function putRecordOf(
  consul: ConsulAgent,
  record: {
    readonly name: string;
    readonly master: Address;
    readonly replicas?: readonly Address[];
    readonly epoch?: number;
  },
): Promise<void> {
  const { name, master, replicas = [], epoch = 1 } = record;
  const full: MasterRecord = {
    version: 1,
    name,
    generation: 1,
    epoch,
    phase: 'confirmed',
    master,
    replicas,
    previous: null,
    reason: 'test',
    changedAt: new Date().toISOString(),
    changedBy: 'test',
  };
  await consul.putKey(`redis/record/${name}`, formatRecord(full));
}
