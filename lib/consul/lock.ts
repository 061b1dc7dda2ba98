import type { ConsulClient } from '../client/consul.ts';
import { createSession, destroySession, renewSession } from '../client/consul-sessions.ts';
import { SwitchmasterError } from '../errors.ts';
import type { CatalogOperation } from '../model/catalog.ts';

/*
 * A semaphore in Consul's KV store, as in Consul's guide "Semaphores". Below the semaphore's key there is one key for
 * each holder, which ends with its session, and `.holders`, which lists the sessions that hold a lease. Each
 * change of `.holders`, by check-and-set, leaves out the sessions whose own key is gone, so the lease of a dead holder
 * ends with its session. A holder writes both in one transaction: each write of a key wakes watches of all bridges.
 */

export interface SemaphoreOptions {
  readonly client: ConsulClient;
  /** Ends without a slash: `redis/rolling/haproxy.cfg`. */
  readonly key: string;
  readonly limit: number;
  /** Written into the holder's key, for people who read it. */
  readonly holder: string;
  /** How long a dead holder keeps its lease, at least. Consul permits 10,000 and more. Default 10,000. */
  readonly ttlMs?: number;
}

export type Lease =
  | { readonly kind: 'inside'; readonly leave: () => Promise<void> }
  | { readonly kind: 'full'; readonly holders: number };

const defaultTtlMs = 10_000;
const attempts = 20;
/** A failover may wait for a lease. */
const priority = 'failover';

/** Takes a lease if one is free; does not wait. Throws if Consul cannot be asked. */
export async function acquireLease(options: SemaphoreOptions, signal: AbortSignal): Promise<Lease> {
  const seen = await readHolders(options, signal);
  // Checked before a session is created: most attempts end here.
  if (seen.holders.length >= options.limit) return { kind: 'full', holders: seen.holders.length };
  const { session, leave } = await openSession(options, signal);
  try {
    const outcome = await tryAcquire(options, { session, seen, signal });
    if (outcome.kind === 'holding') return { kind: 'inside', leave };
    await leave();
    return outcome;
  } catch (thrown) {
    await leave();
    throw thrown;
  }
}

/** How many leases are taken now. Throws if Consul cannot be asked. */
export async function countHolders(options: SemaphoreOptions, signal: AbortSignal): Promise<number> {
  return (await readHolders(options, signal)).holders.length;
}

/** A session that is renewed until `leave`, which also gives the lease back. */
async function openSession(
  options: SemaphoreOptions,
  signal: AbortSignal,
): Promise<{ readonly session: string; readonly leave: () => Promise<void> }> {
  const { client, key, ttlMs = defaultTtlMs } = options;
  const session = await createSession(client, { name: key, ttlMs, signal });
  const renew = () => renewSession(client, session, AbortSignal.timeout(ttlMs));
  const renewal = setInterval(() => void renew().catch(() => undefined), ttlMs / 3);
  const leave = async () => {
    clearInterval(renewal);
    await giveBack(options, session);
  };
  return { session, leave };
}

/** Adds the session to the holders as they were `seen`, again after each lost check-and-set. */
async function tryAcquire(
  options: SemaphoreOptions,
  { session, seen, signal }: { readonly session: string; readonly seen: Holders; readonly signal: AbortSignal },
): Promise<{ readonly kind: 'holding' } | { readonly kind: 'full'; readonly holders: number }> {
  const { key, holder, limit } = options;
  const own = { kind: 'kv-lock', key: `${key}/${session}`, value: JSON.stringify({ holder }), session } as const;
  let { holders, index } = seen;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (holders.length >= limit) return { kind: 'full', holders: holders.length };
    const change = { holders: [...holders, session], index, with: [own], signal };
    if (await writeHolders(options, change)) return { kind: 'holding' };
    ({ holders, index } = await readHolders(options, signal));
  }
  throw new SwitchmasterError('consul-unavailable', `Too many nodes change ${key} at once.`);
}

/** Never throws: a lease that cannot be given back ends with its session. */
async function giveBack(options: SemaphoreOptions, session: string): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  try {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { holders, index } = await readHolders(options, signal);
      if (!holders.includes(session)) break;
      const remaining = holders.filter((holder) => holder !== session);
      if (await writeHolders(options, { holders: remaining, index, signal })) break;
    }
    await destroySession(options.client, session, signal);
  } catch {
    // Nothing renews the session any more.
  }
}

/** The holders whose sessions live, and the index for the next check-and-set. */
interface Holders {
  readonly holders: readonly string[];
  readonly index: number;
}

async function readHolders({ client, key }: SemaphoreOptions, signal: AbortSignal): Promise<Holders> {
  const query = { kind: 'key-tree', prefix: `${key}/` } as const;
  const { value } = await client.read(query, { consistency: 'consistent', signal, priority });
  const list = value.find((entry) => entry.key === `${key}/.holders`);
  // A key without its session was copied here, as by `consul kv import`, and would never end.
  const alive = new Set(value.flatMap(({ key: own, session }) => (own === `${key}/${session}` ? session : [])));
  return { holders: parseHolders(list?.value).filter((holder) => alive.has(holder)), index: list?.modifyIndex ?? 0 };
}

async function writeHolders(
  { client, key }: SemaphoreOptions,
  change: Holders & { readonly with?: readonly CatalogOperation[]; readonly signal: AbortSignal },
): Promise<boolean> {
  const value = JSON.stringify(change.holders);
  const operation = { kind: 'kv-cas', key: `${key}/.holders`, value, index: change.index } as const;
  const result = await client.transact([...(change.with ?? []), operation], { signal: change.signal, priority });
  return result.kind === 'committed';
}

function parseHolders(text: string | undefined): readonly string[] {
  try {
    const json: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(json) ? json.filter((holder) => typeof holder === 'string') : [];
  } catch {
    return [];
  }
}
