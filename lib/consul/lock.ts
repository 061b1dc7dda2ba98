import type { ConsulClient } from '../client/consul.ts';
import { SwitchmasterError } from '../errors.ts';
import type { CatalogOperation } from '../model/catalog.ts';
import { openSession, type SessionUse, type SharedSession } from './shared-session.ts';

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
  /** Of this process, for the leases of several semaphores. Default: each lease has a session of its own. */
  readonly sessions?: Pick<SharedSession, 'use'>;
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
  const use = await openUse(options, signal);
  try {
    return await tryAcquire(options, { use, seen, signal });
  } catch (thrown) {
    if (!isRefusal(thrown)) {
      await giveBack(options, { use, seen: undefined, state: 'doubtful' });
      throw thrown;
    }
    // Consul has written nothing: the session may have ended.
    await use.end('doubtful');
    if (use.origin === 'new') throw thrown;
    return acquireLease(options, signal);
  }
}

/** How many leases are taken now. Throws if Consul cannot be asked. */
export async function countHolders(options: SemaphoreOptions, signal: AbortSignal): Promise<number> {
  return (await readHolders(options, signal)).holders.length;
}

function openUse(options: SemaphoreOptions, signal: AbortSignal): Promise<SessionUse> {
  const { client, key, ttlMs = defaultTtlMs, sessions } = options;
  return sessions === undefined ? openSession({ client, name: key, ttlMs }, signal) : sessions.use(signal);
}

function isRefusal(thrown: unknown): boolean {
  return SwitchmasterError.from(thrown).code === 'consul-refused';
}

/** Adds the session to the holders as they were `seen`, again after each lost check-and-set. */
async function tryAcquire(
  options: SemaphoreOptions,
  { use, seen, signal }: { readonly use: SessionUse; readonly seen: Holders; readonly signal: AbortSignal },
): Promise<Lease> {
  const { key, holder, limit } = options;
  const { session } = use;
  const own = { kind: 'kv-lock', key: `${key}/${session}`, value: JSON.stringify({ holder }), session } as const;
  let { holders, index } = seen;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (holders.length >= limit) {
      await use.end('clean');
      return { kind: 'full', holders: holders.length };
    }
    const written = await writeHolders(options, { holders: [...holders, session], index, with: own, signal });
    if (written !== undefined)
      return { kind: 'inside', leave: () => giveBack(options, { use, seen: written, state: 'clean' }) };
    ({ holders, index } = await readHolders(options, signal));
  }
  throw new SwitchmasterError('consul-unavailable', `Too many nodes change ${key} at once.`);
}

interface GivenBack {
  readonly use: SessionUse;
  /** The holders after this one was added, which nobody may have changed since. */
  readonly seen: Holders | undefined;
  /** `doubtful`: a request to add it was given up. */
  readonly state: 'clean' | 'doubtful';
}

/** Never throws: a lease that cannot be given back ends with its session. */
async function giveBack(options: SemaphoreOptions, { use, seen, state }: GivenBack): Promise<void> {
  const isLeft = await leaveHolders(options, { session: use.session, seen, state }).catch(() => false);
  await use.end(isLeft ? state : 'doubtful');
}

/**
 * Returns whether nothing of the session is left. A request that was given up may reach Consul later, and the session may live for
 * other leases. So the holders are written also where they do not have it: then that request loses its check-and-set. Consul does not
 * count a write of the same value, so the time is written beside them, which no reader takes for a holder.
 */
async function leaveHolders(
  options: SemaphoreOptions,
  lease: Pick<GivenBack, 'seen' | 'state'> & { readonly session: string },
): Promise<boolean> {
  const { session, state } = lease;
  const signal = AbortSignal.timeout(5_000);
  const own = { kind: 'kv-delete', key: `${options.key}/${session}` } as const;
  let { seen } = lease;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const { holders, index } = seen ?? (await readHolders(options, signal));
    if (state === 'clean' && !holders.includes(session)) return true;
    const remaining = holders.filter((holder) => holder !== session);
    const mark = state === 'clean' ? [] : [Date.now()];
    const change = { holders: remaining, mark, index, with: own, signal };
    if ((await writeHolders(options, change)) !== undefined) return true;
    seen = undefined;
  }
  return false;
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

/** The holders as written; undefined where another process changed them first. */
async function writeHolders(
  { client, key }: SemaphoreOptions,
  change: Holders & {
    readonly mark?: readonly number[];
    readonly with: CatalogOperation;
    readonly signal: AbortSignal;
  },
): Promise<Holders | undefined> {
  const { holders, mark = [], index: before, signal } = change;
  const list = `${key}/.holders`;
  const operation = { kind: 'kv-cas', key: list, value: JSON.stringify([...holders, ...mark]), index: before } as const;
  const result = await client.transact([change.with, operation], { signal, priority });
  const index = result.kind === 'committed' ? result.indexes.get(list) : undefined;
  return index === undefined ? undefined : { holders, index };
}

function parseHolders(text: string | undefined): readonly string[] {
  try {
    const json: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(json) ? json.filter((holder) => typeof holder === 'string') : [];
  } catch {
    return [];
  }
}
