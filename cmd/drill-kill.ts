import type { RedisAccess } from '../lib/client/redis-connection.ts';
import type { Config } from '../lib/config/model.ts';
import type { DrilledShard, DrillOptions } from '../lib/drill/options.ts';
import type { Obstacle } from '../lib/drill/successor.ts';
import { SwitchmasterError } from '../lib/errors.ts';
import type { Address } from '../lib/model/address.ts';
import { parseDuration } from '../lib/model/duration.ts';
import { pathSafe } from '../lib/model/naming.ts';
import type { MasterRecord } from '../lib/model/record.ts';
import type { AskOptions } from './option.ts';
import { stripControls, styled } from './terminal.ts';

export interface KillOptions extends AskOptions {
  /** The master of a Redis Cluster to kill. */
  readonly node?: Address;
  readonly timeout?: string;
}

/** Sentinel alone waits for down-after-milliseconds, 30 s by default. */
const killTimeout = '90s';

/** A master that is killed: of Sentinels, or of a Redis Cluster. */
export interface KillTarget {
  /** As it was when something could take its place. */
  readonly record: MasterRecord;
  readonly shard: DrilledShard | undefined;
  readonly readRecord: () => Promise<MasterRecord | null>;
  /** The id of its process. Throws `failover-refused` where that is not proven, or nothing could take its place. */
  readonly findProcess: () => Promise<number>;
}

/** Waits until a replica could take the place of the master. */
export function findTarget(name: string, config: Config, options: KillOptions): Promise<KillTarget> {
  const { node } = options;
  return node === undefined ? findMaster(name, config, options) : findNode(name, config, { ...options, node });
}

async function findMaster(name: string, config: Config, options: KillOptions): Promise<KillTarget> {
  const { askMaster } = await import('./api-client.ts');
  const { requireSuccessor, whyNotKill } = await import('../lib/drill/successor.ts');
  const { revealAccess } = await import('../lib/config/reveal.ts');
  const ask = async () => {
    const known = await askMaster(name, options);
    return { ...known, record: requireRecord(name, known.record) };
  };
  const record = await awaitReady({ ask, whyNot: (known) => whyNotKill(known.record, known), ...options });
  return {
    record,
    shard: undefined,
    readRecord: async () => (await askMaster(name, options)).record,
    findProcess: async () => {
      requireSuccessor(whyNotKill(record, await askMaster(name, options)));
      return readProcess(record.master, revealAccess(config.sentinel?.redis ?? {}));
    },
  };
}

async function findNode(
  name: string,
  config: Config,
  options: KillOptions & { readonly node: Address },
): Promise<KillTarget> {
  const { ask } = await import('./api-client.ts');
  const { clusterAnswer } = await import('../lib/http/shapes.ts');
  const shards = await import('../lib/drill/shard.ts');
  const { requireSuccessor } = await import('../lib/drill/successor.ts');
  const { revealAccess } = await import('../lib/config/reveal.ts');
  const settings = config.cluster.find((cluster) => cluster.name === name);
  if (settings === undefined) throw new SwitchmasterError('not-found', `the config has no cluster ${name}`);
  const access = revealAccess(settings.access);
  const askCluster = () => ask({ api: options, path: `/v1/clusters/${pathSafe(name)}` }, clusterAnswer);
  const first = requireRecord(name, (await askCluster()).record);
  const slot = shards.slotOf(first, options.node);
  const shardOf = ({ record }: Awaited<ReturnType<typeof askCluster>>) =>
    record === null ? null : shards.toShardRecord(record, slot);
  const askShard = async () => {
    const cluster = await askCluster();
    return { cluster, record: requireRecord(name, shardOf(cluster)) };
  };
  const whyNot = (known: Awaited<ReturnType<typeof askShard>>) =>
    shards.whyNotKillNode(options.node, known.record, known.cluster);
  const record = await awaitReady({ ask: askShard, whyNot, ...options });
  const key = shards.findKey(first, options.node);
  return {
    record,
    shard: { access, key, slot, onCrash: settings.onCrash },
    readRecord: async () => shardOf(await askCluster()),
    findProcess: async () => {
      requireSuccessor(whyNot(await askShard()));
      await shards.requireReplicaInSync(record, access);
      return readProcess(record.master, access);
    },
  };
}

async function readProcess(master: Address, access: RedisAccess): Promise<number> {
  const { findProcess } = await import('../lib/drill/process.ts');
  return findProcess(master, access);
}

/** Directly after a failover, Sentinel has not read the INFO of the new replica yet. */
async function awaitReady<Known extends { readonly record: MasterRecord }>(options: {
  readonly ask: () => Promise<Known>;
  readonly whyNot: (known: Known) => Obstacle | undefined;
  readonly timeout?: string;
}): Promise<MasterRecord> {
  const { awaitSuccessor } = await import('../lib/drill/successor.ts');
  return awaitSuccessor({
    ask: options.ask,
    whyNot: options.whyNot,
    timeoutMs: timeoutMsOf(options),
    onWait: (why) => process.stderr.write(`${styled('dim', '·')} Waits: ${stripControls(why)}\n`),
  });
}

/** Throws `failover-refused` if there is no record. */
export function requireRecord<T>(name: string, record: T | null): T {
  if (record === null) throw new SwitchmasterError('failover-refused', `${name} has no record yet.`);
  return record;
}

/** Kills the master, and waits until the record names another one. */
export async function killTarget(
  target: KillTarget,
  order: { readonly pid: number; readonly timeout?: string; readonly onKilled: () => void },
): ReturnType<DrillOptions['order']> {
  const { killMaster } = await import('../lib/drill/kill.ts');
  const { pid, onKilled } = order;
  const { record, findProcess, readRecord } = target;
  return killMaster(record, { pid, findProcess, readRecord, timeoutMs: timeoutMsOf(order), onKilled });
}

function timeoutMsOf({ timeout }: { readonly timeout?: string }): number {
  return parseDuration(timeout ?? killTimeout) ?? 0;
}
