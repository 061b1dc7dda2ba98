import { Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsulClient } from '../client/consul.ts';
import type { RedisAccess } from '../client/redis.ts';
import { SentinelLink } from '../client/sentinel.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import { dnsSafe, externalNode, masterService, type Naming, recordKey } from '../model/naming.ts';
import type { ConsulAnswer, ConsulQuery } from '../model/query.ts';
import { parseRecord } from '../model/record.ts';

/*
 * Who sees one stage of a failover from outside, as a client would: each waits for its part of the world to leave the
 * old master, and answers when that was. None of them knows the new master beforehand.
 */
export interface Witness {
  readonly stage: string;
  /** Resolves when it is in place: nothing may happen before. Rejects where it cannot see anything. */
  readonly inPlace: Promise<void>;
  /** Milliseconds of performance.now() at which its stage was reached; rejects when it is aborted before. */
  readonly reached: Promise<number>;
}

/** The master that a failover is to leave. */
export interface Old {
  readonly name: string;
  readonly master: Address;
}

const pollMs = 2;

/** `+switch-master` at whichever Sentinel says it first. */
export function witnessEvent(
  old: Old,
  {
    sentinels,
    access,
    signal,
  }: { readonly sentinels: readonly Address[]; readonly access: RedisAccess; readonly signal: AbortSignal },
): Witness {
  const connected = Promise.withResolvers<void>();
  const heard = Promise.withResolvers<number>();
  const links = sentinels.map(
    (address) =>
      new SentinelLink({
        address,
        access,
        onUp: () => connected.resolve(),
        onDown: () => {},
        onEvent: ({ event, master }) => {
          if (event === '+switch-master' && master === old.name) heard.resolve(performance.now());
        },
      }),
  );
  const close = (): void => {
    for (const link of links) link.close();
    heard.reject(signal.reason);
    connected.reject(signal.reason);
  };
  signal.addEventListener('abort', close, { once: true });
  return silenced({ stage: 'event', inPlace: connected.promise, reached: heard.promise });
}

/** The record in Consul names another master. */
export function witnessRecord(
  old: Old,
  { client, naming, signal }: { readonly client: ConsulClient; readonly naming: Naming; readonly signal: AbortSignal },
): Witness {
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

/** The service in Consul's catalog is at another address. */
export function witnessService(
  old: Old,
  { client, signal }: { readonly client: ConsulClient; readonly signal: AbortSignal },
): Witness {
  return follow('service', {
    client,
    query: { kind: 'service', service: masterService },
    reached: (instances) => {
      const mine = instances.filter(({ node }) => node === externalNode(old.name));
      return mine.length > 0 && mine.every(({ address: host, port }) => !sameAddress({ host, port }, old.master));
    },
    signal,
  });
}

/** Consul's DNS answers with another address, or with another port. */
export function witnessDns(
  old: Old,
  { server, signal }: { readonly server: Address; readonly signal: AbortSignal },
): Witness {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([formatAddress(server)]);
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });
  const name = `${dnsSafe(old.name)}.${masterService}.service.consul`;
  const read = async (): Promise<string> => {
    const [hosts, services] = await Promise.all([resolver.resolve4(name), resolver.resolveSrv(name)]).catch((cause) => {
      const message = `Consul's DNS at ${formatAddress(server)} does not tell ${name} (--dns says where it is)`;
      throw new SwitchmasterError('consul-unreachable', message, { cause });
    });
    return JSON.stringify([hosts.toSorted(), services.map(({ port }) => port).toSorted()]);
  };
  return poll('dns', { read, signal });
}

/** A file's content is another one. */
export function witnessFile(
  stage: string,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): Witness {
  return poll(stage, { read: () => readFile(path, 'utf8'), signal });
}

/** What is read is not what it was. Reads that fail on the way count as no answer. */
function poll(
  stage: string,
  { read, signal }: { readonly read: () => Promise<string>; readonly signal: AbortSignal },
): Witness {
  const first = read();
  const watch = async (): Promise<number> => {
    const before = await first;
    for (;;) {
      await delay(pollMs, undefined, { signal });
      const now = await read().catch(() => before);
      if (now !== before) return performance.now();
    }
  };
  return silenced({ stage, inPlace: first.then(() => {}), reached: watch() });
}

/** Blocking queries, by Consul's rules for indexes. */
function follow<Q extends ConsulQuery>(
  stage: string,
  watched: {
    readonly client: ConsulClient;
    readonly query: Q;
    readonly reached: (answer: ConsulAnswer<Q>) => boolean;
    readonly signal: AbortSignal;
  },
): Witness {
  const { client, query, signal } = watched;
  const first = client.read(query, { signal });
  const watch = async (): Promise<number> => {
    let { index } = await first;
    for (;;) {
      const next = await client.read(query, { index, waitMs: 60_000, signal });
      if (watched.reached(next.value as ConsulAnswer<Q>)) return performance.now();
      index = next.index < index ? 0n : next.index;
    }
  };
  return silenced({ stage, inPlace: first.then(() => {}), reached: watch() });
}

/** Nobody may be listening yet, or any more, when a witness fails. */
function silenced(witness: Witness): Witness {
  witness.inPlace.catch(() => {});
  witness.reached.catch(() => {});
  return witness;
}
