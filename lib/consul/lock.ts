import type { ConsulClient } from '../client/consul.ts';
import { createSession, destroySession, renewSession, setSessionKey } from '../client/consul-sessions.ts';
import { SwitchmasterError } from '../errors.ts';
import type { KvEntry } from '../model/catalog.ts';

/*
 * A semaphore in Consul's KV store, as Consul's guide "Semaphores" has it: below the turnstile's key there is one key for
 * each that is inside or tries to be, which lives and dies with its session, and `.holders`, which lists who is inside.
 * Everybody who changes `.holders` by check-and-set leaves out those whose own key is gone, so a holder that dies frees
 * its place when its session ends.
 */

export interface SemaphoreOptions {
  readonly client: ConsulClient;
  /** Ends without a slash: `redis/rolling/haproxy.cfg`. */
  readonly key: string;
  readonly limit: number;
  /** Written into the own key, for people who look. */
  readonly holder: string;
  /** How long a dead holder keeps its place, at least; Consul permits 10,000 and more. Default 10,000. */
  readonly ttlMs?: number;
}

export type Lease =
  | { readonly kind: 'inside'; readonly leave: () => Promise<void> }
  | { readonly kind: 'full'; readonly holders: number };

const attempts = 20;

/** Enters where there is room; does not wait. Throws where Consul cannot be asked. */
export async function acquireLease(options: SemaphoreOptions, signal: AbortSignal): Promise<Lease> {
  const { client, limit } = options;
  const ahead = await readHolders(options, signal);
  // Before a session is made for it: most who wait ask in vain.
  if (ahead.holders.length >= limit) return { kind: 'full', holders: ahead.holders.length };
  const ttlMs = options.ttlMs ?? 10_000;
  const session = await createSession(client, { name: options.key, ttlMs, signal });
  const renew = () => renewSession(client, session, AbortSignal.timeout(ttlMs));
  const renewal = setInterval(() => void renew().catch(() => undefined), ttlMs / 3);
  const leave = async () => {
    clearInterval(renewal);
    await giveBack(options, session);
  };
  try {
    const key = `${options.key}/${session}`;
    await setSessionKey(client, { key, value: { holder: options.holder }, session, signal });
    for (let attempt = 0; attempt < attempts; attempt++) {
      const { holders, index } = await readHolders(options, signal);
      if (holders.length >= limit) {
        await leave();
        return { kind: 'full', holders: holders.length };
      }
      if (await writeHolders(options, { holders: [...holders, session], index, signal }))
        return { kind: 'inside', leave };
    }
  } catch (thrown) {
    await leave();
    throw thrown;
  }
  await leave();
  throw new SwitchmasterError('consul-unavailable', `Too many nodes change ${options.key} at once.`);
}

/** Never throws: what cannot be given back ends with its session. */
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
    // The session is not renewed any more.
  }
}

/** Who is inside and alive, and the index to change that with. */
async function readHolders(
  { client, key }: SemaphoreOptions,
  signal: AbortSignal,
): Promise<{ readonly holders: readonly string[]; readonly index: number }> {
  const { value } = await client.read({ kind: 'key-tree', prefix: `${key}/` }, { consistency: 'consistent', signal });
  const list = value.find((entry) => entry.key === `${key}/.holders`);
  const alive = new Set(value.map((entry: KvEntry) => entry.key.slice(key.length + 1)));
  return { holders: parseHolders(list?.value).filter((holder) => alive.has(holder)), index: list?.modifyIndex ?? 0 };
}

async function writeHolders(
  { client, key }: SemaphoreOptions,
  change: { holders: readonly string[]; index: number; signal: AbortSignal },
): Promise<boolean> {
  const value = JSON.stringify(change.holders);
  const operation = { kind: 'kv-cas', key: `${key}/.holders`, value, index: change.index } as const;
  const result = await client.transact([operation], { signal: change.signal });
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
