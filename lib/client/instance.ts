import { SwitchmasterError } from '../errors.ts';
import { type Address, type Endpoint, formatEndpoint } from '../model/address.ts';
import { withRedisDeadline } from './deadline.ts';
import { faultOfReply } from './fault.ts';
import { FaultFinder } from './fault-finder.ts';
import { ReconnectPace } from './reconnect-pace.ts';
import { closedAtOnce, type RedisAccess } from './redis-connection.ts';
import { isClosedByPeer, translateRedisError } from './redis-errors.ts';
import type { Command } from './resp-command.ts';
import { RespConnection } from './resp-connection.ts';

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

/** A connection to one server that speaks Redis's protocol, for requests that only read. */
export class InstanceLink<At extends Endpoint = Address> {
  readonly address: At;
  readonly tls: 'tls' | 'plain';
  readonly #options: InstanceLinkOptions<At>;
  readonly #connection: RespConnection;
  readonly #faults: FaultFinder;
  readonly #pace = new ReconnectPace();
  #lastError: Error | undefined;
  #state: LinkState = 'down';
  #closed = false;
  /** Of the present connection. */
  #connectionError: Error | undefined;

  constructor(options: InstanceLinkOptions<At>) {
    this.address = options.address;
    this.tls = options.access.tls === undefined ? 'plain' : 'tls';
    this.#options = options;
    this.#faults = new FaultFinder({ address: options.address, tls: options.access.tls });
    this.#connection = new RespConnection(options.address, options.access, this.#pace);
    this.#connection.on('error', (error) => {
      this.#lastError = error;
      this.#connectionError ??= error;
      this.#faults.failed(error);
    });
    this.#connection.on('ready', () => {
      this.#connectionError = undefined;
      this.#become('up');
    });
    this.#connection.on('close', (why) => {
      if (this.#state === 'up' && why === 'lost' && isClosedByPeer(this.#connectionError)) options.onClosed?.();
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
    if (this.#connection.state === 'waiting') {
      if (this.#pace.isFlapping) throw this.translate(this.#lastError ?? closedAtOnce(), what);
      this.#connection.reopen();
    }
    const calls = this.#connection.sendAll(commands).map((reply) =>
      reply.catch((error: Error) => {
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
      if (SwitchmasterError.from(thrown).code === 'redis-timeout') this.#connection.drop();
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
    this.#connection.removeAllListeners();
    this.#connection.close();
  }

  /** Reports changes only: an attempt to reconnect that fails is none. */
  #become(state: LinkState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onLinkState(state);
  }
}
