import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { refusesCommand } from '../client/redis-errors.ts';
import { SwitchmasterError } from '../errors.ts';
import { formatAddress } from '../model/address.ts';
import type { CrashSign, JudgingBridge } from '../model/crash.ts';
import { type ConnectionState, isProven, longestPauseMs, traceConnection } from '../model/crash-proof.ts';
import { tryConnectAll } from './connect-attempt.ts';
import type { CrashEvidence, OrderClaim } from './evidence.ts';
import type { CrashLeaseOptions } from './lease.ts';
import { News } from './news.ts';
import { Preparation } from './preparation.ts';
import { waitForRestart } from './restart.ts';
import type { CrashEnd, CrashSubject } from './subject.ts';

export interface CrashCaseParts extends CrashLeaseOptions {
  readonly evidence: CrashEvidence;
  readonly bridgeId: string;
  readonly crashAfterMs: number;
}

/** `judged`: the process is gone. `not-crashed`: one answers. `unclear`: it cannot be proven, as after a pause of the bridge. */
export type Judgement = 'judged' | 'not-crashed' | 'unclear';

type CaseEnd<Target> = CrashEnd<Target> | 'others act' | 'not-crashed' | 'unclear';

const everyMs = 20;
/** After the proof, if other bridges or servers have said something. */
const soonMs = 2;
/** After the proof, for what contradicts it: other bridges, and connections that have not noticed. */
const longestWaitMs = 3_000;

/** What follows when the other side closes this bridge's connection to a master: until it is clear whether it crashed. */
export class CrashCase<Target> {
  readonly #subject: CrashSubject<Target>;
  readonly #parts: CrashCaseParts;
  readonly #startedMs = performance.now();
  readonly #news = new News();
  #preparation: Preparation | undefined;
  /** Preparations that end. */
  readonly #leaving: Promise<void>[] = [];
  /** A claim that led to no order. */
  #unused: OrderClaim | undefined;
  #provenMs: number | undefined;
  /** `refused`: the server answered that it does not do it, so it certainly was not carried out. */
  #lastOrder: 'none' | 'refused' | 'given' = 'none';
  /** Why the order was refused. */
  #refusal = 'the server to order it from was lost';

  constructor(subject: CrashSubject<Target>, parts: CrashCaseParts) {
    this.#subject = subject;
    this.#parts = parts;
  }

  /** Ends when it is clear what happened; after an order, when its failover is followed. Rejects only if `signal` is aborted. */
  async pursue(signal: AbortSignal): Promise<Judgement> {
    const unfollow = this.#parts.evidence.follow(this.#subject.name, () => this.#news.arrive());
    try {
      const end = await this.#watch(signal);
      void this.#preparation?.stop();
      if (typeof end === 'string') return end === 'others act' ? 'judged' : end;
      this.#subject.report(end);
      if (end.target !== undefined) await this.#subject.followed(signal);
      return 'judged';
    } finally {
      unfollow();
      await this.#retract();
      await this.#cancelRefused();
      this.#endPreparation();
      await Promise.all(this.#leaving);
    }
  }

  /** A process that ends closes its connections in any order, so the listener may accept for a moment longer. */
  async #watch(signal: AbortSignal): Promise<CaseEnd<Target>> {
    for (;;) {
      const end = await this.#watchRefusals(signal);
      if (end !== 'accepted') return end;
      await this.#retract();
      const judged = await this.#judgeRestart(signal);
      if (judged !== 'gone') return judged;
    }
  }

  async #watchRefusals(signal: AbortSignal): Promise<CaseEnd<Target> | 'accepted'> {
    const { ways } = this.#subject;
    let connection: ConnectionState = { kind: 'closed', closedMs: performance.now() };
    for (;;) {
      const triedMs = performance.now();
      const kind = await tryConnectAll(ways, { timeoutMs: longestPauseMs });
      signal.throwIfAborted();
      connection = traceConnection(connection, { kind, atMs: performance.now() });
      if (kind === 'accepted') return 'accepted';
      if (connection.kind !== 'refused') return 'unclear';
      this.#prepare();
      if (this.#isProven(connection)) {
        const end = await this.#act({ kind: 'refused', connection });
        if (end !== undefined) return end;
      }
      await this.#rest(triedMs, signal);
    }
  }

  /** Until the next attempt. What is learned before the proof cannot complete it. */
  async #rest(triedMs: number, signal: AbortSignal): Promise<void> {
    const mostMs = Math.max(soonMs, triedMs + everyMs - performance.now());
    await this.#news.rest({ leastMs: this.#provenMs === undefined ? mostMs : soonMs, mostMs, signal });
  }

  async #retract(): Promise<void> {
    if (this.#provenMs !== undefined) await this.#parts.evidence.withdraw(this.#subject.name);
    this.#provenMs = undefined;
  }

  /** Publishes the proof as soon as it is complete. */
  #isProven(connection: ConnectionState): boolean {
    const nowMs = performance.now();
    const { crashAfterMs, evidence } = this.#parts;
    if (!isProven(connection, { crashAfterMs, nowMs })) return this.#provenMs !== undefined;
    if (this.#provenMs === undefined) {
      this.#provenMs = nowMs;
      void evidence.publish(this.#subject.name, this.#subject.master);
    }
    return true;
  }

  /** A process answers: the same one, another one with all the data, or one that would make the replicas empty. */
  async #judgeRestart(signal: AbortSignal): Promise<CaseEnd<Target> | 'gone'> {
    const { runIds, ways } = this.#subject;
    const [readInfo, onDelay] = [() => this.#subject.readInfo(), () => this.#endPreparation()];
    const restarted = await waitForRestart({ readInfo, ways, signal, onDelay });
    if (restarted === 'gone') return restarted;
    if (restarted === undefined) return 'unclear';
    if (restarted.state !== 'master' || runIds.length === 0 || runIds.includes(restarted.runId)) return 'not-crashed';
    this.#prepare();
    this.#provenMs = performance.now();
    while (performance.now() - this.#provenMs < longestWaitMs) {
      const loses = this.#subject.wouldLoseKeys(restarted);
      if (loses === false) return 'not-crashed';
      const end = loses === undefined ? undefined : await this.#act({ kind: 'emptied', keys: restarted.keys });
      if (end !== undefined) return end;
      await delay(everyMs, undefined, { signal });
    }
    return 'not-crashed';
  }

  /** Decides on what is known now. undefined: not yet. */
  async #act(sign: CrashSign): Promise<CaseEnd<Target> | undefined> {
    const lease = this.#preparation?.lease.state ?? { kind: 'missing', why: 'the lease was not requested' };
    const lastOrderAgeMs = lease.kind === 'held' ? lease.last.ageMs : undefined;
    const { crashAfterMs } = this.#parts;
    const known = { sign, crashAfterMs, nowMs: performance.now(), lastOrderAgeMs, bridges: this.#bridges() };
    const decision = this.#subject.decide(known);
    if (decision.kind === 'leave') return 'others act';
    if (decision.kind === 'refuse') return this.#end(sign, { why: decision.why });
    if (decision.kind === 'order' && lease.kind === 'held') {
      const end = await this.#order(sign, decision.target);
      if (end !== undefined) return end;
    }
    const why = decision.kind === 'wait' ? decision.why : lease.kind === 'missing' ? lease.why : this.#refusal;
    const endMs = (this.#provenMs ?? performance.now()) + longestWaitMs;
    return performance.now() > endMs ? this.#end(sign, { why }) : undefined;
  }

  /** Consul shows this bridge's own evidence some milliseconds late. */
  #bridges(): readonly JudgingBridge[] {
    const { evidence, bridgeId } = this.#parts;
    return evidence
      .bridges(this.#subject.name, this.#subject.master)
      .map((one) => (one.bridge === bridgeId ? { ...one, sees: 'crash' } : one));
  }

  /** undefined if the server refuses, for a reason that may end: the bridge may order it again. */
  async #order(sign: CrashSign, target: Target): Promise<CrashEnd<Target> | 'others act' | undefined> {
    const { master } = this.#subject;
    const facts = { master: formatAddress(master), ...this.#subject.describe(target), sign: sign.kind };
    try {
      if (!(await this.#preparation?.lease.claim(facts))) return 'others act';
      // Maintenance may have begun while Consul took the claim: the next decision has that reason.
      if (this.#subject.whyNot() !== undefined) return undefined;
      this.#lastOrder = 'given';
      await this.#subject.order(target);
      return this.#end(sign, { target });
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      const { code, message: why } = error;
      this.#refusal = why;
      if (refusesCommand(error)) this.#lastOrder = 'refused';
      return code === 'redis-refused' ? undefined : this.#end(sign, { why });
    }
  }

  /** Another bridge may order what this one was refused, such as without a right. */
  async #cancelRefused(): Promise<void> {
    const claim = this.#preparation?.lease.claimed ?? this.#unused;
    if (this.#lastOrder === 'refused' && claim !== undefined)
      await this.#parts.evidence.cancelOrder(this.#subject.name, claim);
  }

  #end(sign: CrashSign, { target, why }: { readonly target?: Target; readonly why?: string }): CrashEnd<Target> {
    const times = { startedMs: this.#startedMs, provenMs: this.#provenMs, endedMs: performance.now() };
    return { sign, target, why, bridges: this.#bridges(), ...times };
  }

  /** From the first sign on, requests the lease and asks the servers around the master again and again. */
  #prepare(): void {
    if (this.#preparation !== undefined) return;
    this.#subject.forgetOthers();
    const readOthers = () => this.#subject.readOthers();
    const onNews = () => this.#news.arrive();
    const unused = this.#unused;
    this.#preparation = new Preparation(this.#subject.name, { ...this.#parts, readOthers, unused, onNews });
  }

  /** A restarted master may load for minutes, and others need the lease: one of a cluster is for all its shards. */
  #endPreparation(): void {
    const preparation = this.#preparation;
    if (preparation === undefined) return;
    this.#preparation = undefined;
    this.#unused = preparation.lease.claimed ?? this.#unused;
    this.#leaving.push(preparation.stop(), preparation.lease.leave());
  }
}
