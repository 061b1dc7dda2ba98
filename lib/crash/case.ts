import { performance } from 'node:perf_hooks';
import { refusesCommand } from '../client/redis-errors.ts';
import { SwitchmasterError } from '../errors.ts';
import { formatAddress } from '../model/address.ts';
import type { CrashSign, JudgingBridge, RestartedMaster } from '../model/crash.ts';
import type { CrashEndKind } from '../model/crash-end.ts';
import { type ConnectionState, isProven, longestPauseMs, traceConnection } from '../model/crash-proof.ts';
import type { CrashCaseParts, CrashCaseRun, Judgement } from './case-options.ts';
import { tryConnectAll } from './connect-attempt.ts';
import type { OrderClaim } from './evidence.ts';
import { News } from './news.ts';
import { looksLikeOrder, noLease, type Obstacle, obstacles, toFailure, toRefusal, unprovenSign } from './obstacle.ts';
import { restAfter } from './pace.ts';
import { Preparation } from './preparation.ts';
import { waitForRestart } from './restart.ts';
import type { CaseEnd, CrashEnd, CrashSubject } from './subject.ts';

/** What follows when the other side closes this bridge's connection to a master: until it is clear whether it crashed. */
export class CrashCase<Target> {
  readonly #subject: CrashSubject<Target>;
  readonly #parts: CrashCaseParts;
  readonly #run: CrashCaseRun<Target>;
  readonly #news = new News();
  #preparation: Preparation | undefined;
  readonly #leaving: Promise<void>[] = [];
  /** Of a preparation that has ended: a claim that led to no order. */
  #unused: OrderClaim | undefined;
  #provenMs: number | undefined;
  /** The last proof, also one that has ended. */
  #proof: { readonly sign: CrashSign; readonly provenMs: number | undefined } | undefined;
  /** `refused`: the server answered that it does not do it, so it certainly was not carried out. */
  #lastOrder: 'none' | 'refused' | 'given' = 'none';

  constructor(subject: CrashSubject<Target>, parts: CrashCaseParts, run: CrashCaseRun<Target>) {
    this.#subject = subject;
    this.#parts = parts;
    this.#run = run;
  }

  /** Ends when it is clear what happened; after an order, when its failover is followed. Rejects only if `signal` is aborted. */
  async pursue(signal: AbortSignal): Promise<Judgement> {
    const unfollow = this.#parts.evidence.follow(this.#subject.name, () => this.#news.arrive());
    try {
      const end = await this.#watch(signal);
      void this.#preparation?.stop();
      return await this.#conclude(end, signal);
    } catch (thrown) {
      this.#report(this.#endOfProof(toFailure(thrown, signal)));
      if (signal.aborted) throw thrown;
      return 'judged';
    } finally {
      unfollow();
      await this.#retract();
      await this.#cancelUnused();
      this.#endPreparation();
      await Promise.all(this.#leaving);
    }
  }

  async #conclude(end: CaseEnd<Target>, signal: AbortSignal): Promise<Judgement> {
    const proven = typeof end === 'string' ? this.#endOfProof(obstacles[end]) : end;
    if (proven === undefined) return typeof end === 'string' ? end : 'judged';
    this.#report(looksLikeOrder(proven, this.#preparation?.lease) ? await this.#attribute(proven, signal) : proven);
    if (proven.target !== undefined) await this.#subject.followed(signal);
    return typeof end === 'string' ? end : 'judged';
  }

  #report(end: CrashEnd<Target> | undefined): void {
    this.#proof = undefined;
    if (end !== undefined) this.#run.onEnd(end);
  }

  /** Consul may take a second for its answer. Until then, nobody may count on this bridge, which orders nothing any more. */
  async #attribute(end: CrashEnd<Target>, signal: AbortSignal): Promise<CrashEnd<Target>> {
    await this.#retract();
    const sinceMs = performance.now() - this.#run.startedMs;
    const since = { index: this.#run.orderBefore, sinceMs, withinMs: this.#subject.failoverTimeMs() };
    const other = await this.#parts.evidence.orderedElsewhere(this.#subject.name, { since, signal });
    return other === undefined ? end : { ...end, kind: 'ordered-elsewhere', why: `the bridge ${other} has ordered it` };
  }

  /** A process that ends closes its connections in any order, so the listener may accept for a moment longer. */
  async #watch(signal: AbortSignal): Promise<CaseEnd<Target>> {
    for (;;) {
      const end = await this.#watchRefusals(signal);
      if (end !== 'accepted') return end;
      await this.#retract();
      const judged = await this.#judgeRestart(signal);
      if (judged !== 'gone') return judged;
      this.#provenMs = undefined;
    }
  }

  async #watchRefusals(signal: AbortSignal): Promise<CaseEnd<Target> | 'accepted'> {
    let connection: ConnectionState = { kind: 'closed', closedMs: performance.now() };
    for (;;) {
      const triedMs = performance.now();
      const kind = await tryConnectAll(this.#subject.ways, { timeoutMs: longestPauseMs });
      signal.throwIfAborted();
      connection = traceConnection(connection, { kind, atMs: performance.now() });
      if (kind === 'accepted') return 'accepted';
      if (connection.kind !== 'refused') return 'unclear';
      if ((await this.#run.permit.enter(signal)) === 'waited' && this.#run.isOutdated()) return 'unclear';
      this.#prepare();
      if (this.#isProven(connection)) {
        const end = await this.#act({ kind: 'refused', connection });
        if (end !== undefined) return end;
      }
      const proof = { connection, ...this.#parts, isComplete: this.#provenMs !== undefined };
      await this.#news.rest({ ...restAfter(proof, { triedMs, nowMs: performance.now() }), signal });
    }
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

  /**
   * A process answers: the same one, another one with all the data, or one that would make the replicas empty. It is asked before each
   * decision: while the bridge waits, it may end or get its keys back.
   */
  async #judgeRestart(signal: AbortSignal): Promise<CaseEnd<Target> | 'gone'> {
    const { runIds, ways } = this.#subject;
    const readInfo = () => this.#subject.readInfo();
    const onDelay = () => {
      this.#endPreparation();
      this.#run.permit.leave();
    };
    for (let hasAnswered = false; ; hasAnswered = true) {
      const restarted = await waitForRestart({ readInfo, ways, signal, onDelay, hasAnswered });
      if (restarted === 'gone' || restarted === undefined) return restarted ?? 'unclear';
      if (restarted.state !== 'master' || runIds.length === 0 || runIds.includes(restarted.runId)) return 'not-crashed';
      if ((await this.#run.permit.enter(signal)) === 'waited') continue;
      this.#prepare();
      const end = await this.#judgeLoss(restarted);
      if (end !== undefined) return end;
    }
  }

  async #judgeLoss(restarted: RestartedMaster): Promise<CaseEnd<Target> | undefined> {
    this.#provenMs ??= performance.now();
    const loses = this.#subject.wouldLoseKeys(restarted);
    if (loses === true) return this.#act({ kind: 'emptied', keys: restarted.keys });
    if (loses === undefined) return performance.now() - this.#provenMs > this.#run.waitMs() ? 'not-crashed' : undefined;
    const before = this.#proof?.sign;
    if (before?.kind !== 'emptied' || restarted.keys > before.keys) return 'not-crashed';
    return this.#end(before, { kind: 'no-replica', why: 'its replicas have copied its data' });
  }

  /** Decides on what is known now. undefined: not yet. */
  async #act(sign: CrashSign): Promise<CaseEnd<Target> | undefined> {
    this.#proof = { sign, provenMs: this.#provenMs };
    const lease = this.#preparation?.lease.state ?? noLease;
    const lastOrderAgeMs = lease.kind === 'held' ? lease.last.ageMs : undefined;
    const { crashAfterMs } = this.#parts;
    const known = { sign, crashAfterMs, nowMs: performance.now(), lastOrderAgeMs, bridges: this.#bridges() };
    const decision = this.#subject.decide(known);
    if (decision.kind === 'leave') return this.#end(sign, { kind: 'others-act', why: decision.why });
    if (decision.kind === 'refuse') return this.#end(sign, { ...decision, kind: decision.end });
    const missing = lease.kind === 'missing' ? { kind: lease.end, why: lease.why } : undefined;
    const obstacle =
      decision.kind === 'wait'
        ? { kind: decision.end, why: decision.why }
        : (missing ?? (await this.#order(sign, decision.target)));
    if ('endedMs' in obstacle) return obstacle;
    const afterNoteMs = (this.#preparation?.lease.lateMs ?? Number.NEGATIVE_INFINITY) + longestPauseMs + crashAfterMs;
    const endMs = Math.max((this.#provenMs ?? performance.now()) + this.#run.waitMs(obstacle.kind), afterNoteMs);
    return performance.now() > endMs ? this.#end(sign, obstacle) : undefined;
  }

  /** Consul shows this bridge's own evidence some milliseconds late. */
  #bridges(): readonly JudgingBridge[] {
    const { evidence, bridgeId } = this.#parts;
    const bridges = evidence.bridges(this.#subject.name, this.#subject.master);
    return bridges.map((one) => (one.bridge === bridgeId ? { ...one, sees: 'crash' } : one));
  }

  /** An obstacle where the bridge may order it again, because what keeps it from that may end. */
  async #order(sign: CrashSign, target: Target): Promise<CrashEnd<Target> | Obstacle> {
    const { master } = this.#subject;
    const facts = { master: formatAddress(master), ...this.#subject.describe(target), sign: sign.kind };
    try {
      const claim = await this.#preparation?.lease.claim(facts);
      if (claim === 'lost') return this.#end(sign, obstacles['claim-lost']);
      const why = this.#subject.whyNot();
      if (why !== undefined) return { kind: 'maintenance', why };
      // The next decision finds whether the master came back while Consul took the claim.
      if (claim !== 'noted') return obstacles['claim-late'];
      this.#lastOrder = 'given';
      await this.#subject.order(target);
      return this.#end(sign, { kind: 'ordered', target });
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      if (refusesCommand(error)) this.#lastOrder = 'refused';
      const refusal = toRefusal(error);
      return error.code === 'redis-refused' ? refusal : this.#end(sign, refusal);
    }
  }

  /** A note without an order keeps nobody from ordering: another bridge what this one was refused, or this one after maintenance. */
  async #cancelUnused(): Promise<void> {
    const claim = this.#preparation?.lease.claimed ?? this.#unused;
    if (this.#lastOrder !== 'given' && claim !== undefined)
      await this.#parts.evidence.cancelOrder(this.#subject.name, claim);
  }

  /** undefined where nothing was proven. */
  #endOfProof(obstacle: Obstacle): CrashEnd<Target> | undefined {
    const sign = this.#proof?.sign ?? (obstacle.kind === 'failed' ? unprovenSign : undefined);
    return sign === undefined ? undefined : this.#end(sign, obstacle);
  }

  #end(sign: CrashSign, end: Partial<Obstacle> & { kind: CrashEndKind; target?: Target }): CrashEnd<Target> {
    const { kind, target, why, forMs } = end;
    const times = { provenMs: this.#provenMs ?? this.#proof?.provenMs, endedMs: performance.now() };
    return { kind, sign, target, why, forMs, bridges: this.#bridges(), startedMs: this.#run.startedMs, ...times };
  }

  /** From the first sign on, requests the lease and asks the servers around the master again and again. */
  #prepare(): void {
    if (this.#preparation !== undefined) return;
    this.#subject.forgetOthers();
    const [readOthers, onNews] = [() => this.#subject.readOthers(), () => this.#news.arrive()];
    const unused = this.#unused;
    this.#preparation = new Preparation(this.#subject.name, { ...this.#parts, readOthers, unused, onNews });
  }

  /** A restarted master may load for minutes. Others need the place, and the lease: one of a cluster is for all its shards. */
  #endPreparation(): void {
    const preparation = this.#preparation;
    if (preparation === undefined) return;
    this.#preparation = undefined;
    this.#provenMs = undefined;
    this.#unused = preparation.lease.claimed ?? this.#unused;
    this.#leaving.push(preparation.stop(), preparation.lease.leave());
  }
}
