import { Redis, type RedisOptions } from 'ioredis';
import { type Address, formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { nowMs } from '../../sandbox/recorder.ts';
import { RespConnection, redisCli } from '../../sandbox/resp.ts';

/** A client of Redis. `write` rejects if the write was not acknowledged. */
export interface WriteClient {
  write(key: string, value: number): Promise<void>;
  /** The address that acknowledged the last write, if the client knows it. */
  at?(): Address | undefined;
  /** Closes the connection after an error. */
  drop(): void;
  close(): void;
}

/**
 * An application that writes numbers into a set, one after the other, and records when each was acknowledged. An
 * acknowledged number that the surviving master does not have is lost.
 */
export class NumberWriter {
  readonly name: string;
  readonly key: string;
  /** Milliseconds since 1970 of each acknowledgement, by number. */
  readonly acknowledged = new Map<number, number>();
  /** Milliseconds since 1970 when each acknowledged number was sent. */
  readonly asked = new Map<number, number>();
  /** Which address (`host:port`) acknowledged each number, and when the client sent it, if the client knows. */
  readonly places = new Map<number, { readonly at: string; readonly askedMs: number }>();
  readonly errors: { readonly atMs: number; readonly message: string }[] = [];
  readonly #client: WriteClient;
  readonly #pauseMs: number;
  readonly #done: Promise<void>;
  #running = true;

  constructor(options: {
    readonly name: string;
    readonly key: string;
    readonly client: WriteClient;
    /** Between two writes. Default 1. */
    readonly pauseMs?: number;
  }) {
    this.name = options.name;
    this.key = options.key;
    this.#client = options.client;
    this.#pauseMs = options.pauseMs ?? 1;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#client.drop();
    await this.#done;
    this.#client.close();
  }

  firstAfter(sinceMs: number): number | undefined {
    return [...this.acknowledged.values()].find((atMs) => atMs > sinceMs);
  }

  /** The longest time without an acknowledgement that ends after `sinceMs`, in milliseconds. */
  longestGap(sinceMs: number): number {
    let longest = 0;
    let before: number | undefined;
    for (const atMs of this.acknowledged.values()) {
      if (before !== undefined && atMs > sinceMs) longest = Math.max(longest, atMs - Math.max(before, sinceMs));
      before = atMs;
    }
    return longest;
  }

  /** The acknowledged numbers since `sinceMs` that the server does not have, and how many there were. */
  async lostAt(master: Address, sinceMs = 0): Promise<{ readonly lost: readonly number[]; readonly of: number }> {
    const members = await redisCli(master, ['SMEMBERS', this.key], { timeoutMs: 10_000 });
    const kept = new Set(Array.isArray(members) ? members.map(Number) : []);
    const all = [...this.acknowledged].filter(([, atMs]) => atMs >= sinceMs).map(([number]) => number);
    return { lost: all.filter((number) => !kept.has(number)), of: all.length };
  }

  async #run(): Promise<void> {
    for (let number = 1; this.#running; number += 1) {
      const askedMs = nowMs();
      try {
        await this.#client.write(this.key, number);
        this.acknowledged.set(number, nowMs());
        this.asked.set(number, askedMs);
        const place = this.#client.at?.();
        if (place !== undefined) this.places.set(number, { at: formatAddress(place), askedMs });
      } catch (thrown) {
        this.errors.push({ atMs: nowMs(), message: String(thrown) });
        this.#client.drop();
      }
      await new Promise((resolve) => setTimeout(resolve, this.#pauseMs));
    }
  }
}

const timeoutMs = 500;

/** Keeps one connection until an error, and then connects to what `find` returns. */
export function persistentClient(find: () => Promise<Address> | Address): WriteClient {
  let connection: RespConnection | undefined;
  return {
    async write(key, value) {
      connection ??= await RespConnection.open(await find(), { timeoutMs });
      await connection.command('SADD', key, value);
    },
    drop() {
      connection?.close();
      connection = undefined;
    },
    close() {
      connection?.close();
    },
  };
}

/** Moves its connection as soon as `find` returns another address, as HAProxy moves its sessions. */
export function followingClient(find: () => Address): WriteClient {
  let connection: RespConnection | undefined;
  const drop = () => {
    connection?.close();
    connection = undefined;
  };
  return {
    async write(key, value) {
      const master = find();
      if (connection !== undefined && !sameAddress(connection.address, master)) drop();
      connection ??= await RespConnection.open(master, { timeoutMs });
      await connection.command('SADD', key, value);
    },
    at: () => connection?.address,
    drop,
    close: drop,
  };
}

/**
 * ioredis with Sentinels, as most applications use it: it follows +switch-master. After ten seconds without a write it is
 * created again, like an application that is restarted because it hangs.
 */
export function sentinelClient(options: {
  readonly sentinels: readonly Address[];
  readonly name: string;
}): WriteClient {
  let redis = openSentinelRedis(options);
  let workedMs = performance.now();
  return {
    async write(key, value) {
      await redis.sadd(key, value);
      workedMs = performance.now();
    },
    drop() {
      if (performance.now() - workedMs < 10_000) return;
      closeForGood(redis);
      redis = openSentinelRedis(options);
      workedMs = performance.now();
    },
    close: () => closeForGood(redis),
  };
}

function closeForGood(redis: Redis): void {
  redis.removeAllListeners('end');
  redis.disconnect();
}

function openSentinelRedis({ sentinels, name }: Parameters<typeof sentinelClient>[0]): Redis {
  const settings = {
    sentinels: [...sentinels],
    name,
    failoverDetector: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 10,
    sentinelRetryStrategy: () => 10,
    reconnectOnError: ({ message }) => message.startsWith('READONLY'),
    disconnectTimeout: 100,
    protocol: 2,
    disableClientInfo: true,
  } satisfies RedisOptions;
  const redis = new Redis(settings);
  redis.on('error', () => undefined);
  // ioredis gives up for good if +switch-master arrives while it reconnects.
  redis.on('end', () => redis.connect().catch(() => undefined));
  return redis;
}
