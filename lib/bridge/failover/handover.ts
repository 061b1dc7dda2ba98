import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { abortFailover, orderCoordinated, readHandOver, readProgress } from '../../client/coordinated-failover.ts';
import type { SentinelLink } from '../../client/sentinel.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Election } from '../../model/sentinel.ts';
import { releaseWrites } from '../apply/fence.ts';
import { askForAcknowledgements } from './acknowledgements.ts';
import { isAnyMaster } from './planned-replication.ts';
import type { PlannedFailoverParts } from './planned-steps.ts';

const pollMs = 3;
const progressMs = 50;
const askTimeoutMs = 500;
/** Sentinel gives up an election after 10 s (sentinel.c, sentinel_election_timeout). */
const electionMs = 11_000;
/** The master carries FAILOVER out as soon as it has read it, so what it says after this time is its answer. */
const answerMs = 200;

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

export type HandedOver =
  | { readonly kind: 'promoted'; readonly to: MasterRecord; readonly election: Election | undefined }
  /** Nothing has changed, and Sentinel can be ordered in the other manner. */
  | { readonly kind: 'given-up'; readonly why: string }
  /** Nothing has changed, but Sentinel still waits for the master to hand over to this replica, for failover-timeout. */
  | { readonly kind: 'ignored'; readonly why: string; readonly selected: Address }
  | { readonly kind: 'late' };

/** One coordinated failover, from the order to the record of the promotion. */
export class HandOver {
  readonly #name: string;
  readonly #parts: PlannedFailoverParts;
  readonly #options: HandOverOptions;
  #election: Election | undefined;
  #takesWritesMs = performance.now();
  #hasStopped = false;
  /** Since when Sentinel has given FAILOVER to a master that does not carry it out. */
  #ignoredSinceMs: number | undefined;

  constructor(name: string, parts: PlannedFailoverParts, options: HandOverOptions) {
    this.#name = name;
    this.#parts = parts;
    this.#options = options;
  }

  /** Orders it and waits. A failure after the order has lost nothing: the master takes writes again. */
  async carryOut(link: SentinelLink): Promise<HandedOver> {
    const refusal = await this.#order(link);
    if (refusal !== undefined) return { kind: 'given-up', why: refusal };
    this.#options.onOrdered();
    const { redis } = this.#parts;
    const stopAsking = askForAcknowledgements(redis, this.#options.candidates);
    let result: HandedOver | undefined;
    try {
      result = await this.#follow(link);
      return result;
    } finally {
      stopAsking();
      if (result?.kind !== 'promoted') await this.#abort();
    }
  }

  /** Returns what the Sentinel answered where it refuses. */
  async #order(link: SentinelLink): Promise<string | undefined> {
    try {
      await orderCoordinated(link, this.#name, { timeoutMs: 1_000 });
      return undefined;
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      // Without an answer, the Sentinel may have begun.
      if (!(error.cause instanceof Error) || error.cause.name !== 'ReplyError') throw error;
      return `the Sentinel ${formatAddress(link.address)} answers: ${error.cause.message}`;
    }
  }

  async #follow(link: SentinelLink): Promise<HandedOver> {
    const { sentinels } = this.#parts;
    let deadlineMs = performance.now() + Math.max(electionMs, this.#options.timeoutMs);
    let nextLookMs = 0;
    while (performance.now() < deadlineMs) {
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
    if (state === 'takes-writes') this.#takesWritesMs = askedMs;
    const to = this.#promoted();
    if (state !== 'hands-over' && to === undefined) return;
    this.#hasStopped = true;
    this.#options.onStopped(this.#takesWritesMs);
  }

  #promoted(): MasterRecord | undefined {
    const { record: known } = this.#parts.memory;
    return known !== undefined && !sameAddress(known.master, this.#options.record.master) ? known : undefined;
  }

  /** Whether the Sentinel gave up, or the master did not take its FAILOVER. */
  async #askSentinel(link: SentinelLink): Promise<HandedOver | undefined> {
    const progress = await readProgress(link, this.#name, { timeoutMs: askTimeoutMs }).catch(() => undefined);
    if (progress === 'none' && !this.#hasStopped && !(await this.#isAnyMaster()))
      return { kind: 'given-up', why: `the Sentinel ${formatAddress(link.address)} was not elected, or gave up` };
    const selected = this.#election?.selected;
    if (progress !== 'given' || this.#hasStopped || selected === undefined) {
      this.#ignoredSinceMs = undefined;
      return undefined;
    }
    this.#ignoredSinceMs ??= performance.now();
    const isIgnored = this.#takesWritesMs > this.#ignoredSinceMs + answerMs;
    if (!isIgnored || (await this.#isAnyMaster())) return undefined;
    const master = formatAddress(this.#options.record.master);
    const why = `${master} did not carry out Sentinel's FAILOVER: does Sentinel's user have the rule +failover there?`;
    return { kind: 'ignored', why, selected };
  }

  #isAnyMaster(): Promise<boolean> {
    return isAnyMaster(this.#parts.redis, this.#options.candidates);
  }

  /** The master takes writes again, unless a replica is a master already. */
  async #abort(): Promise<void> {
    if (this.#promoted() !== undefined || (await this.#isAnyMaster())) return;
    const { redis } = this.#parts;
    const { master } = this.#options.record;
    await abortFailover(redis, master, { timeoutMs: askTimeoutMs });
    await releaseWrites(redis, master);
  }
}
