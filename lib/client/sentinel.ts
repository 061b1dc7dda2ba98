import type { Redis } from 'ioredis';
import { type ErrorCode, SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import type { SentinelEvent, SentinelView } from '../model/sentinel.ts';
import { openRedis, type RedisAccess, translateRedisError, withDeadline } from './redis.ts';
import { timed } from './request-time.ts';
import {
  isPromoted,
  readCondition,
  readCount,
  readEvent,
  readFieldAddress,
  readFields,
  readFieldsList,
  readId,
  readPeer,
  readPromotion,
  readReplica,
  type SentinelPeer,
} from './sentinel-shapes.ts';

export interface SentinelLinkOptions {
  readonly address: Address;
  readonly access: RedisAccess;
  /** A message arrived. Messages are lost while the link is down: read back on `onUp`. */
  readonly onEvent: (event: SentinelEvent) => void;
  /** Subscribed and able to answer: everything may have changed meanwhile. */
  readonly onUp: () => void;
  /** It was lost, or could not be had in the first place; told once, and again where it turns out that it refuses us. */
  readonly onDown: (error: SwitchmasterError) => void;
  /** How often a silent link is proved to be alive. Default 3,000. */
  readonly pingMs?: number;
}

/**
 * One Sentinel: a subscription to all its events, and a connection to ask it. They go up and down as one. Sentinel has no
 * QUIT and no SELECT, so links are cut, never closed politely.
 */
export class SentinelLink {
  readonly address: Address;
  readonly #options: SentinelLinkOptions;
  readonly #events: Redis;
  readonly #commands: Redis;
  readonly #pinger: NodeJS.Timeout;
  #lastError: Error | undefined;
  /** What `onDown` was told last, since the link was up. */
  #told: ErrorCode | undefined;
  #up = false;
  #id: string | undefined;

  constructor(options: SentinelLinkOptions) {
    this.address = options.address;
    this.#options = options;
    this.#events = openRedis(options.address, options.access, { autoResubscribe: false });
    this.#commands = openRedis(options.address, options.access);
    for (const redis of [this.#events, this.#commands]) {
      redis.on('error', (error: Error) => this.#down(error));
      redis.on('close', () => this.#down(this.#lastError));
    }
    this.#events.on('pmessage', (_pattern: string, channel: string, message: string) => {
      options.onEvent(readEvent(channel, message));
    });
    this.#events.on('ready', () => void this.#greet());
    this.#commands.on('ready', () => void this.#greet());
    this.#pinger = setInterval(() => void this.#ping(), options.pingMs ?? 3_000);
  }

  get up(): boolean {
    return this.#up;
  }

  /** What SENTINEL MYID answered, if it did. */
  get provenId(): string | undefined {
    return this.#id;
  }

  /** SENTINEL MYID; its address until it has answered, or where it is older than 6.2. */
  get id(): string {
    return this.#id ?? formatAddress(this.address);
  }

  /** Why it is down. */
  get error(): SwitchmasterError | undefined {
    return this.#up ? undefined : this.#translate(this.#lastError ?? new Error('not connected yet'), 'the connection');
  }

  /** What this Sentinel says of `name`: one round trip. Rejects with `sentinel-master-unknown` where it has no such master. */
  async view(name: string, options: { readonly timeoutMs: number }): Promise<SentinelView> {
    const [master, replicas] = await Promise.all([
      this.#call(['MASTER', name], options),
      // REPLICAS is SLAVES in Redis 4 and older, and both in all later ones.
      this.#call(['REPLICAS', name], options),
    ]);
    const what = `SENTINEL MASTER ${name} at ${formatAddress(this.address)}`;
    const fields = readFields(master, what);
    const address = readFieldAddress(fields, what);
    const replicaFields = readFieldsList(replicas, `SENTINEL REPLICAS ${name} at ${formatAddress(this.address)}`);
    const promoted = replicaFields.find(isPromoted);
    const promoting = promoted === undefined ? undefined : readReplica(promoted)?.address;
    return {
      sentinelId: this.id,
      sentinel: this.address,
      master: address,
      configEpoch: readCount(fields, 'config-epoch', what),
      ...readCondition(fields),
      quorum: readCount(fields, 'quorum', what),
      knownSentinels: readCount(fields, 'num-other-sentinels', what) + 1,
      failoverTimeoutMs: readCount(fields, 'failover-timeout', what),
      ...(promoting === undefined ? {} : { promoting, promotion: readPromotion(fields) }),
      replicas: replicaFields
        .map(readReplica)
        .filter((replica) => replica !== undefined)
        .filter((replica) => !sameAddress(replica.address, address)),
    };
  }

  /** SENTINEL FAILOVER: begins at once, and asks no other Sentinel. */
  async failover(name: string, options: { readonly timeoutMs: number }): Promise<void> {
    await this.#call(['FAILOVER', name], options);
  }

  /** The names of all masters that it monitors. Only the names: during a failover the rest of this answer is not to be trusted. */
  async masterNames(options: { readonly timeoutMs: number }): Promise<readonly string[]> {
    const list = readFieldsList(
      await this.#call(['MASTERS'], options),
      `SENTINEL MASTERS at ${formatAddress(this.address)}`,
    );
    return list.map((fields) => fields.name).filter((name) => name !== undefined && name !== '') as string[];
  }

  /** Where the other Sentinels of `name` are, and their ids. */
  async others(name: string, options: { readonly timeoutMs: number }): Promise<readonly SentinelPeer[]> {
    const list = readFieldsList(await this.#call(['SENTINELS', name], options), `SENTINEL SENTINELS ${name}`);
    return list.map(readPeer).filter((peer) => peer !== undefined);
  }

  close(): void {
    clearInterval(this.#pinger);
    for (const redis of [this.#events, this.#commands]) {
      redis.removeAllListeners();
      redis.on('error', () => {});
      redis.disconnect();
    }
  }

  async #call(args: readonly string[], options: { readonly timeoutMs: number }): Promise<unknown> {
    const what = `SENTINEL ${args[0]} at ${formatAddress(this.address)}`;
    try {
      const call = () => withDeadline(this.#commands.call('SENTINEL', ...args), { what, timeoutMs: options.timeoutMs });
      return await timed({ server: 'sentinel', operation: args[0]?.toLowerCase() ?? '' }, call);
    } catch (thrown) {
      if (thrown instanceof Error && thrown.message.startsWith('ERR No such master')) {
        throw new SwitchmasterError('sentinel-master-unknown', `${what}: no master is called ${args[1]} there`, {
          cause: thrown,
        });
      }
      throw this.#translate(thrown, what);
    }
  }

  async #greet(): Promise<void> {
    if (this.#events.status !== 'ready' || this.#commands.status !== 'ready') return;
    try {
      const deadline = { what: `the greeting of ${formatAddress(this.address)}`, timeoutMs: 2_000 };
      const id = this.#commands.call('SENTINEL', 'MYID').catch(() => undefined);
      const [myId] = await withDeadline(Promise.all([id, this.#events.psubscribe('*')]), deadline);
      this.#id = readId(myId) ?? this.#id;
      this.#lastError = undefined;
      if (this.#up) return;
      this.#up = true;
      this.#told = undefined;
      this.#options.onUp();
    } catch (thrown) {
      this.#cut(thrown);
    }
  }

  /** A stopped process or a dropped route says nothing: only silence to a question tells. */
  async #ping(): Promise<void> {
    if (!this.#up) return;
    const pings = [this.#events.ping(), this.#commands.ping()];
    try {
      await withDeadline(Promise.all(pings), { what: `PING at ${formatAddress(this.address)}`, timeoutMs: 2_000 });
    } catch (thrown) {
      this.#cut(thrown);
    }
  }

  #cut(thrown: unknown): void {
    this.#lastError = thrown instanceof Error ? thrown : new Error(String(thrown));
    for (const redis of [this.#events, this.#commands]) if (redis.status === 'ready') redis.disconnect(true);
  }

  #down(error: Error | undefined): void {
    if (error !== undefined) this.#lastError = error;
    const wasUp = this.#up;
    this.#up = false;
    const why = this.#translate(this.#lastError ?? new Error('the connection was closed'), 'the connection');
    const news = this.#told === undefined || (why.code === 'redis-denied' && this.#told !== 'redis-denied');
    if (news) {
      this.#told = why.code;
      this.#options.onDown(why);
    }
    if (!wasUp) return;
    // Both or none: a lone subscription would look alive while nothing can be read back, and the other way round.
    for (const redis of [this.#events, this.#commands]) if (redis.status === 'ready') redis.disconnect(true);
  }

  #translate(thrown: unknown, what: string): SwitchmasterError {
    return translateRedisError(thrown, {
      what: `${what} (Sentinel ${formatAddress(this.address)})`,
      lastError: this.#lastError,
    });
  }
}
