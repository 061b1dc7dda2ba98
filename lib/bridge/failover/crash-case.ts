import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { aborted } from '../interruption.ts';
import type { BridgeMaintenance } from '../maintenance/maintenance.ts';
import { tryConnectAll } from '../observe/connect-attempt.ts';
import { readReplica, waitForRestart } from '../observe/crash-reading.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import {
  type CrashDecision,
  type CrashReplica,
  type CrashSign,
  decideCrash,
  failoverTimeoutMs,
  hasLostKeys,
  type JudgingBridge,
} from '../plan/crash.ts';
import { type ConnectionState, isProven, longestPauseMs, traceConnection } from '../plan/crash-proof.ts';
import type { ClosedMaster } from './closed-master.ts';
import type { CrashEvidence } from './crash-evidence.ts';
import { CrashLease, type CrashLeaseOptions } from './crash-lease.ts';
import { type CrashReport, toCrashDetails } from './crash-report.ts';
import { orderFailover } from './order.ts';

export interface CrashCaseParts extends CrashLeaseOptions {
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly evidence: CrashEvidence;
  readonly bridgeId: string;
  readonly crashAfterMs: number;
  readonly maintenance: Pick<BridgeMaintenance, 'whyNot'>;
  readonly onReport: (report: CrashReport) => void;
}

/** `judged`: the process is gone. `not-crashed`: one answers. `unclear`: it cannot be proven, as after a pause of the bridge. */
export type Judgement = 'judged' | 'not-crashed' | 'unclear';

type CaseEnd = CrashReport | 'others act' | 'not-crashed' | 'unclear';

const everyMs = 20;
/** After the proof, for what contradicts it: other bridges, and connections that have not noticed. */
const longestWaitMs = 3_000;
const settleMs = 5_000;

/** What follows when the other side closes this bridge's connection to a master: until it is clear whether it crashed. */
export class CrashCase {
  readonly #closed: ClosedMaster;
  readonly #parts: CrashCaseParts;
  readonly #startedMs = performance.now();
  readonly #ended = new AbortController();
  #lease: CrashLease | undefined;
  #seen: { readonly views: readonly SentinelView[]; readonly replicas: readonly CrashReplica[] } | undefined;
  #provenMs: number | undefined;
  /** Why a Sentinel refused the order. */
  #refusal = 'its Sentinel was lost';

  constructor(closed: ClosedMaster, parts: CrashCaseParts) {
    this.#closed = closed;
    this.#parts = parts;
  }

  /** Ends when it is clear what happened; after an order, when its failover is followed. Rejects only if `signal` is aborted. */
  async pursue(signal: AbortSignal): Promise<Judgement> {
    const { record, memory } = this.#closed;
    try {
      const report = await this.#watch(signal);
      this.#ended.abort();
      if (typeof report === 'string') return report === 'others act' ? 'judged' : report;
      this.#parts.onReport(report);
      if (report.sentinel === undefined) return 'judged';
      // Any bridge may complete the failover from its promotion on, so the lease ends there.
      const isFollowed = (known: MasterRecord) => compareVersions(known, record) > 0;
      await Promise.race([memory.whenRemembered(isFollowed, { timeoutMs: settleMs }), aborted(signal)]);
      return 'judged';
    } finally {
      this.#ended.abort();
      await this.#retract();
      await this.#lease?.leave();
    }
  }

  /** A process that ends closes its connections in any order, so the listener may accept for a moment longer. */
  async #watch(signal: AbortSignal): Promise<CaseEnd> {
    for (;;) {
      const end = await this.#watchRefusals(signal);
      if (end !== 'accepted') return end;
      await this.#retract();
      const judged = await this.#judgeRestart(signal);
      if (judged !== 'gone') return judged;
    }
  }

  async #watchRefusals(signal: AbortSignal): Promise<CaseEnd | 'accepted'> {
    const { ways } = this.#closed;
    let connection: ConnectionState = { kind: 'closed', closedMs: performance.now() };
    for (;;) {
      const kind = await tryConnectAll(ways, { timeoutMs: longestPauseMs });
      signal.throwIfAborted();
      connection = traceConnection(connection, { kind, atMs: performance.now() });
      if (kind === 'accepted') return 'accepted';
      if (connection.kind !== 'refused') return 'unclear';
      this.#gather();
      if (this.#isProven(connection)) {
        const report = await this.#act({ kind: 'refused', connection });
        if (report !== undefined) return report;
      }
      await delay(everyMs, undefined, { signal });
    }
  }

  async #retract(): Promise<void> {
    if (this.#provenMs !== undefined) await this.#parts.evidence.withdraw(this.#closed.name);
    this.#provenMs = undefined;
  }

  /** Publishes the proof as soon as it is complete. */
  #isProven(connection: ConnectionState): boolean {
    const nowMs = performance.now();
    const { crashAfterMs, evidence } = this.#parts;
    if (!isProven(connection, { crashAfterMs, nowMs })) return this.#provenMs !== undefined;
    if (this.#provenMs === undefined) {
      this.#provenMs = nowMs;
      void evidence.publish(this.#closed.name, this.#closed.record.master);
    }
    return true;
  }

  /** A process answers: the same one, another one with all the data, or one that would make the replicas empty. */
  async #judgeRestart(signal: AbortSignal): Promise<CaseEnd | 'gone'> {
    const { record, runIds, ways } = this.#closed;
    const restarted = await waitForRestart(this.#parts.redis, { address: record.master, ways, signal });
    if (restarted === 'gone') return restarted;
    if (restarted === undefined) return 'unclear';
    if (restarted.state !== 'master' || runIds.length === 0 || runIds.includes(restarted.runId)) return 'not-crashed';
    this.#gather();
    this.#provenMs = performance.now();
    while (performance.now() - this.#provenMs < longestWaitMs) {
      if (this.#seen !== undefined) {
        if (!hasLostKeys(restarted, this.#seen.replicas)) return 'not-crashed';
        const report = await this.#act({ kind: 'emptied', keys: restarted.keys });
        if (report !== undefined) return report;
      }
      await delay(everyMs, undefined, { signal });
    }
    return 'not-crashed';
  }

  /** Decides on what is known now. undefined: not yet. */
  async #act(sign: CrashSign): Promise<CaseEnd | undefined> {
    const lease = this.#lease?.state ?? { kind: 'missing', why: 'the lease was not requested' };
    const decision = this.#decide(sign, lease.kind === 'held' ? lease.last.ageMs : undefined);
    if (decision.kind === 'leave') return 'others act';
    if (decision.kind === 'refuse') return this.#report(sign, { why: decision.why });
    if (decision.kind === 'order' && lease.kind === 'held') {
      const report = await this.#order(sign, decision.sentinel);
      if (report !== undefined) return report;
    }
    const why = decision.kind === 'wait' ? decision.why : lease.kind === 'missing' ? lease.why : this.#refusal;
    const endMs = (this.#provenMs ?? performance.now()) + longestWaitMs;
    return performance.now() > endMs ? this.#report(sign, { why }) : undefined;
  }

  #decide(sign: CrashSign, lastOrderAgeMs: number | undefined): CrashDecision {
    const { name, record: crashed, memory, electionFailedMs } = this.#closed;
    const { sentinels, crashAfterMs, maintenance } = this.#parts;
    const { record } = memory;
    const { views = [], replicas = [] } = this.#seen ?? {};
    const nowMs = performance.now();
    // Afterwards the Sentinels may have begun another one.
    const hasFailed = electionFailedMs !== undefined && nowMs - electionFailedMs < failoverTimeoutMs({ views });
    return decideCrash({
      master: crashed.master,
      sign,
      crashAfterMs,
      nowMs,
      record,
      election: hasFailed ? 'failed' : 'unknown',
      recordAgeMs: record === undefined ? 0 : Math.max(0, Date.now() - Date.parse(record.changedAt)),
      lastOrderAgeMs,
      views,
      knownSentinels: sentinels.count(name),
      replicas,
      bridges: this.#bridges(),
      maintenance: maintenance.whyNot(name),
    });
  }

  /** Consul shows this bridge's own evidence some milliseconds late. */
  #bridges(): readonly JudgingBridge[] {
    const { evidence, bridgeId } = this.#parts;
    return evidence
      .bridges(this.#closed.name, this.#closed.record.master)
      .map((one) => (one.bridge === bridgeId ? { ...one, sees: 'crash' } : one));
  }

  /** undefined if the Sentinel refuses: it selects no replica without a recent INFO. The bridge may order it again. */
  async #order(sign: CrashSign, sentinel: Address): Promise<CrashReport | undefined> {
    const { name, record } = this.#closed;
    const link = this.#parts.sentinels.linkTo(name, sentinel);
    const facts = { master: formatAddress(record.master), sentinel: formatAddress(sentinel), sign: sign.kind };
    try {
      if (link === undefined) return undefined;
      if (!(await this.#lease?.claim(facts))) return this.#report(sign, { why: 'another bridge ordered a failover' });
      // It may have begun while Consul took the claim: the next decision has that reason.
      if (this.#parts.maintenance.whyNot(name) !== undefined) return undefined;
      await orderFailover(link, name);
      return this.#report(sign, { sentinel });
    } catch (thrown) {
      const { code, message: why } = SwitchmasterError.from(thrown);
      this.#refusal = why;
      return code === 'redis-refused' ? undefined : this.#report(sign, { why });
    }
  }

  #report(sign: CrashSign, { sentinel, why }: { readonly sentinel?: Address; readonly why?: string }): CrashReport {
    const { name, record } = this.#closed;
    const { views = [], replicas = [] } = this.#seen ?? {};
    const times = { startedMs: this.#startedMs, provenMs: this.#provenMs, endedMs: performance.now() };
    const details = toCrashDetails(sign, { ...times, bridges: this.#bridges(), views, replicas, sentinel });
    return { name, master: record.master, sign: sign.kind, sentinel, why, details };
  }

  /** From the first sign on, requests the lease and asks the Sentinels and the replicas again and again. */
  #gather(): void {
    if (this.#lease !== undefined) return;
    this.#lease = new CrashLease(this.#closed.name, this.#parts);
    void this.#read().catch(() => undefined);
  }

  async #read(): Promise<void> {
    const { name, replicas } = this.#closed;
    const { sentinels, redis } = this.#parts;
    while (!this.#ended.signal.aborted) {
      const [readings, answers] = await Promise.all([
        sentinels.read(name),
        Promise.all(replicas.map((replica) => readReplica(redis, replica))),
      ]);
      this.#seen = { views: distinctViews(readings), replicas: answers };
      await delay(everyMs, undefined, { ref: false });
    }
  }
}
