import type { Redis } from 'ioredis';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { type ClusterView, formatRanges } from '../model/cluster.ts';
import type { InstanceProfile, ProbeResult } from '../model/probe-result.ts';
import { clusterCommands, readClusterView } from './cluster-shapes.ts';
import { probeRedis, probeSentinel, readAnnounced, readInfo, readMasterNames } from './instance-shapes.ts';
import { openRedis, type RedisAccess, translateRedisError, withDeadline } from './redis.ts';

export interface InstanceLinkOptions {
  readonly address: Address;
  readonly access: RedisAccess;
  /** The connection was made, or lost: whoever is there may be another process now. */
  readonly onTurn: (turn: 'up' | 'down') => void;
}

type Command = readonly [string, ...(string | number)[]];

/** A connection to one Redis, Sentinel or cluster node, to look at it. Every look is an answer; none throws. */
export class InstanceLink {
  readonly address: Address;
  readonly #options: InstanceLinkOptions;
  readonly #redis: Redis;
  #lastError: Error | undefined;
  #state: 'up' | 'down' = 'down';

  constructor(options: InstanceLinkOptions) {
    this.address = options.address;
    this.#options = options;
    this.#redis = openRedis(options.address, options.access);
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error;
    });
    this.#redis.on('ready', () => this.#turn('up'));
    this.#redis.on('close', () => this.#turn('down'));
  }

  async look(kind: 'redis' | 'cluster' | 'sentinel', options: { readonly timeoutMs: number }): Promise<ProbeResult> {
    try {
      return kind === 'sentinel' ? await this.#lookAtSentinel(options) : await this.#lookAtRedis(kind, options);
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      if (error.code === 'redis-denied') return { kind: 'denied' };
      return { kind: 'unreachable', why: error.code === 'redis-timeout' ? 'silent' : 'refused' };
    }
  }

  /** What it says of itself; where it may not be asked, it says nothing. */
  async profile(
    kind: 'redis' | 'cluster' | 'sentinel',
    options: { readonly timeoutMs: number },
  ): Promise<InstanceProfile> {
    if (kind === 'cluster') {
      const view = await this.clusterView(options);
      const shard = view.shards.find(({ nodes }) => nodes.some(({ id }) => id === view.nodeId));
      const own = shard?.nodes.find(({ id }) => id === view.nodeId);
      const slots = own?.role === 'master' ? formatRanges(shard?.slots ?? []) : '';
      return { announced: own?.address, slots: slots === '' ? undefined : slots };
    }
    const command: Command =
      kind === 'sentinel' ? ['SENTINEL', 'CONFIG', 'GET', 'announce-*'] : ['CONFIG', 'GET', 'replica-announce-*'];
    const [reply] = await this.#exchange([command], options);
    const prefix = kind === 'sentinel' ? 'announce' : 'replica-announce';
    const announced = readAnnounced(reply, { host: `${prefix}-ip`, port: `${prefix}-port` });
    return { announced, slots: undefined };
  }

  /** What of CLUSTER INFO changes only when the cluster does; an error where the node does not answer. */
  async clusterChangeFeed(options: { readonly timeoutMs: number }): Promise<string | SwitchmasterError> {
    try {
      const [text] = await this.#exchange([['CLUSTER', 'INFO']], options);
      const lines = typeof text === 'string' ? text.split('\r\n') : [String(text)];
      return lines.filter((line) => !line.startsWith('cluster_stats_') && !line.startsWith('total_cluster')).join();
    } catch (thrown) {
      return SwitchmasterError.from(thrown);
    }
  }

  /** What this node says of its whole cluster. Rejects with a SwitchmasterError. */
  async clusterView(options: { readonly timeoutMs: number }): Promise<ClusterView> {
    const replies = await this.#exchange(clusterCommands, options);
    const [refused] = replies.filter((reply) => reply instanceof Error);
    const nodes = replies[2] instanceof Error ? (await this.#exchange([['CLUSTER', 'NODES']], options))[0] : undefined;
    if (replies[0] instanceof Error) throw this.#translate(refused, 'CLUSTER MYID');
    const tls = this.#options.access.tls === undefined ? 'plain' : 'tls';
    return readClusterView(replies, { at: this.address, tls, nodes });
  }

  /** Replies in order; what the server refused is an Error among them. */
  async #exchange(
    commands: readonly Command[],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<readonly unknown[]> {
    connectNow(this.#redis);
    const what = `${commands.map(([name]) => name).join(', ')} at ${formatAddress(this.address)}`;
    const calls = commands.map(([name, ...args]) =>
      this.#redis.call(name, ...args).catch((error: Error) => {
        if (error.name === 'ReplyError') return error;
        throw error;
      }),
    );
    try {
      return await withDeadline(Promise.all(calls), { what, timeoutMs });
    } catch (thrown) {
      // Questions must not pile up at a process that stands still.
      if (SwitchmasterError.from(thrown).code === 'redis-timeout') this.#redis.disconnect(true);
      throw this.#translate(thrown, what);
    } finally {
      for (const call of calls) call.catch(() => {});
    }
  }

  close(): void {
    this.#redis.removeAllListeners();
    this.#redis.on('error', () => {});
    this.#redis.disconnect();
  }

  async #lookAtRedis(kind: 'redis' | 'cluster', options: { readonly timeoutMs: number }): Promise<ProbeResult> {
    const cluster: readonly Command[] = kind === 'cluster' ? [['CLUSTER', 'INFO']] : [];
    const [info, role, clusterInfo] = await this.#exchange([['INFO'], ['ROLE'], ...cluster], options);
    if (info instanceof Error) throw this.#translate(info, 'INFO');
    return probeRedis(readInfo(info), { role, cluster: clusterInfo });
  }

  async #lookAtSentinel(options: { readonly timeoutMs: number }): Promise<ProbeResult> {
    const [info] = await this.#exchange([['INFO']], options);
    if (info instanceof Error) throw this.#translate(info, 'INFO');
    const fields = readInfo(info);
    const names = readMasterNames(fields);
    const answers = await this.#exchange(
      names.map((name) => ['SENTINEL', 'CKQUORUM', name]),
      options,
    );
    const without = names.filter((_, i) => {
      const answer = answers[i];
      return answer instanceof Error && answer.message.startsWith('NOQUORUM');
    });
    return probeSentinel(fields, without);
  }

  /** An attempt that fails is no news: only what was up can go down. */
  #turn(state: 'up' | 'down'): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onTurn(state);
  }

  #translate(thrown: unknown, what: string): SwitchmasterError {
    const refusedLogin = /^(NOAUTH|WRONGPASS|NOPERM)/.test(this.#lastError?.message ?? '')
      ? this.#lastError
      : undefined;
    const error = translateRedisError(thrown, { what, lastError: this.#lastError });
    if (error.code !== 'redis-unreachable' || refusedLogin === undefined) return error;
    return translateRedisError(refusedLogin, { what, lastError: undefined });
  }
}

/**
 * Does not wait for the next attempt to reconnect. ioredis leaves the timer of that attempt running beside this one and
 * forgets it: a timer that nobody can stop would bring a link back to life that was closed.
 */
export function connectNow(redis: Redis): void {
  if (redis.status !== 'reconnecting') return;
  const waiting = redis as unknown as { reconnectTimeout: NodeJS.Timeout | null };
  if (waiting.reconnectTimeout !== null) clearTimeout(waiting.reconnectTimeout);
  waiting.reconnectTimeout = null;
  redis.connect().catch(() => {});
}
