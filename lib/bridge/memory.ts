import { type Address, isIn } from '../model/address.ts';
import { compareVersions } from '../model/epoch.ts';
import type { HeldRecord, MasterRecord } from '../model/record.ts';
import type { SentinelView } from '../model/sentinel.ts';
import type { RecordReading } from './observe/records.ts';
import type { SentinelReading } from './observe/sentinel-reading.ts';
import type { Opinion } from './plan/check-opinion.ts';
import type { Lagging } from './plan/decision.ts';

/**
 * What a bridge remembers of one master between two runs. Everything here can be lost: a restarted bridge reads it back
 * from Consul and the Sentinels.
 */
export class MasterMemory {
  /** The newest record ever seen in Consul or written there. */
  remembered: MasterRecord | undefined;
  /** The last promotion or failover that this bridge decided, whether Consul has taken it or not. */
  decided: MasterRecord | undefined;
  /** The epoch of the last promotion that came to nothing. */
  abandonedEpoch: number | undefined;
  lagging: Lagging | undefined;
  /** Every node of this master that any Sentinel has named. */
  members: readonly Address[] = [];
  readings: readonly SentinelReading[] = [];
  readAt: Date | undefined;
  opinion: Opinion | undefined;
  /** Somebody asked for a new generation by hand: until when that counts, of performance.now(). */
  rebaseAskedUntilMs = 0;
  /** What is wrong and waits for somebody or something, as a sentence. */
  trouble: string | undefined;

  /** What Sentinels say belongs to this master, for good: a former master is one although they forget it. */
  heard(views: readonly SentinelView[]): void {
    const named = views.flatMap(({ master, replicas }) => [master, ...replicas.map(({ address }) => address)]);
    const strangers = named.filter((address) => !isIn(this.members, address));
    if (strangers.length > 0) this.members = [...this.members, ...strangers];
  }

  /** A record read or written directly, until the watch has caught up with it. */
  #ahead: { readonly held: HeldRecord; readonly resets: number; readonly index: bigint } | undefined;
  #difference: { readonly signature: string; readonly sinceMs: number; readonly patienceMs: number } | undefined;
  #correction: { readonly signature: string; readonly times: number; readonly atMs: number } | undefined;
  #opinionSignature = '';
  #promotionWaits = 0;
  readonly #listeners = new Set<() => void>();
  readonly #random: () => number;

  /** `random` answers numbers from 0 up to 1, as Math.random does. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The newer of what was pushed and what was read or written since. */
  held(reading: RecordReading): HeldRecord {
    const ahead = this.#ahead;
    if (ahead !== undefined && (reading.index >= ahead.index || reading.resets !== ahead.resets))
      this.#ahead = undefined;
    const held = this.#ahead?.held ?? reading.held;
    if (held.kind === 'present') this.#remember(held.record);
    return held;
  }

  /** After a write, or a read that went past the watch. `modifyIndex` is Consul's index of it. */
  overtake(held: HeldRecord, at: { readonly index: bigint; readonly resets: number }): void {
    // An answer that nobody waited for any more may come after a newer one.
    if (this.#ahead === undefined || this.#ahead.resets !== at.resets || at.index >= this.#ahead.index)
      this.#ahead = { held, ...at };
    if (held.kind === 'present') this.#remember(held.record);
  }

  /**
   * How much longer a difference from Consul must last before it is written: another bridge may be about to, the watch may
   * lag behind a write, and two bridges that see different Sentinels must not correct each other without end. The
   * patience is drawn anew for each difference, so that one bridge goes first, and doubles each time after the third that
   * this bridge has corrected the very same thing.
   */
  patienceLeftMs(signature: string, nowMs: number): number {
    if (this.#difference?.signature !== signature) {
      const patienceMs = (300 + this.#random() * 700) * 2 ** this.#insistence(signature, nowMs);
      this.#difference = { signature, sinceMs: nowMs, patienceMs };
    }
    return this.#difference.sinceMs + this.#difference.patienceMs - nowMs;
  }

  /** Nothing differs any more. */
  settled(): void {
    this.#difference = undefined;
  }

  /** This bridge wrote what it was patient about. */
  corrected(signature: string, nowMs: number): void {
    const times = this.#correction?.signature === signature ? this.#correction.times + 1 : 1;
    this.#correction = { signature, times, atMs: nowMs };
    this.settled();
  }

  /**
   * When to ask a target again that is not a master yet: at first every `retryAfterMs`, for it is about to become one;
   * ever less often where that lasts.
   */
  promotionRetryMs(retryAfterMs: number): number {
    this.#promotionWaits += 1;
    return Math.min(retryAfterMs * 2 ** Math.max(0, this.#promotionWaits - 20), 1_000);
  }

  promotionOver(): void {
    this.#promotionWaits = 0;
  }

  /** True the first time that the Sentinels' opinion is this one. */
  opinionChanged(signature: string): boolean {
    const changed = this.#opinionSignature !== signature;
    this.#opinionSignature = signature;
    return changed;
  }

  #insistence(signature: string, nowMs: number): number {
    const { times, atMs } = this.#correction?.signature === signature ? this.#correction : { times: 0, atMs: nowMs };
    const exponent = Math.min(Math.max(0, times - 3), 8);
    return nowMs - atMs > forgetCorrectionMs * 2 ** exponent ? 0 : exponent;
  }

  /** The record, as soon as it fulfils `wanted`; undefined when that takes longer than `timeoutMs`. */
  whenRemembered(
    wanted: (record: MasterRecord) => boolean,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<MasterRecord | undefined> {
    return new Promise((resolve) => {
      const settle = (record: MasterRecord | undefined) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve(record);
      };
      const look = () => {
        if (this.remembered !== undefined && wanted(this.remembered)) settle(this.remembered);
      };
      const timer = setTimeout(() => settle(undefined), timeoutMs);
      this.#listeners.add(look);
      look();
    });
  }

  /** A generation that follows a promotion begins because that came to nothing. */
  #closeGeneration(record: MasterRecord): void {
    const last = newest(this.remembered, this.decided);
    if (last === undefined || record.generation <= last.generation) return;
    this.abandonedEpoch = last.phase === 'promoted' ? last.epoch : undefined;
  }

  #remember(record: MasterRecord): void {
    this.#closeGeneration(record);
    if (this.remembered === undefined || compareVersions(record, this.remembered) > 0) this.remembered = record;
    // At the same version the first master seen is kept: a hand's edit is told from the record by it.
    else if (compareVersions(record, this.remembered) === 0 && sameMaster(record, this.remembered))
      this.remembered = record;
    for (const listener of [...this.#listeners]) listener();
  }
}

/** After this long without the same correction it counts as the first again. */
const forgetCorrectionMs = 10_000;

function sameMaster(a: MasterRecord, b: MasterRecord): boolean {
  return a.master.host === b.master.host && a.master.port === b.master.port;
}

function newest(a: MasterRecord | undefined, b: MasterRecord | undefined): MasterRecord | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareVersions(a, b) >= 0 ? a : b;
}
