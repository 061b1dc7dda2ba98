import { once } from 'node:events';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { isNamed, type LinkFault, linkFaults } from '../model/link-fault.ts';
import type { RoleAnswer } from '../model/sentinel.ts';
import { withRedisDeadline } from './deadline.ts';
import { FaultFinder } from './fault-finder.ts';
import { ReconnectPace } from './reconnect-pace.ts';
import { closedAtOnce, type RedisAccess } from './redis-connection.ts';
import { isClosedByPeer, isDenial, refusalIn, refusesEverybody, translateRedisError } from './redis-errors.ts';
import { type RefusedCommand, RefusedCommands } from './refused-commands.ts';
import { timed } from './request-time.ts';
import type { Command } from './resp-command.ts';
import { RespConnection } from './resp-connection.ts';

export interface RedisLinkHooks {
  /** Called after each connect. */
  readonly onUp?: () => void;
  /** Called when the other side closed a connection that was established. */
  readonly onClosed?: () => void;
  /** Called when `refusal` or `unreached` changed. */
  readonly onAccessChange?: () => void;
}

/**
 * A connection that stays open, so that a command costs one round trip. It reconnects by itself within 1.5 seconds. A
 * command on a broken link connects at once. A command without an answer in time replaces the connection, because routers
 * drop idle connections without notice.
 */
export class RedisLink {
  readonly address: Address;
  readonly #access: RedisAccess;
  readonly #hooks: RedisLinkHooks;
  readonly #faults: FaultFinder;
  readonly #pace = new ReconnectPace();
  readonly #refused: RefusedCommands;
  readonly #connection: RespConnection;
  #lastError: Error | undefined;
  #refusal: string | undefined;
  #unreached: string | undefined;
  #reached = false;

  constructor(address: Address, access: RedisAccess, hooks: RedisLinkHooks = {}) {
    this.address = address;
    this.#access = access;
    this.#hooks = hooks;
    this.#faults = new FaultFinder({ address, tls: access.tls, onChange: hooks.onAccessChange });
    this.#refused = new RefusedCommands(hooks.onAccessChange);
    this.#connection = this.#connect();
  }

  /**
   * The server's answer when it refuses the login or ROLE (`NOAUTH ...`, `WRONGPASS ...`, `NOPERM ...`), or why it refuses
   * everybody.
   */
  get refusal(): string | undefined {
    const { fault } = this.#faults;
    return this.#refusal ?? (refusesEverybody(fault) ? linkFaults[fault].says : undefined);
  }

  /**
   * Why no connection ever succeeded, or why none does for a cause that lasts; undefined before the first attempt failed,
   * and after one succeeded.
   */
  get unreached(): string | undefined {
    const { fault } = this.#faults;
    if (fault !== undefined && isNamed(fault)) return isDenial(fault) ? undefined : linkFaults[fault].says;
    return this.#unreached;
  }

  /** The commands that it refused last, beside ROLE. */
  get refusedCommands(): readonly RefusedCommand[] {
    return this.#refused.list.filter(({ command }) => command !== 'ROLE');
  }

  get fault(): LinkFault | undefined {
    return this.#faults.fault;
  }

  /** The error of a call, with the fault that a further connection may have to find. */
  async explain(thrown: unknown): Promise<SwitchmasterError> {
    const fault = await this.#faults.find();
    const error = SwitchmasterError.from(thrown);
    if (fault === undefined || error.details.fault === fault) return error;
    const what = `the connection to ${formatAddress(this.address)}`;
    return translateRedisError(error.cause ?? error, { what, lastError: this.#lastError, fault });
  }

  /** Asks for ROLE. Never rejects: `unreachable` is an answer. */
  async role(options: { readonly timeoutMs: number }): Promise<RoleAnswer> {
    try {
      const reply = await this.call(['ROLE'], options);
      this.#reached = true;
      this.#noteAccess(undefined);
      return { address: this.address, role: readRole(reply) };
    } catch (thrown) {
      this.#noteAccess(thrown);
      return { address: this.address, role: 'unreachable', error: SwitchmasterError.from(thrown).message };
    }
  }

  /** INFO's run_id; undefined where the server does not answer or does not show it. */
  async runId(options: { readonly timeoutMs: number }): Promise<string | undefined> {
    const info = await this.call(['INFO', 'server'], options).catch(() => undefined);
    return typeof info === 'string' ? /^run_id:([0-9a-f]{40})\r?$/m.exec(info)?.[1] : undefined;
  }

  /** Sends one command. Rejects with a SwitchmasterError. */
  async call(command: Command, options: { readonly timeoutMs: number }): Promise<unknown> {
    const [name] = command;
    const what = `${name} at ${formatAddress(this.address)}`;
    try {
      this.#connectNow();
      const call = () => withRedisDeadline(this.#connection.send(command), { what, timeoutMs: options.timeoutMs });
      const reply = await timed({ server: 'redis', operation: name.toLowerCase() }, call);
      this.#faults.answered();
      this.#refused.note(command, reply);
      return reply;
    } catch (thrown) {
      this.#refused.note(command, thrown);
      this.#faults.failed(thrown);
      const error = translateRedisError(thrown, { what, lastError: this.#lastError, fault: this.#faults.fault });
      // Routers drop idle connections without notice.
      if (error.code === 'redis-timeout') this.#connection.reopen();
      throw error;
    }
  }

  /**
   * Sends commands in one write, only over an established connection: the server must not execute a write later, when it
   * is no longer wanted. Each answer is the reply, or the error that the server sent.
   */
  async callNow(commands: readonly Command[], options: { readonly timeoutMs: number }): Promise<readonly unknown[]> {
    const what = `${commands.map(([name]) => name).join(', ')} at ${formatAddress(this.address)}`;
    if (this.#connection.state !== 'ready') {
      const reason = this.#lastError?.message ?? 'there is no connection';
      throw new SwitchmasterError('redis-unreachable', `${what} was not sent: ${reason}`);
    }
    const replyOrThrow = (error: Error) => {
      if (error.name === 'ReplyError') return error;
      throw translateRedisError(error, { what, lastError: this.#lastError });
    };
    const replies = this.#connection.sendAll(commands).map((reply) => reply.catch(replyOrThrow));
    const operation = commands[0]?.[0].toLowerCase() ?? '';
    const answer = () => withRedisDeadline(Promise.all(replies), { what, timeoutMs: options.timeoutMs });
    const answers = await timed({ server: 'redis', operation }, answer);
    for (const [i, reply] of answers.entries()) this.#refused.note(commands[i] ?? [''], reply);
    return answers;
  }

  /**
   * Sends a command that a server answers only where it refuses it, over an established connection. `onAnswer` is called then. It has
   * no deadline, and its time is not measured.
   */
  callUnanswered(command: Command, onAnswer: () => void): void {
    if (this.#connection.state !== 'ready') return;
    const onError = (error: Error) => {
      if (error.name === 'ReplyError') onAnswer();
    };
    void this.#connection.send(command).then(onAnswer, onError);
  }

  /** Resolves when there is a connection, or none can be had within `timeoutMs`. */
  async connected(options: { readonly timeoutMs: number }): Promise<void> {
    if (this.#connection.state === 'waiting' && !this.#pace.isFlapping) this.#connection.reopen();
    if (this.#connection.state === 'ready') return;
    await once(this.#connection, 'ready', { signal: AbortSignal.timeout(options.timeoutMs) }).catch(() => undefined);
  }

  /** Resolves when the present connection ends. Rejects if `signal` is aborted. */
  async ended(signal: AbortSignal): Promise<void> {
    await once(this.#connection, 'close', { signal });
  }

  close(): void {
    this.#faults.close();
    this.#connection.close();
  }

  #connect(): RespConnection {
    const connection = new RespConnection(this.address, this.#access, this.#pace);
    connection.on('error', (error) => {
      this.#lastError = error;
      this.#faults.failed(error);
      this.#noteAccess(error);
      if (!this.#reached && this.#refusal === undefined) this.#noteUnreached(error.message);
    });
    let established = false;
    connection.on('ready', () => {
      established = true;
      this.#lastError = undefined;
      this.#unreached = undefined;
      this.#hooks.onUp?.();
    });
    connection.on('close', (why) => {
      const wasEstablished = established;
      established = false;
      if (wasEstablished && why === 'lost' && isClosedByPeer(this.#lastError)) this.#hooks.onClosed?.();
    });
    return connection;
  }

  /** Records whether the server refuses access. No answer at all says nothing about that. */
  #noteAccess(thrown: unknown): void {
    const refusal = refusalIn(thrown);
    if (refusal === this.#refusal || (refusal === undefined && thrown !== undefined)) return;
    this.#refusal = refusal;
    this.#hooks.onAccessChange?.();
  }

  #noteUnreached(why: string): void {
    const isNews = this.#unreached === undefined;
    this.#unreached ??= why;
    if (isNews) this.#hooks.onAccessChange?.();
  }

  /** Throws where the server keeps closing its connections. */
  #connectNow(): void {
    if (this.#connection.state !== 'waiting') return;
    if (this.#pace.isFlapping) throw this.#lastError ?? closedAtOnce();
    this.#connection.reopen();
  }
}

function readRole(reply: unknown): RoleAnswer['role'] {
  const role = Array.isArray(reply) ? reply[0] : undefined;
  if (role === 'master') return 'master';
  return role === 'slave' || role === 'replica' ? 'replica' : 'other';
}
