import type { ConsulClient } from './consul.ts';
import { readSessionId } from './consul-shapes.ts';

/*
 * Sessions of Consul ("HTTP API: Sessions", 1.8). A session that is not renewed ends, and its keys are deleted. Failovers wait
 * for them.
 */

const priority = 'failover';

/** `ttlMs` is 10,000 at least. Consul may keep a session twice as long. */
export async function createSession(
  client: ConsulClient,
  options: { readonly name: string; readonly ttlMs: number; readonly signal: AbortSignal },
): Promise<string> {
  const { name, ttlMs, signal } = options;
  const body = { Name: name, TTL: `${ttlMs}ms`, Behavior: 'delete', LockDelay: '0s' };
  const what = `a session for ${name}`;
  return readSessionId(await client.send({ method: 'put', path: '/session/create', body, what }, { signal, priority }));
}

/** Throws `consul-refused` if the session has ended. */
export async function renewSession(client: ConsulClient, id: string, signal: AbortSignal): Promise<void> {
  const what = `session ${id}`;
  await client.send({ method: 'put', path: '/session/renew/{id}', params: { id }, what }, { signal, priority });
}

export async function destroySession(client: ConsulClient, id: string, signal: AbortSignal): Promise<void> {
  const what = `session ${id}`;
  await client.send({ method: 'put', path: '/session/destroy/{id}', params: { id }, what }, { signal, priority });
}

/** Writes a key that ends with a session; its value is JSON. */
export async function setSessionKey(
  client: ConsulClient,
  options: { readonly key: string; readonly value: object; readonly session: string; readonly signal: AbortSignal },
): Promise<'acquired' | 'refused'> {
  const { key, value, session, signal } = options;
  const call = { method: 'put', path: '/kv/{key}', params: { key }, query: { acquire: session }, body: value } as const;
  return (await client.send({ ...call, what: `key(${key})` }, { signal, priority })) === true ? 'acquired' : 'refused';
}
