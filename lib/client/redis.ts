import { Redis, type RedisOptions } from 'ioredis';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { RoleAnswer } from '../model/sentinel.ts';
import { timed } from './request-time.ts';
import { type ClientTls, toTlsOptions } from './tls.ts';

/** What it takes to be let in. The TLS fields are PEM texts. */
export interface RedisAccess {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ClientTls;
}

export interface RedisLinkHooks {
  /** Called each time that the connection was made. */
  readonly onUp?: () => void;
  /** Called when `refusal` or `unreached` says something else. */
  readonly onStanding?: () => void;
}

/**
 * A connection that is kept open, so that the moment it is needed for costs one round trip. It reconnects by itself,
 * at the latest after a second and a half; a command on a broken link tries to connect at once, and one that is not
 * answered in time makes room for a new connection, since routers forget idle ones without a word.
 */
export class RedisLink {
  readonly address: Address;
  readonly #access: RedisAccess;
  readonly #hooks: RedisLinkHooks;
  #redis: Redis;
  #lastError: Error | undefined;
  #refusal: string | undefined;
  #unreached: string | undefined;
  #reached = false;
  #closed = false;

  constructor(address: Address, access: RedisAccess, hooks: RedisLinkHooks = {}) {
    this.address = address;
    this.#access = access;
    this.#hooks = hooks;
    this.#redis = this.#open();
  }

  /** What it says to not letting us in, or to not letting us ask ROLE (`NOAUTH ...`, `WRONGPASS ...`, `NOPERM ...`). */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Why there has never been a connection to it; undefined once there was, and before the first attempt has failed. */
  get unreached(): string | undefined {
    return this.#unreached;
  }

  /** ROLE, whatever comes of it: being unreachable is an answer. */
  async role(options: { readonly timeoutMs: number }): Promise<RoleAnswer> {
    try {
      const reply = await this.call(['ROLE'], options);
      this.#judge(undefined);
      return { address: this.address, role: readRole(reply) };
    } catch (thrown) {
      this.#judge(thrown);
      return { address: this.address, role: 'unreachable', error: SwitchmasterError.from(thrown).message };
    }
  }

  /** One command; rejects with a SwitchmasterError. */
  async call(
    command: readonly [string, ...(string | number)[]],
    options: { readonly timeoutMs: number },
  ): Promise<unknown> {
    if (this.#redis.status === 'reconnecting') this.#renew();
    const [name, ...args] = command;
    const what = `${name} at ${formatAddress(this.address)}`;
    try {
      const call = () => withDeadline(this.#redis.call(name, ...args), { what, timeoutMs: options.timeoutMs });
      return await timed({ server: 'redis', operation: name.toLowerCase() }, call);
    } catch (thrown) {
      const error = translateRedisError(thrown, { what, lastError: this.#lastError });
      if (error.code === 'redis-timeout') this.#renew();
      throw error;
    }
  }

  /**
   * Commands in one write, only over a connection that stands: what changes the world must not be carried out later,
   * when nobody wants it any more. Each answer is the reply, or the error that the server gave to it.
   */
  async callNow(
    commands: readonly (readonly [string, ...(string | number)[]])[],
    options: { readonly timeoutMs: number },
  ): Promise<readonly unknown[]> {
    const what = `${commands.map(([name]) => name).join(', ')} at ${formatAddress(this.address)}`;
    if (this.#redis.status !== 'ready') {
      const reason = this.#lastError?.message ?? 'there is no connection';
      throw new SwitchmasterError('redis-unreachable', `${what} was not sent: ${reason}`);
    }
    const replyOrThrow = (error: Error) => {
      if (error.name === 'ReplyError') return error;
      throw translateRedisError(error, { what, lastError: this.#lastError });
    };
    const replies = commands.map(([name, ...args]) => this.#redis.call(name, ...args).catch(replyOrThrow));
    const operation = commands[0]?.[0].toLowerCase() ?? '';
    const answer = () => withDeadline(Promise.all(replies), { what, timeoutMs: options.timeoutMs });
    return timed({ server: 'redis', operation }, answer);
  }

  close(): void {
    this.#closed = true;
    this.#redis.disconnect();
  }

  #open(): Redis {
    const redis = openRedis(this.address, this.#access);
    redis.on('error', (error: Error) => {
      this.#lastError = error;
      this.#judge(error);
      if (!this.#reached && this.#refusal === undefined) this.#missed(error.message);
    });
    redis.on('ready', () => {
      this.#lastError = undefined;
      this.#reached = true;
      this.#unreached = undefined;
      this.#hooks.onUp?.();
    });
    return redis;
  }

  /** One that does not answer at all has not changed its mind. */
  #judge(thrown: unknown): void {
    const refusal = refusalIn(thrown);
    if (refusal === this.#refusal || (refusal === undefined && thrown !== undefined)) return;
    this.#refusal = refusal;
    this.#hooks.onStanding?.();
  }

  #missed(why: string): void {
    const isNews = this.#unreached === undefined;
    this.#unreached ??= why;
    if (isNews) this.#hooks.onStanding?.();
  }

  /** Another connection, at once: `connect` while ioredis waits would leave its timer running, one more for each call. */
  #renew(): void {
    if (this.#closed) return;
    this.#redis.disconnect();
    this.#redis = this.#open();
  }
}

/**
 * An ioredis connection with nothing of its own will: RESP2 and no greeting, since Sentinels know neither CLIENT SETINFO
 * nor INFO's loading; nothing queued across a reconnect, since what was asked then is no longer what is wanted.
 */
export function openRedis(
  address: Address,
  access: RedisAccess,
  extra: Pick<RedisOptions, 'autoResubscribe'> = {},
): Redis {
  const { tls } = access;
  const options = {
    host: address.host,
    port: address.port,
    protocol: 2,
    disableClientInfo: true,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    // ioredis waits this long for a socket to close even where it is closed already, and the process with it.
    disconnectTimeout: 100,
    // Idle connections are kept in the tables of routers and firewalls, and dead ones are found out.
    keepAlive: 10_000,
    retryStrategy: (times: number) => Math.min(25 * 2 ** Math.min(times, 10), 1_000) * (0.5 + Math.random()),
    ...(access.username === undefined ? {} : { username: access.username }),
    ...(access.password === undefined ? {} : { password: access.password }),
    ...(tls === undefined ? {} : { tls: toTlsOptions(tls) }),
    ...extra,
  } satisfies RedisOptions;
  return new Redis(options);
}

/** The first reason a connection or command failed for, in our words. */
export function translateRedisError(
  thrown: unknown,
  context: { readonly what: string; readonly lastError: Error | undefined },
): SwitchmasterError {
  if (thrown instanceof SwitchmasterError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const options = { cause: thrown };
  if (error.name === 'ReplyError') {
    return new SwitchmasterError(
      denial.test(error.message) ? 'redis-denied' : 'redis-refused',
      `${context.what} was refused: ${error.message}`,
      options,
    );
  }
  const reason = context.lastError?.message ?? error.message;
  return new SwitchmasterError('redis-unreachable', `${context.what} got no answer: ${reason}`, options);
}

const denial = /^(NOAUTH|WRONGPASS|NOPERM|ERR AUTH)/;

function refusalIn(thrown: unknown): string | undefined {
  const said = thrown instanceof SwitchmasterError ? thrown.cause : thrown;
  return said instanceof Error && denial.test(said.message) ? said.message : undefined;
}

/** Settles as `promise` does, or rejects with `redis-timeout`. */
export async function withDeadline<T>(
  promise: Promise<T>,
  options: { readonly what: string; readonly timeoutMs: number },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new SwitchmasterError('redis-timeout', `${options.what} got no answer within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {});
  }
}

function readRole(reply: unknown): RoleAnswer['role'] {
  const role = Array.isArray(reply) ? reply[0] : undefined;
  if (role === 'master') return 'master';
  return role === 'slave' || role === 'replica' ? 'replica' : 'other';
}
