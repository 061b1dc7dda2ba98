import { Redis, type RedisOptions } from 'ioredis';
import type { Endpoint } from '../model/address.ts';
import { ReconnectPace } from './reconnect-pace.ts';
import { connectOptions } from './socket-exchange.ts';
import { type ClientTls, toTlsOptions } from './tls.ts';

/** Credentials and TLS for a server. The TLS fields are PEM texts. */
export interface RedisAccess {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ClientTls;
}

/**
 * An ioredis connection without automatic commands: RESP2 and no greeting, because Sentinels support neither CLIENT
 * SETINFO nor the field `loading` of INFO. It queues nothing across a reconnect, because the command may be obsolete then.
 */
export function openRedis(
  address: Endpoint,
  access: RedisAccess,
  { pace = new ReconnectPace(), ...extra }: OpenRedisOptions = {},
): Redis {
  const { tls } = access;
  const options = {
    ...connectOptions(address),
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    // ioredis waits this long for a socket to close, even if it is closed already, and keeps the process alive.
    disconnectTimeout: 100,
    // Keeps idle connections in the tables of routers and firewalls, and detects dead ones.
    keepAlive: 10_000,
    retryStrategy: () => pace.nextMs(),
    ...(access.username === undefined ? {} : { username: access.username }),
    ...(access.password === undefined ? {} : { password: access.password }),
    ...(tls === undefined ? {} : { tls: toTlsOptions(tls) }),
    ...extra,
  } satisfies RedisOptions;
  const redis = new Redis(options);
  redis.on('ready', () => pace.opened());
  return redis;
}

interface OpenRedisOptions extends Pick<RedisOptions, 'autoResubscribe'> {
  /** Kept by a caller that replaces the connection. Default: a new one. */
  readonly pace?: ReconnectPace;
}

/** The failure of a request that is not sent, because the server closes each connection at once. */
export function closedAtOnce(): Error {
  return new Error('it closes each connection at once');
}

/**
 * Reconnects at once instead of at the next attempt. ioredis keeps the timer of that attempt running and loses its
 * handle, so that it would reopen a connection that was closed meanwhile; this clears it.
 */
export function connectNow(redis: Redis): void {
  if (redis.status !== 'reconnecting') return;
  const waiting = redis as unknown as { reconnectTimeout: NodeJS.Timeout | null };
  if (waiting.reconnectTimeout !== null) clearTimeout(waiting.reconnectTimeout);
  waiting.reconnectTimeout = null;
  redis.connect().catch(() => {});
}
