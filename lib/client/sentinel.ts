import type { Redis } from 'ioredis';
import { type ErrorCode, SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { isNamed } from '../model/link-fault.ts';
import type { SentinelEvent, SentinelView } from '../model/sentinel.ts';
import { ticks } from '../ticks.ts';
import { withRedisDeadline } from './deadline.ts';
import { FaultFinder } from './fault-finder.ts';
import { MasterStates } from './master-states.ts';
import { openRedis, type RedisAccess } from './redis-connection.ts';
import { translateRedisError } from './redis-errors.ts';
import { type RefusedCommand, RefusedCommands } from './refused-commands.ts';
import { timed } from './request-time.ts';
import { type Ask, askMaster, askTiltSince, askView, noMaster, pingLink, subscribe } from './sentinel-questions.ts';
import { readEvent, readId, readMonitoredMasters, readPeers, readView, type SentinelPeer } from './sentinel-shapes.ts';

export interface SentinelLinkOptions {
  readonly address: Address;
  readonly access: RedisAccess;
  /** A message arrived. Messages are lost while the link is down: read the state back on `onUp`. */
  readonly onEvent: (event: SentinelEvent) => void;
  /** The link can answer questions, and is subscribed unless that is refused. Called again when it is not refused any more. */
  readonly onUp: () => void;
  /**
   * The link was lost, or could not be made. Called once, and once more where the Sentinel then refuses the login or the
   * cause becomes known.
   */
  readonly onDown: (error: SwitchmasterError) => void;
}

/** How often a link is checked by PING. */
const pingSeconds = 3;

/**
 * One Sentinel: a subscription to all its messages, and a connection for questions. The two go up and down together.
 * Sentinel has neither QUIT nor SELECT, so a link is closed by closing its sockets.
 */
export class SentinelLink {
  readonly address: Address;
  readonly #options: SentinelLinkOptions;
  readonly #events: Redis;
  readonly #commands: Redis;
  readonly #stopPinging: () => void;
  readonly #faults: FaultFinder;
  #lastError: Error | undefined;
  /** The code of the last `onDown` since the link was up. */
  #reported: ErrorCode | undefined;
  #up = false;
  readonly #refused = new RefusedCommands();
  readonly #states = new MasterStates();
  #id: string | undefined;

  constructor(options: SentinelLinkOptions) {
    this.address = options.address;
    this.#options = options;
    const { address, access } = options;
    this.#faults = new FaultFinder({ address, tls: access.tls, onChange: () => this.#faultFound() });
    this.#events = openRedis(address, access, { autoResubscribe: false });
    this.#commands = openRedis(address, access);
    for (const redis of [this.#events, this.#commands]) {
      redis.on('error', (error: Error) => this.#down(error));
      redis.on('close', () => this.#down(this.#lastError));
    }
    this.#events.on('pmessage', (_pattern: string, channel: string, message: string) => {
      options.onEvent(readEvent(channel, message));
    });
    this.#events.on('ready', () => void this.#greet());
    this.#commands.on('ready', () => void this.#greet());
    this.#stopPinging = ticks.every(pingSeconds, () => void this.#ping());
  }

  get up(): boolean {
    return this.#up;
  }

  /** The commands that its user may not run. Without PSUBSCRIBE no message arrives. */
  get refusedCommands(): readonly RefusedCommand[] {
    return this.#refused.list;
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

  /**
   * This Sentinel's view of `name`, in one round trip where it answers every question. Rejects with
   * `sentinel-master-unknown` if it has no such master. `noted`: the list of all masters shows later what differs from it.
   */
  async view(name: string, options: { readonly timeoutMs: number; readonly noted: boolean }): Promise<SentinelView> {
    const ask: Ask = (args) => this.call(args, options);
    const answers = await askView(this.#commands, ask, name);
    if (options.noted) this.#states.note(name, answers.master);
    return readView({ name, sentinelId: this.id, sentinel: this.address, ...answers });
  }

  /** Whether it monitors `name`. */
  async monitors(name: string, options: { readonly timeoutMs: number }): Promise<boolean> {
    try {
      await askMaster((args) => this.call(args, options), name);
      return true;
    } catch (thrown) {
      if (SwitchmasterError.from(thrown).code === 'sentinel-master-unknown') return false;
      throw thrown;
    }
  }

  /** Since when it is in TILT mode, in milliseconds since 1970; undefined if it is not. Rejects if its user may not ask. */
  tiltSince(options: { readonly timeoutMs: number }): Promise<number | undefined> {
    const what = `INFO at ${formatAddress(this.address)}`;
    return askTiltSince(this.#commands, { what, refused: this.#refused, ...options });
  }

  /** SENTINEL FAILOVER: this Sentinel starts a failover at once, without the votes of the others. */
  async failover(name: string, options: { readonly timeoutMs: number }): Promise<void> {
    await this.call(['FAILOVER', name], options);
  }

  /** All masters that it monitors. During a failover, the rest of this answer is not reliable. */
  async masters(options: { readonly timeoutMs: number }): Promise<ReturnType<typeof readMonitoredMasters>> {
    return readMonitoredMasters(await this.call(['MASTERS'], options), this.address, this.#states);
  }

  /** Where the other Sentinels of `name` are, and their ids. */
  async others(name: string, options: { readonly timeoutMs: number }): Promise<readonly SentinelPeer[]> {
    return readPeers(await this.call(['SENTINELS', name], options), `SENTINEL SENTINELS ${name}`);
  }

  close(): void {
    this.#stopPinging();
    this.#faults.close();
    for (const redis of [this.#events, this.#commands]) {
      redis.removeAllListeners();
      redis.on('error', () => {});
      redis.disconnect();
    }
  }

  /** `SENTINEL` with these arguments. Rejects with a SwitchmasterError. */
  async call(args: readonly string[], options: { readonly timeoutMs: number }): Promise<unknown> {
    const what = `SENTINEL ${args[0]} at ${formatAddress(this.address)}`;
    try {
      const call = () =>
        withRedisDeadline(this.#commands.call('SENTINEL', ...args), { what, timeoutMs: options.timeoutMs });
      const reply = await timed({ server: 'sentinel', operation: args[0]?.toLowerCase() ?? '' }, call);
      this.#refused.note(['SENTINEL', ...args], reply);
      return reply;
    } catch (thrown) {
      this.#refused.note(['SENTINEL', ...args], thrown);
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
      const id = this.#commands.call('SENTINEL', 'MYID').catch((error: Error) => error);
      const [myId] = await withRedisDeadline(Promise.all([id, subscribe(this.#events, this.#refused)]), deadline);
      this.#refused.note(['SENTINEL', 'MYID'], myId);
      this.#id = readId(myId) ?? this.#id;
      this.#lastError = undefined;
      this.#faults.answered();
      if (this.#up) return;
      this.#up = true;
      this.#reported = undefined;
      this.#options.onUp();
    } catch (thrown) {
      this.#cut(thrown);
    }
  }

  /**
   * A stopped process or a dropped route closes no connection, so only an unanswered PING shows it. A refusal is an answer.
   * Every PING also repeats what was refused, because no server reports a changed ACL.
   */
  async #ping(): Promise<void> {
    if (!this.#up) return;
    const pings = [...[this.#events, this.#commands].map(pingLink), this.#retryRefused()];
    try {
      await withRedisDeadline(Promise.all(pings), { what: `PING at ${formatAddress(this.address)}`, timeoutMs: 2_000 });
    } catch (thrown) {
      this.#cut(thrown);
    }
  }

  async #retryRefused(): Promise<void> {
    const refused = new Set(this.refusedCommands.map(({ command }) => command));
    if (refused.has('PSUBSCRIBE') && (await subscribe(this.#events, this.#refused)) === 'accepted' && this.#up)
      this.#options.onUp();
    if (refused.has('SENTINEL FAILOVER')) await this.failover(noMaster, { timeoutMs: 1_000 }).catch(() => {});
  }

  #cut(thrown: unknown): void {
    this.#lastError = thrown instanceof Error ? thrown : new Error(String(thrown));
    for (const redis of [this.#events, this.#commands]) if (redis.status === 'ready') redis.disconnect(true);
  }

  #down(error: Error | undefined): void {
    if (error !== undefined) this.#lastError = error;
    const wasUp = this.#up;
    this.#up = false;
    this.#faults.failed(this.#lastError ?? new Error('the connection was closed'));
    const why = this.#reason();
    const isNew = this.#reported === undefined || (why.code === 'redis-denied' && this.#reported !== 'redis-denied');
    if (isNew) this.#report(why);
    if (!wasUp) return;
    // A subscription without the other connection would look alive while nothing can be read back, and vice versa.
    for (const redis of [this.#events, this.#commands]) if (redis.status === 'ready') redis.disconnect(true);
  }

  /** The diagnosis takes longer than the report of the loss. */
  #faultFound(): void {
    const { fault } = this.#faults;
    if (!this.#up && this.#reported !== undefined && fault !== undefined && isNamed(fault))
      this.#report(this.#reason());
  }

  #report(why: SwitchmasterError): void {
    this.#reported = why.code;
    this.#options.onDown(why);
  }

  #reason(): SwitchmasterError {
    return this.#translate(this.#lastError ?? new Error('the connection was closed'), 'the connection');
  }

  #translate(thrown: unknown, what: string): SwitchmasterError {
    return translateRedisError(thrown, {
      what: `${what} (Sentinel ${formatAddress(this.address)})`,
      lastError: this.#lastError,
      fault: this.#faults.fault,
    });
  }
}
