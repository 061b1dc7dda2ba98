import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { orderCoordinated, readHandOver, readProgress } from '../../client/coordinated-failover.ts';
import type { SentinelLink } from '../../client/sentinel.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Election } from '../../model/sentinel.ts';
import { askForAcknowledgements } from './acknowledgements.ts';
import { endHandOver, type HandOverEnd, readHandOverSoon } from './handover-end.ts';
import { isRefusedOrder } from './order.ts';
import { isAnyMaster } from './planned-replication.ts';
import type { PlannedFailoverParts } from './planned-steps.ts';

const pollMs = 3;
const progressMs = 50;
const askTimeoutMs = 500;
/** Sentinel gives up an election after 10 s (sentinel.c, sentinel_election_timeout). */
const electionMs = 11_000;
/** The master carries FAILOVER out as soon as it has read it, so what it says after this time is its answer. */
const answerMs = 200;
/** A Sentinel that did not answer the order in time may begin so much later. */
const lateOrderMs = 2_000;

export interface HandOverOptions {
  readonly record: MasterRecord;
  /** The replicas that Sentinel could select. */
  readonly candidates: readonly Address[];
  /** From the selection of a replica to the promotion. */
  readonly timeoutMs: number;
  readonly onOrdered: () => void;
  /** The master does not take writes any more. `lastMs`: when it did, in milliseconds of `performance.now()`. */
  readonly onStopped: (lastMs: number) => void;
}

type Followed =
  | { readonly kind: 'promoted'; readonly to: MasterRecord; readonly election: Election | undefined }
  /** Sentinel can be ordered in the other manner. */
  | { readonly kind: 'given-up'; readonly why: string }
  /** Sentinel still waits for the master to hand over, for failover-timeout. */
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'late' };

export type HandedOver =
  | Extract<Followed, { kind: 'promoted' }>
  /** Nothing has changed. */
  | Extract<Followed, { kind: 'given-up' }>
  | (Extract<Followed, { kind: 'ignored' | 'late' }> & { readonly end: HandOverEnd });

/** One coordinated failover, from the order to the record of the promotion. */
export class HandOver {
  readonly #name: string;
  readonly #parts: PlannedFailoverParts;
  readonly #options: HandOverOptions;
  #election: Election | undefined;
  #takesWritesMs = performance.now();
  #hasStopped = false;
  /** When the master was last seen without a FAILOVER. */
  #idleMs = 0;
  /** Since when Sentinel has given FAILOVER to a master that does not carry it out. */
  #ignoredSinceMs: number | undefined;
  /** Until when a Sentinel that runs no failover may still begin it. */
  #mayBeginUntilMs = 0;

  constructor(name: string, parts: PlannedFailoverParts, options: HandOverOptions) {
    this.#name = name;
    this.#parts = parts;
    this.#options = options;
  }

  /** Orders it, waits, and ends it where it is not completed. */
  async carryOut(link: SentinelLink): Promise<HandedOver> {
    const { redis } = this.#parts;
    const { candidates, record, onOrdered } = this.#options;
    const { master } = record;
    const before = await readHandOverSoon(redis, master);
    if (before?.stage !== 'idle') {
      const state = before === undefined ? 'does not answer INFO' : 'carries out a FAILOVER already';
      return { kind: 'given-up', why: `${formatAddress(master)} ${state}` };
    }
    const refusal = await this.#order(link);
    if (refusal !== undefined) return { kind: 'given-up', why: refusal };
    onOrdered();
    const stopAsking = askForAcknowledgements(redis, candidates);
    let followed: Followed = { kind: 'late' };
    let end: HandOverEnd = 'unknown';
    try {
      followed = await this.#follow(link);
    } finally {
      stopAsking();
      if (followed.kind !== 'promoted') end = await endHandOver(redis, { master, candidates, history: before.history });
    }
    if (followed.kind === 'promoted') return followed;
    if (followed.kind === 'given-up') return end === 'undone' ? followed : { kind: 'late', end };
    return { ...followed, end };
  }

  /** Returns what the Sentinel answered where it refuses. Without an answer, it may have begun. */
  async #order(link: SentinelLink): Promise<string | undefined> {
    try {
      await orderCoordinated(link, this.#name, { timeoutMs: 1_000 });
      return undefined;
    } catch (thrown) {
      const { cause } = SwitchmasterError.from(thrown);
      this.#mayBeginUntilMs = performance.now() + lateOrderMs;
      if (!isRefusedOrder(cause)) return undefined;
      return `the Sentinel ${formatAddress(link.address)} answers: ${cause.message}`;
    }
  }

  async #follow(link: SentinelLink): Promise<Followed> {
    const { sentinels } = this.#parts;
    let deadlineMs = performance.now() + Math.max(electionMs, this.#options.timeoutMs);
    let nextLookMs = 0;
    while (performance.now() < deadlineMs && !this.#parts.ends.all.aborted) {
      const election = sentinels.election(this.#name, link.address);
      if (election !== undefined && this.#election === undefined)
        deadlineMs = performance.now() + this.#options.timeoutMs;
      this.#election = election ?? this.#election;
      await this.#look();
      const to = this.#promoted();
      if (to !== undefined) return { kind: 'promoted', to, election: this.#election };
      if (performance.now() >= nextLookMs) {
        const end = await this.#askSentinel(link);
        if (end !== undefined) return end;
        nextLookMs = performance.now() + progressMs;
      }
      await delay(pollMs);
    }
    return { kind: 'late' };
  }

  /** Whether the master still takes writes. */
  async #look(): Promise<void> {
    if (this.#hasStopped) return;
    const askedMs = performance.now();
    const state = await readHandOver(this.#parts.redis, this.#options.record.master, { timeoutMs: askTimeoutMs });
    const isIdle = state?.stage === 'idle';
    if (isIdle) this.#idleMs = askedMs;
    // A bridge may pause the writes at the selection, and older servers do not report a pause.
    const mayBePaused = state?.isPaused ?? this.#election !== undefined;
    if (isIdle && !mayBePaused) this.#takesWritesMs = askedMs;
    const to = this.#promoted();
    if ((state === undefined || isIdle) && to === undefined) return;
    this.#hasStopped = true;
    this.#options.onStopped(this.#takesWritesMs);
  }

  #promoted(): MasterRecord | undefined {
    const { record: known } = this.#parts.memory;
    return known !== undefined && !sameAddress(known.master, this.#options.record.master) ? known : undefined;
  }

  /** Whether the Sentinel gave up, or the master did not take its FAILOVER. */
  async #askSentinel(link: SentinelLink): Promise<Followed | undefined> {
    const progress = await readProgress(link, this.#name, { timeoutMs: askTimeoutMs }).catch(() => undefined);
    if (this.#hasStopped) return undefined;
    if (progress === 'none' && performance.now() > this.#mayBeginUntilMs && !(await this.#isAnyMaster()))
      return { kind: 'given-up', why: `the Sentinel ${formatAddress(link.address)} was not elected, or gave up` };
    if (progress !== 'given') {
      this.#ignoredSinceMs = undefined;
      return undefined;
    }
    this.#ignoredSinceMs ??= performance.now();
    const isIgnored = this.#idleMs > this.#ignoredSinceMs + answerMs;
    if (!isIgnored || (await this.#isAnyMaster())) return undefined;
    const master = formatAddress(this.#options.record.master);
    return { kind: 'ignored', why: `${master} did not carry out Sentinel's FAILOVER` };
  }

  #isAnyMaster(): Promise<boolean> {
    return isAnyMaster(this.#parts.redis, this.#options.candidates);
  }
}
