import { type Address, isIn, sameAddress } from '../model/address.ts';
import type { Opinion } from '../model/check-opinion.ts';
import { compareVersions } from '../model/epoch.ts';
import { type Outage, trackOutage } from '../model/outage.ts';
import type { MasterRecord, StoredRecord } from '../model/record.ts';
import type { SentinelView } from '../model/sentinel.ts';
import type { Past } from './finding.ts';
import { MasterFaults } from './master-faults.ts';
import type { RecordReading } from './observe/record-slices.ts';
import type { SentinelReading } from './observe/sentinel-reading.ts';
import type { Lagging } from './plan/decision.ts';
import { RepairDelay } from './repair-delay.ts';
import { SecondMasters } from './second-masters.ts';

/**
 * What a bridge remembers of one master between two runs. All of it can be lost: a restarted bridge reads it back from
 * Consul and the Sentinels.
 */
export class MasterMemory {
  /** When a difference from Consul may be corrected. */
  readonly repairDelay: RepairDelay;
  readonly faults = new MasterFaults();
  readonly secondMasters = new SecondMasters();
  #remembered: MasterRecord | undefined;
  #trusted: MasterRecord | undefined;
  #decided: MasterRecord | undefined;
  #abandonedEpoch: number | undefined;
  #lagging: Lagging | undefined;
  #members: readonly Address[] = [];
  #lastReadings: { readonly readings: readonly SentinelReading[]; readonly readAt: Date } | undefined;
  #opinion: { readonly master: Opinion | undefined; readonly signature: string } | undefined;
  #outage: Outage | undefined;
  #rebaseUntilMs = 0;
  #problem: string | undefined;
  #refusal: string | undefined;
  /** A record that this bridge read or wrote directly, until the watch has reached its index. */
  #ahead: { readonly held: StoredRecord; readonly resets: number; readonly index: bigint } | undefined;
  #promotionWaits = 0;
  #listeners: readonly (() => void)[] = [];

  /** `random` returns numbers from 0 up to 1, as Math.random does. */
  constructor(random: () => number = Math.random) {
    this.repairDelay = new RepairDelay(random);
  }

  /** The newest record that a bridge wrote, as far as this one knows: it ignores one that somebody edited. */
  get record(): MasterRecord | undefined {
    return this.#trusted ?? this.#remembered;
  }

  /** Every node of this master that any Sentinel has named. */
  get members(): readonly Address[] {
    return this.#members;
  }

  /** What the Sentinels answered when the bridge last asked all of them, and when. */
  get lastReadings(): { readonly readings: readonly SentinelReading[]; readonly readAt: Date } | undefined {
    return this.#lastReadings;
  }

  /** The last opinion about the master, as its check shows it. */
  get opinion(): Opinion | undefined {
    return this.#opinion?.master;
  }

  /** What is wrong until a person or another program corrects it, as a sentence. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Why the bridge may write nothing about this master: somebody has to rename it, or another one. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** What a decision at `nowMs` must know of earlier runs. */
  past(nowMs: number): Past {
    return {
      remembered: this.#remembered,
      trusted: this.#trusted,
      decided: this.#decided,
      abandonedEpoch: this.#abandonedEpoch,
      lagging: this.#lagging,
      rebaseAsked: nowMs < this.#rebaseUntilMs ? 'asked' : 'not-asked',
    };
  }

  /** Every Sentinel was asked. */
  noteReadings(readings: readonly SentinelReading[], readAt: Date): void {
    this.#lastReadings = { readings, readAt };
  }

  /** Sentinels named the nodes of this master. A node stays a member although the Sentinels forget it. */
  noteMembers(views: readonly SentinelView[]): void {
    const named = views.flatMap(({ master, replicas }) => [master, ...replicas.map(({ address }) => address)]);
    const unknown = named.filter((address) => !isIn(this.#members, address));
    // A list that grows entry by entry has room for sixteen more; this one has not, and each master keeps it.
    if (unknown.length > 0) this.#members = this.#members.concat(unknown);
  }

  /** Every Sentinel was asked: the outage of `master`, if there is one. */
  noteOutage(observed: Parameters<typeof trackOutage>[1]): Outage | undefined {
    this.#outage = trackOutage(this.#outage, observed);
    return this.#outage;
  }

  /** The newer of what the watch pushed and what this bridge read or wrote since. */
  held(reading: RecordReading): StoredRecord {
    const ahead = this.#ahead;
    if (ahead !== undefined && (reading.index >= ahead.index || reading.resets !== ahead.resets))
      this.#ahead = undefined;
    const held = this.#ahead?.held ?? reading.held;
    if (held.kind === 'present') this.#remember(held.record);
    return held;
  }

  /** After a write, or a read of Consul that is newer than the watch. `index` is Consul's. */
  noteStored(held: StoredRecord, at: { readonly index: bigint; readonly resets: number }): void {
    // An answer for which no run waits any more may arrive after a newer one.
    if (this.#ahead === undefined || this.#ahead.resets !== at.resets || at.index >= this.#ahead.index)
      this.#ahead = { held, ...at };
    if (held.kind === 'present') this.#remember(held.record);
  }

  /** This bridge wrote `record`, or it has evidence that another one did. */
  trust(record: MasterRecord): void {
    this.#closeGeneration(record);
    if (replaces(record, this.#trusted)) this.#trusted = record;
    this.#remember(record);
  }

  /** This bridge decided to follow a failover; Consul may not have taken the record yet. */
  followed(record: MasterRecord): void {
    if (replaces(record, this.#decided)) this.#decided = record;
  }

  /** Whether a majority of the Sentinels contradicts the record, by the last readings. */
  contradicted(lagging: Lagging | undefined): void {
    this.#lagging = lagging;
  }

  /** An operator asked for a new generation. */
  rebaseRequested(untilMs: number): void {
    this.#rebaseUntilMs = untilMs;
  }

  /** The new generation begins. */
  rebaseGranted(): void {
    this.#rebaseUntilMs = 0;
  }

  /** `refusal` is why the bridge may write nothing, `problem` what it waits for. Both undefined: it waits for nothing. */
  foundProblem(found: { readonly refusal: string | undefined; readonly problem: string | undefined }): void {
    this.#refusal = found.refusal;
    this.#problem = found.refusal ?? found.problem;
  }

  /** Takes the Sentinels' opinion. True where it is not the last one, by its signature. */
  judged(master: Opinion | undefined, signature: string): boolean {
    const changed = this.#opinion?.signature !== signature;
    this.#opinion = { master, signature };
    return changed;
  }

  /**
   * When to ask a target again that is not a master yet. At first that is every `retryAfterMs`, because it is about to
   * become one; after 20 times the wait doubles, up to a second.
   */
  promotionRetryMs(retryAfterMs: number): number {
    this.#promotionWaits += 1;
    return Math.min(retryAfterMs * 2 ** Math.max(0, this.#promotionWaits - 20), 1_000);
  }

  promotionOver(): void {
    this.#promotionWaits = 0;
  }

  /** `record`, as soon as it fulfils `wanted`; undefined when that takes longer than `timeoutMs`. */
  whenRemembered(
    wanted: (record: MasterRecord) => boolean,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<MasterRecord | undefined> {
    return new Promise((resolve) => {
      const settle = (record: MasterRecord | undefined) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        this.#listeners = this.#listeners.filter((listener) => listener !== check);
        resolve(record);
      };
      const check = () => {
        const { record } = this;
        if (record !== undefined && wanted(record)) settle(record);
      };
      const giveUp = () => settle(undefined);
      const timer = setTimeout(giveUp, timeoutMs);
      signal?.addEventListener('abort', giveUp);
      this.#listeners = [...this.#listeners, check];
      check();
      if (signal?.aborted === true) giveUp();
    });
  }

  /** The master was removed from the Sentinels and from Consul: a new master of this name begins from nothing. */
  forget(): void {
    this.#remembered = undefined;
    this.#trusted = undefined;
    this.#decided = undefined;
    this.#abandonedEpoch = undefined;
    this.#lagging = undefined;
    this.#members = [];
    this.#lastReadings = undefined;
    this.#opinion = undefined;
    this.#outage = undefined;
    this.secondMasters.forget();
    this.faults.forget();
    this.#rebaseUntilMs = 0;
    this.#problem = undefined;
    this.#refusal = undefined;
    this.#ahead = undefined;
    this.#promotionWaits = 0;
  }

  #remember(record: MasterRecord): void {
    if (replaces(record, this.#remembered)) this.#remembered = record;
    for (const listener of this.#listeners) listener();
  }

  /** A generation that follows a promotion, and has another master, begins because that promotion failed. */
  #closeGeneration(record: MasterRecord): void {
    const last = newest(this.record, this.#decided);
    if (last === undefined || record.generation <= last.generation) return;
    const failed = last.phase === 'promoted' && !sameAddress(last.master, record.master);
    this.#abandonedEpoch = failed ? last.epoch : undefined;
  }
}

/** At the same version the first master seen stays: so the bridge recognizes a record that was edited by hand. */
function replaces(record: MasterRecord, last: MasterRecord | undefined): boolean {
  const order = last === undefined ? 1 : compareVersions(record, last);
  return order > 0 || (order === 0 && last !== undefined && sameAddress(record.master, last.master));
}

function newest(a: MasterRecord | undefined, b: MasterRecord | undefined): MasterRecord | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return compareVersions(a, b) >= 0 ? a : b;
}
