import type { RedisPool } from '../../client/redis-pool.ts';
import type { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import { demote, type FenceOutcome, pauseWrites, releaseWrites } from '../apply/fence.ts';
import {
  type FenceAction,
  type FenceMode,
  type FenceSituation,
  former,
  pauseBeforePromotionMs,
  pauseMs,
  planFence,
  planLatePause,
} from './plan.ts';

/** What was done to a former master, for the log and the journal. */
export interface FenceReport {
  readonly name: string;
  readonly action: FenceAction['kind'] | 'pause-before-promotion' | 'release';
  readonly address: string;
  /** Why it could not be done. */
  readonly error: SwitchmasterError | undefined;
}

export interface FencerOptions {
  readonly redis: RedisPool;
  readonly mode: FenceMode;
  readonly onReport: (report: FenceReport) => void;
}

/** Asking a former master must not hold up a run for long: it may well be dead. */
const askTimeoutMs = 200;

/** Keeps former masters from taking writes. Every use is reported: REPLICAOF discards data. */
export class Fencer {
  readonly #options: FencerOptions;
  /** What this bridge has paused: who becomes master again must not stay so. */
  readonly #paused = new Set<string>();
  /** By master: the change for which the old one was paused. */
  readonly #turned = new Map<string, string>();

  constructor(options: FencerOptions) {
    this.#options = options;
  }

  /**
   * A replica was selected to replace `master`, whose writes wait until it was promoted: what would be acknowledged in
   * between would be lost. One that is dead, as after most failures, is not worth a word.
   */
  pauseBeforePromotion(name: string, master: Address): Promise<void> {
    return this.#hold(name, { action: 'pause-before-promotion', address: master, pauseMs: pauseBeforePromotionMs });
  }

  /** The former master of a promotion whose confirmation is being seen to: its writes go on waiting. */
  hold(name: string, address: Address): Promise<void> {
    return this.#hold(name, { action: 'pause', address, pauseMs });
  }

  /** The master changes at this moment: the old one's writes wait, where it can be reached; the new one's go on. */
  async turn(name: string, change: { readonly from: Address; readonly to: Address }): Promise<void> {
    if (this.#options.mode === 'none') return;
    this.#turned.delete(name);
    await Promise.all([
      this.#pauseOnce(name, change),
      this.#paused.has(formatAddress(change.to)) ? this.#release(name, change.to) : undefined,
    ]);
  }

  /**
   * Asks everyone who could come back as a master. Only when somebody did, `weigh` hears the Sentinels again: what they
   * say must be newer than the answers. `stillHolds` is asked right before each step. `found`: somebody did, whether
   * anything could be done about it or not. Before the confirmation a former master that could not be reached when the
   * master changed is paused, once.
   */
  async enforce(
    record: MasterRecord,
    options: {
      /** Every node of this master that any Sentinel has named. */
      readonly members: readonly Address[];
      readonly weigh: () => Promise<Pick<FenceSituation, 'evidence' | 'views'>>;
      readonly stillHolds: () => boolean;
    },
  ): Promise<'found' | 'none'> {
    const { redis, mode } = this.#options;
    const { members, stillHolds } = options;
    if (mode === 'none') return 'none';
    const roles = await Promise.all(former(record).map((address) => redis.role(address, { timeoutMs: askTimeoutMs })));
    if (record.phase === 'promoted') {
      const from = planLatePause({ record, roles, members });
      if (from !== undefined && stillHolds()) await this.#pauseOnce(record.name, { from, to: record.master });
      return 'none';
    }
    if (!roles.some(({ role }) => role === 'master')) return 'none';
    const weighed = await options.weigh();
    for (const action of planFence({ mode, record, roles, members, ...weighed })) {
      if (!stillHolds()) break;
      await (action.kind === 'pause' ? this.#pause(record.name, action) : this.#demote(record.name, action));
    }
    return 'found';
  }

  async #hold(
    name: string,
    pause: { readonly action: 'pause-before-promotion' | 'pause'; readonly address: Address; readonly pauseMs: number },
  ): Promise<void> {
    if (this.#options.mode === 'none') return;
    const { action, address } = pause;
    const outcome = await pauseWrites(this.#options.redis, pause);
    if (outcome.kind === 'applied') this.#paused.add(formatAddress(address));
    else if (outcome.error.code !== 'redis-denied' && outcome.error.code !== 'redis-refused') return;
    this.#report({ name, action, address, outcome });
  }

  /** Each change pauses the old master once: longer would not heal by itself. */
  async #pauseOnce(name: string, { from, to }: { readonly from: Address; readonly to: Address }): Promise<void> {
    const change = `${formatAddress(from)} ${formatAddress(to)}`;
    if (this.#turned.get(name) === change) return;
    const outcome = await this.#pause(name, { address: from, pauseMs });
    if (outcome.kind === 'applied') this.#turned.set(name, change);
  }

  async #pause(name: string, pause: { readonly address: Address; readonly pauseMs: number }): Promise<FenceOutcome> {
    const outcome = await pauseWrites(this.#options.redis, pause);
    if (outcome.kind === 'applied') this.#paused.add(formatAddress(pause.address));
    this.#report({ name, action: 'pause', address: pause.address, outcome });
    return outcome;
  }

  async #release(name: string, address: Address): Promise<void> {
    const outcome = await releaseWrites(this.#options.redis, address);
    if (outcome.kind === 'applied') this.#paused.delete(formatAddress(address));
    this.#report({ name, action: 'release', address, outcome });
  }

  async #demote(name: string, demotion: { readonly address: Address; readonly master: Address }): Promise<void> {
    const outcome = await demote(this.#options.redis, demotion);
    if (outcome.kind === 'applied') this.#paused.delete(formatAddress(demotion.address));
    this.#report({ name, action: 'demote', address: demotion.address, outcome });
  }

  #report(what: {
    readonly name: string;
    readonly action: FenceReport['action'];
    readonly address: Address;
    readonly outcome: { readonly kind: 'applied' } | { readonly kind: 'failed'; readonly error: SwitchmasterError };
  }): void {
    const { name, action, address, outcome } = what;
    const error = outcome.kind === 'failed' ? outcome.error : undefined;
    this.#options.onReport({ name, action, address: formatAddress(address), error });
  }
}
