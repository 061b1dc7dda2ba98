import { BridgePart, type BridgePartOptions } from '../../../lib/bridge/part.ts';
import { ConsulClient } from '../../../lib/client/consul.ts';
import type { AccessConfig, SentinelConfig } from '../../../lib/config/model.ts';
import { CatalogWatches } from '../../../lib/consul/watches.ts';
import type { RunReport } from '../../../lib/loop/outcome.ts';
import { MaintenanceMemory } from '../../../lib/maintenance/memory.ts';
import { MaintenancePart } from '../../../lib/maintenance/part.ts';
import { type Address, formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { type MasterRecord, parseRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import type { TestLike } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import type { Registered } from './registering.ts';
import { stopWith } from './stopping.ts';

export interface BridgeSetting {
  readonly consul: Pick<ConsulAgent, 'http'>;
  readonly sentinels: readonly Pick<SentinelServer, 'address'>[];
  readonly id?: string;
  readonly environment?: string;
  /** Globs. Default: all. */
  readonly masters?: readonly string[];
  /** Default 1,000. */
  readonly resyncMs?: number;
  /** Default 10,000. */
  readonly rebaseAfterMs?: number;
  /** Default `promotion`. */
  readonly follow?: SentinelConfig['follow'];
  /** Default `demote`. */
  readonly fence?: SentinelConfig['fence'];
  /** Default `wait`. */
  readonly onCrash?: SentinelConfig['onCrash'];
  /** Default 60. */
  readonly crashAfterMs?: number;
  readonly localMasters?: BridgePartOptions['localMasters'];
  readonly localRedis?: BridgePartOptions['localRedis'];
  /** At Redis and at Sentinel. */
  readonly access?: AccessConfig;
  /** Default: its own. */
  readonly watches?: CatalogWatches;
  /** Gets each report as it happens. */
  readonly onReport?: (report: RunReport) => void;
  readonly onDecision?: (record: MasterRecord) => void;
  readonly onReboot?: (message: string) => void;
}

export interface Fence {
  readonly action: string;
  readonly address: string;
  readonly outcome: RunReport['outcome']['kind'];
  /** When it began and ended: milliseconds since 1970. */
  readonly atMs: number;
  readonly doneMs: number;
}

/** A bridge in this process, and every report of its loop. */
export interface RunningBridge {
  readonly part: BridgePart;
  readonly maintenance: MaintenancePart;
  readonly reports: readonly RunReport[];
  /** Everything that it has done to former masters. */
  readonly fences: readonly Fence[];
  /** The decisions that it gave to this node's renderers before Consul. */
  readonly decisions: readonly MasterRecord[];
  stop(options?: { readonly graceMs: number }): Promise<void>;
}

/** A bridge that stops with the test. */
export function startBridge(t: Pick<TestLike, 'teardown'>, setting: BridgeSetting): RunningBridge {
  const client = new ConsulClient(setting.consul.http);
  const watches = setting.watches ?? new CatalogWatches({ client });
  const reports: RunReport[] = [];
  const decisions: MasterRecord[] = [];
  const onReport = (report: RunReport) => {
    reports.push(report);
    setting.onReport?.(report);
  };
  const naming = { environment: setting.environment };
  const maintenance = new MaintenancePart({ client, watches, naming, memory: new MaintenanceMemory(), onReport });
  const part = new BridgePart({
    client,
    watches,
    naming,
    bridgeId: setting.id ?? 'bridge',
    settings: settingsOf(setting),
    localMasters: setting.localMasters ?? (() => []),
    localRedis: setting.localRedis ?? (() => []),
    onReboot: (message) => setting.onReboot?.(message),
    maintenance,
    onReport,
    onDecision: (record) => {
      decisions.push(record);
      setting.onDecision?.(record);
    },
    onLink: () => {},
  });
  const stop = stopWith(t, { part, maintenance, watches, client });
  maintenance.start();
  part.start();
  return {
    part,
    maintenance,
    reports,
    decisions,
    get fences() {
      return reports.filter(({ loop }) => loop === 'fence').map(toFence);
    },
    stop,
  };
}

function settingsOf(setting: BridgeSetting): SentinelConfig {
  const { sentinels, masters = ['*'], access = {}, follow = 'promotion', fence = 'demote' } = setting;
  return {
    addresses: sentinels.map(({ address }) => address),
    provision: false,
    masters,
    access,
    redis: access,
    resyncMs: setting.resyncMs ?? 1_000,
    roleDeadlineMs: 500,
    rebaseAfterMs: setting.rebaseAfterMs ?? 10_000,
    follow,
    fence,
    onCrash: setting.onCrash ?? 'wait',
    crashAfterMs: setting.crashAfterMs ?? 60,
  };
}

function toFence({ outcome, startedMs, durationMs }: RunReport): Fence {
  const details = ('details' in outcome ? outcome.details : undefined) ?? {};
  const { action, address } = details as { action: string; address: string };
  const atMs = performance.timeOrigin + startedMs;
  return { action, address, outcome: outcome.kind, atMs, doneMs: atMs + durationMs };
}

/** The record in Consul; undefined if the key holds none. */
export async function readRecord(
  consul: ConsulAgent,
  name: string,
  prefix = 'redis/',
): Promise<MasterRecord | undefined> {
  const value = await consul.key(`${prefix}record/${name}`);
  return value === undefined ? undefined : parseRecord(value);
}

export interface RecordWish {
  readonly master?: Pick<RedisServer, 'address'>;
  readonly phase?: MasterRecord['phase'];
  readonly prefix?: string;
  readonly timeoutMs?: number;
  readonly until?: (record: MasterRecord) => boolean;
}

/** Waits for the record of `name` as wished: by default confirmed. */
export async function recordOf(consul: ConsulAgent, name: string, wish: RecordWish = {}): Promise<MasterRecord> {
  const { master, phase = 'confirmed', prefix, timeoutMs = 60_000, until = () => true } = wish;
  const wished = (record: MasterRecord | undefined) =>
    record?.phase === phase && (master === undefined || sameAddress(record.master, master.address)) && until(record);
  const at = master === undefined ? '' : ` at ${formatAddress(master.address)}`;
  const read = () => readRecord(consul, name, prefix);
  return (await waitFor(`a ${phase} record of ${name}${at}`, read, { until: wished, timeoutMs })) as MasterRecord;
}

/** The ModifyIndex of everything in Consul for one master. */
export async function written(consul: ConsulAgent, name: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const path of [`redis/record/${name}`, `redis/master/${name}?recurse`]) {
    const entries = (await consul.get<{ Key: string; ModifyIndex: number }[]>(`/v1/kv/${path}`)) ?? [];
    for (const { Key, ModifyIndex } of entries) found.set(`key ${Key}`, ModifyIndex);
  }
  const instances = await servicesOf(consul, name);
  for (const { Service, Checks } of instances) {
    found.set(`service ${Service.ID}`, Service.ModifyIndex);
    for (const { CheckID, ModifyIndex } of Checks) found.set(`check ${CheckID}`, ModifyIndex);
  }
  return found;
}

export interface Instance extends Registered {
  readonly Node: {
    readonly Node: string;
    readonly Address: string;
    readonly Meta: Readonly<Record<string, string>>;
  };
}

/** The instances of redis-master and redis-replica of one master. */
export async function servicesOf(consul: ConsulAgent, name: string): Promise<readonly Instance[]> {
  const lists = await Promise.all(
    ['redis-master', 'redis-replica'].map((service) =>
      consul.get<Instance[]>(`/v1/health/service/${service}?tag=${name}`),
    ),
  );
  return lists.flatMap((list) => list ?? []);
}

/** Outcomes of one master's runs, such as `applied failover`. */
export function outcomes(bridges: readonly RunningBridge[], name: string): readonly string[] {
  const reports = bridges.flatMap(({ reports }) => reports).filter(({ key }) => key === name);
  return reports.map(({ outcome }) => {
    const cause = 'details' in outcome ? outcome.details?.cause : undefined;
    return cause === undefined ? outcome.kind : `${outcome.kind} ${String(cause)}`;
  });
}

/** Has a Sentinel start a failover; nothing happens while one is under way. */
export async function failOver(sentinel: SentinelServer, name: string): Promise<void> {
  const start = async () => {
    try {
      await sentinel.command('SENTINEL', 'FAILOVER', name);
    } catch (error) {
      // Sentinel answers NOGOODSLAVE until it has recent INFO of a replica.
      if (!String(error).includes('INPROG')) throw error;
    }
    return true;
  };
  await waitFor(`${sentinel.name} to start a failover of ${name}`, start);
}

/**
 * Has a Sentinel fail over until it names the server at `address`. It gives up a failover whose replica it has not seen as one for long
 * enough. One answer has both the master and whether a failover is under way, so no order crosses the end of the one before.
 */
export async function failOverTo(sentinel: SentinelServer, name: string, address: Address): Promise<void> {
  const isThere = async () => {
    const { ip = '', port, flags } = await sentinel.masterInfo(name);
    // Until the end of a failover the leader names the former master, when the others have changed already.
    if (flags?.includes('failover_in_progress') !== false) return false;
    if (sameAddress({ host: ip, port: Number(port) }, address)) return true;
    await failOver(sentinel, name);
    return false;
  };
  const options = { until: Boolean, intervalMs: 50, timeoutMs: 60_000 };
  await waitFor(`${sentinel.name} to go to ${formatAddress(address)}`, isThere, options);
}

export function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined) throw new Error('the list is empty');
  return first;
}
