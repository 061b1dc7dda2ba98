import { Resolver } from 'node:dns/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsulClient } from '../client/consul.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import { SentinelLink } from '../client/sentinel.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import { parseClusterRecord } from '../model/cluster.ts';
import { recordedAddress } from '../model/master-instance.ts';
import { ownLabel } from '../model/master-node.ts';
import {
  clusterCrashPrefix,
  clusterKey,
  crashOrderKey,
  crashPrefix,
  externalNode,
  masterOfNode,
  masterService,
  type Naming,
  recordKey,
} from '../model/naming.ts';
import type { ConsulAnswer, ConsulQuery } from '../model/query.ts';
import { parseRecord } from '../model/record.ts';
import { readRegularFile } from '../regular-file.ts';
import type { PromotionWatch } from './promotion.ts';
import { hasMoved } from './shard.ts';

/**
 * Observes one stage of a failover from outside, as a client does: waits until its part leaves the old master. An observer does
 * not know the new master beforehand.
 */
export interface StageObserver {
  readonly stage: string;
  /** Resolves when the observer is ready: the failover must not begin before. Rejects if it cannot observe. */
  readonly ready: Promise<void>;
  /** The performance.now() at which the stage was reached. Rejects if it is aborted before. */
  readonly reached: Promise<number>;
}

/** The master before the failover. */
export interface FormerMaster {
  readonly name: string;
  readonly master: Address;
}

interface Watching {
  readonly client: ConsulClient;
  readonly naming: Naming;
  readonly signal: AbortSignal;
}

const pollMs = 2;

/** The first `+switch-master` of any Sentinel. */
export function observeEvent(
  old: FormerMaster,
  {
    sentinels,
    access,
    signal,
  }: { readonly sentinels: readonly Address[]; readonly access: RedisAccess; readonly signal: AbortSignal },
): StageObserver {
  const connected = Promise.withResolvers<void>();
  const announced = Promise.withResolvers<number>();
  const links = sentinels.map(
    (address) =>
      new SentinelLink({
        address,
        access,
        onUp: () => connected.resolve(),
        onDown: () => {},
        onEvent: ({ event, master }) => {
          if (event === '+switch-master' && master === old.name) announced.resolve(performance.now());
        },
      }),
  );
  const close = (): void => {
    for (const link of links) link.close();
    announced.reject(signal.reason);
    connected.reject(signal.reason);
  };
  signal.addEventListener('abort', close, { once: true });
  return silenced({ stage: 'event', ready: connected.promise, reached: announced.promise });
}

/** The record in Consul names another master. */
export function observeRecord(old: FormerMaster, { client, naming, signal }: Watching): StageObserver {
  return follow('record', {
    client,
    query: { kind: 'key', key: recordKey(naming, old.name) },
    reached: (entry) => {
      const record = entry === undefined ? undefined : parseRecord(entry.value);
      return record !== undefined && !sameAddress(record.master, old.master);
    },
    signal,
  });
}

/** The record of the cluster in Consul names another master of the slot. */
export function observeShard(
  old: FormerMaster & { readonly slot: number },
  { client, naming, signal }: Watching,
): StageObserver {
  return follow('record', {
    client,
    query: { kind: 'key', key: clusterKey(naming, old.name) },
    reached: (entry) => hasMoved(entry === undefined ? undefined : parseClusterRecord(entry.value), old),
    signal,
  });
}

/** A bridge notes in Consul that it orders a failover because of the crash. */
export function observeCrashOrder(
  old: FormerMaster,
  { of, client, naming, signal }: Watching & { readonly of: 'sentinel' | 'cluster' },
): StageObserver {
  const key =
    of === 'sentinel'
      ? crashOrderKey(crashPrefix(naming), old.name)
      : crashOrderKey(clusterCrashPrefix(naming, old.name), formatAddress(old.master));
  return follow('order', {
    client,
    query: { kind: 'key', key },
    reached: (entry, before) => entry !== undefined && entry.modifyIndex !== before?.modifyIndex,
    signal,
  });
}

/** The service in Consul's catalog is at another address. */
export function observeService(old: FormerMaster, { client, naming, signal }: Watching): StageObserver {
  return follow('service', {
    client,
    query: { kind: 'service', service: masterService },
    reached: (instances) => {
      const mine = instances.filter(({ nodeMeta }) => masterOfNode(naming, nodeMeta) === old.name);
      return mine.length > 0 && mine.every((instance) => !sameAddress(recordedAddress(instance), old.master));
    },
    signal,
  });
}

/** Consul's DNS answers with another address, or with another port. */
export function observeDns(
  old: FormerMaster,
  {
    server,
    client,
    naming,
    promotion,
    signal,
  }: {
    readonly client: ConsulClient;
    readonly server: Address;
    readonly naming: Naming;
    readonly promotion: PromotionWatch;
    readonly signal: AbortSignal;
  },
): StageObserver {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([formatAddress(server)]);
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });
  const found = findNode(old.name, { client, naming });
  const read = async (): Promise<string> => {
    const name = `${ownLabel(await found)}.${masterService}.${client.serviceDomain}`;
    const [hosts, services] = await Promise.all([resolver.resolve4(name), resolver.resolveSrv(name)]).catch((cause) => {
      const message = `Consul's DNS at ${formatAddress(server)} has no answer for ${name} (--dns sets its address)`;
      throw new SwitchmasterError('consul-unreachable', message, { cause });
    });
    return JSON.stringify([hosts.toSorted(), services.map(({ port }) => port).toSorted()]);
  };
  return poll('dns', { read, promotion, signal });
}

/** The node that has the master's service; the usual one where Consul has none. */
async function findNode(
  name: string,
  { client, naming }: { readonly client: ConsulClient; readonly naming: Naming },
): Promise<string> {
  const { value } = await client.read({ kind: 'service', service: masterService });
  const own = value.find(({ nodeMeta }) => masterOfNode(naming, nodeMeta) === name);
  return own?.node ?? externalNode(naming, name);
}

/** The content of a file changes, after the promotion: it may change for other reasons before. */
export function observeFile(
  stage: string,
  {
    path,
    promotion,
    signal,
  }: { readonly path: string; readonly promotion: PromotionWatch; readonly signal: AbortSignal },
): StageObserver {
  return poll(stage, { read: () => readRegularFile(path, { maxBytes: 64 * 1024 * 1024 }), promotion, signal });
}

/** Polls until the value changes after the promotion. Reads that fail after the first one count as no change. */
function poll(
  stage: string,
  {
    read,
    promotion,
    signal,
  }: { readonly read: () => Promise<string>; readonly promotion: PromotionWatch; readonly signal: AbortSignal },
): StageObserver {
  const first = read();
  const watch = async (): Promise<number> => {
    let before = await first;
    for (;;) {
      await delay(pollMs, undefined, { signal });
      const now = await read().catch(() => before);
      const changedAtMs = performance.now();
      if (now !== before && (await promotion.precedes(changedAtMs))) return changedAtMs;
      before = now;
    }
  };
  return silenced({ stage, ready: first.then(() => {}), reached: watch() });
}

/** Uses blocking queries, with Consul's rules for indexes. */
function follow<Q extends ConsulQuery>(
  stage: string,
  watched: {
    readonly client: ConsulClient;
    readonly query: Q;
    readonly reached: (answer: ConsulAnswer<Q>, first: ConsulAnswer<Q>) => boolean;
    readonly signal: AbortSignal;
  },
): StageObserver {
  const { client, query, signal } = watched;
  const first = client.read(query, { signal });
  const watch = async (): Promise<number> => {
    const started = await first;
    const before = started.value as ConsulAnswer<Q>;
    let { index } = started;
    for (;;) {
      const next = await client.read(query, { index, waitMs: 60_000, signal });
      if (watched.reached(next.value as ConsulAnswer<Q>, before)) return performance.now();
      index = next.index < index ? 0n : next.index;
    }
  };
  return silenced({ stage, ready: first.then(() => {}), reached: watch() });
}

/** Prevents unhandled rejections: an observer may fail while nothing awaits it. */
function silenced(observer: StageObserver): StageObserver {
  observer.ready.catch(() => {});
  observer.reached.catch(() => {});
  return observer;
}
