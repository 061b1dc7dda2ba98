import type { Redis } from 'ioredis';
import { SwitchmasterError } from '../errors.ts';
import { type Address, type Endpoint, formatEndpoint } from '../model/address.ts';
import { withRedisDeadline } from './deadline.ts';
import { faultOfReply } from './fault.ts';
import { FaultFinder } from './fault-finder.ts';
import { ReconnectPace } from './reconnect-pace.ts';
import { closedAtOnce, connectNow, openRedis, type RedisAccess } from './redis-connection.ts';
import { isClosedByPeer, translateRedisError } from './redis-errors.ts';

export interface InstanceLinkOptions<At extends Endpoint> {
  readonly address: At;
  readonly access: RedisAccess;
  /** The connection was established or lost. Another process may listen at the address afterwards. */
  readonly onLinkState: (state: LinkState) => void;
  /** The other side closed an established connection. Called before `onLinkState`. */
  readonly onClosed?: () => void;
}

export type LinkState = 'up' | 'down';

export interface Deadline {
  readonly timeoutMs: number;
}

export type Command = readonly [string, ...(string | number)[]];

/** A connection to one server that speaks Redis's protocol, for requests that only read. */
export class InstanceLink<At extends Endpoint = Address> {
  readonly address: At;
  readonly tls: 'tls' | 'plain';
  readonly #options: InstanceLinkOptions<At>;
  readonly #redis: Redis;
  readonly #faults: FaultFinder;
  readonly #pace = new ReconnectPace();
  #lastError: Error | undefined;
  #state: LinkState = 'down';
  #closed = false;
  /** Why the present connection ends, if this side ends it or the network fails. */
  #connectionError: Error | 'given up' | undefined;

  constructor(options: InstanceLinkOptions<At>) {
    this.address = options.address;
    this.tls = options.access.tls === undefined ? 'plain' : 'tls';
    this.#options = options;
    this.#faults = new FaultFinder({ address: options.address, tls: options.access.tls });
    this.#redis = openRedis(options.address, options.access, { pace: this.#pace });
    this.#redis.on('error', (error: Error) => {
      this.#lastError = error;
      this.#connectionError ??= error;
      this.#faults.failed(error);
    });
    this.#redis.on('ready', () => {
      this.#connectionError = undefined;
      this.#become('up');
    });
    this.#redis.on('close', () => {
      const error = this.#connectionError;
      if (this.#state === 'up' && error !== 'given up' && isClosedByPeer(error)) options.onClosed?.();
      this.#become('down');
    });
  }

  /**
   * Sends the commands in one go and returns the replies in their order. A reply that refuses a command is an Error in
   * the list. Rejects with a SwitchmasterError where the server does not answer.
   */
  async request(commands: readonly Command[], { timeoutMs }: Deadline): Promise<readonly unknown[]> {
    const what = `${commands.map(([name]) => name).join(', ')} at ${formatEndpoint(this.address)}`;
    if (this.#closed)
      throw new SwitchmasterError('redis-unreachable', `${what} was not sent: the connection was closed`);
    if (this.#redis.status === 'reconnecting' && this.#pace.isFlapping)
      throw this.translate(this.#lastError ?? closedAtOnce(), what);
    connectNow(this.#redis);
    const calls = commands.map(([name, ...args]) =>
      this.#redis.call(name, ...args).catch((error: Error) => {
        if (error.name === 'ReplyError') return error;
        throw error;
      }),
    );
    try {
      const replies = await withRedisDeadline(Promise.all(calls), { what, timeoutMs });
      this.#note(replies);
      return replies;
    } catch (thrown) {
      this.#faults.failed(thrown);
      // Requests must not queue up at a process that hangs.
      if (SwitchmasterError.from(thrown).code === 'redis-timeout') {
        this.#connectionError = 'given up';
        this.#redis.disconnect(true);
      }
      throw this.translate(thrown, what);
    } finally {
      for (const call of calls) call.catch(() => {});
    }
  }

  /** The SwitchmasterError for a failed request or a refused command. A refused login takes precedence. */
  translate(thrown: unknown, what: string): SwitchmasterError {
    const refusedLogin = /^(NOAUTH|WRONGPASS|NOPERM)/.test(this.#lastError?.message ?? '')
      ? this.#lastError
      : undefined;
    const error = translateRedisError(thrown, { what, lastError: this.#lastError, fault: this.#faults.fault });
    if (error.code !== 'redis-unreachable' || refusedLogin === undefined) return error;
    return translateRedisError(refusedLogin, { what, lastError: undefined });
  }

  /** A server that refuses everybody answers the first command, and then ends the connection. */
  #note(replies: readonly unknown[]): void {
    const refused = replies.find((reply) => reply instanceof Error && faultOfReply(reply.message) !== undefined);
    if (refused === undefined) this.#faults.answered();
    else this.#faults.failed(refused);
  }

  close(): void {
    this.#closed = true;
    this.#faults.close();
    this.#redis.removeAllListeners();
    this.#redis.on('error', () => {});
    this.#redis.disconnect();
  }

  /** Reports changes only: an attempt to reconnect that fails is none. */
  #become(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onLinkState(state);
  }
}
