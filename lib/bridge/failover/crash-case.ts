import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { aborted } from '../interruption.ts';
import type { MasterMemory } from '../memory.ts';
import { type RestartedMaster, readReplica, readRestarted } from '../observe/crash-reading.ts';
import { knockAll, type Way } from '../observe/knock.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import {
  type CrashDecision,
  type CrashReplica,
  type CrashSign,
  decideCrash,
  type JudgingBridge,
} from '../plan/crash.ts';
import { type ConnectionState, isProven, longestPauseMs, traceConnection } from '../plan/crash-proof.ts';
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
  readonly onReport: (report: CrashReport) => void;
}

/** A master to which a connection was closed. */
export interface ClosedMaster {
  readonly name: string;
  readonly record: MasterRecord;
  readonly memory: MasterMemory;
  /** The ways by which this host reached it. */
  readonly ways: readonly Way[];
  /** As they were before. */
  readonly replicas: readonly Pick<CrashReplica, 'address' | 'wasInStep'>[];
  /** The run ids by which the Sentinels knew its process. */
  readonly runIds: readonly string[];
}

type CaseEnd = CrashReport | 'others act';

const knockEveryMs = 18;
const readEveryMs = 15;
/** After the proof, for what contradicts it: other bridges, and connections that have not noticed. */
const longestWaitMs = 3_000;
const restartMs = 10_000;
const loadingMs = 600_000;
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

  constructor(closed: ClosedMaster, parts: CrashCaseParts) {
    this.#closed = closed;
    this.#parts = parts;
  }

  /** Ends when it is clear what happened; after an order, when its failover is followed. Rejects only if `signal` is aborted. */
  async pursue(signal: AbortSignal): Promise<void> {
    const { name, record, memory } = this.#closed;
    try {
      const report = await this.#watchRefusals(signal);
      this.#ended.abort();
      if (report === undefined || report === 'others act') return;
      this.#parts.onReport(report);
      if (report.sentinel === undefined) return;
      // Any bridge may complete the failover from its promotion on, so the lease ends there.
      const isFollowed = (known: MasterRecord) => compareVersions(known, record) > 0;
      await Promise.race([memory.whenRemembered(isFollowed, { timeoutMs: settleMs }), aborted(signal)]);
    } finally {
      this.#ended.abort();
      if (this.#provenMs !== undefined) await this.#parts.evidence.withdraw(name);
      await this.#lease?.leave();
    }
  }

  async #watchRefusals(signal: AbortSignal): Promise<CaseEnd | undefined> {
    const { ways } = this.#closed;
    let connection: ConnectionState = traceConnection({ kind: 'no-proof' }, { kind: 'closed', atMs: this.#startedMs });
    for (;;) {
      const kind = await knockAll(ways, { timeoutMs: longestPauseMs });
      signal.throwIfAborted();
      connection = traceConnection(connection, { kind, atMs: performance.now() });
      if (kind === 'accepted') return this.#judgeRestart(signal);
      if (connection.kind !== 'refused') return undefined;
      this.#gather();
      const sign: CrashSign = { kind: 'refused', connection };
      if (this.#isProven(connection)) {
        const report = await this.#act(sign);
        if (report !== undefined) return report;
      }
      await delay(knockEveryMs, undefined, { signal });
    }
  }

  /** Publishes the proof as soon as it is complete. */
  #isProven(connection: ConnectionState): boolean {
    const nowMs = performance.now();
    const { name, record } = this.#closed;
    const { crashAfterMs, evidence } = this.#parts;
    if (!isProven(connection, { crashAfterMs, nowMs })) return this.#provenMs !== undefined;
    if (this.#provenMs === undefined) {
      this.#provenMs = nowMs;
      void evidence.publish(name, { master: formatAddress(record.master), seenAt: new Date().toISOString() });
    }
    return true;
  }

  /** A process answers: the same one, another one with all the data, or one that would make the replicas empty. */
  async #judgeRestart(signal: AbortSignal): Promise<CaseEnd | undefined> {
    const { runIds } = this.#closed;
    const restarted = runIds.length === 0 ? undefined : await this.#untilLoaded(signal);
    if (restarted?.state !== 'master' || runIds.includes(restarted.runId)) return undefined;
    this.#gather();
    this.#provenMs = performance.now();
    while (performance.now() - this.#provenMs < longestWaitMs) {
      if (this.#seen !== undefined) {
        const hasMore = this.#seen.replicas.some(({ keys = 0 }) => keys > restarted.keys);
        if (!hasMore) return undefined;
        const report = await this.#act({ kind: 'emptied', keys: restarted.keys });
        if (report !== undefined) return report;
      }
      await delay(readEveryMs, undefined, { signal });
    }
    return undefined;
  }

  async #untilLoaded(signal: AbortSignal): Promise<RestartedMaster | undefined> {
    const { redis } = this.#parts;
    for (let limitMs = restartMs; performance.now() - this.#startedMs < limitMs; ) {
      const restarted = await readRestarted(redis, this.#closed.record.master);
      if (restarted !== undefined && restarted.state !== 'loading') return restarted;
      if (restarted?.state === 'loading') limitMs = loadingMs;
      await delay(knockEveryMs, undefined, { signal });
    }
    return undefined;
  }

  /** Decides on what is known now. undefined: not yet. */
  async #act(sign: CrashSign): Promise<CaseEnd | undefined> {
    const lease = this.#lease?.state ?? { kind: 'missing', why: 'the lease was not requested' };
    const decision = this.#decide(sign, lease.kind === 'held' ? lease.last.ageMs : undefined);
    if (decision.kind === 'leave') return 'others act';
    if (decision.kind === 'refuse') return this.#report(sign, { why: decision.why });
    if (decision.kind === 'order' && lease.kind === 'held') return this.#order(sign, decision);
    const why = decision.kind === 'wait' ? decision.why : lease.kind === 'missing' ? lease.why : '';
    const waitedMs = performance.now() - (this.#provenMs ?? performance.now());
    return waitedMs > longestWaitMs ? this.#report(sign, { why }) : undefined;
  }

  #decide(sign: CrashSign, lastOrderAgeMs: number | undefined): CrashDecision {
    const { name, record, memory } = this.#closed;
    const { sentinels, crashAfterMs } = this.#parts;
    const { remembered } = memory;
    const { views = [], replicas = [] } = this.#seen ?? {};
    return decideCrash({
      master: record.master,
      sign,
      crashAfterMs,
      nowMs: performance.now(),
      record: remembered,
      recordAgeMs: remembered === undefined ? 0 : Math.max(0, Date.now() - Date.parse(remembered.changedAt)),
      lastOrderAgeMs,
      views,
      knownSentinels: sentinels.count(name),
      replicas,
      bridges: this.#bridges(),
    });
  }

  /** Consul shows this bridge's own evidence some milliseconds late. */
  #bridges(): readonly JudgingBridge[] {
    const { evidence, bridgeId } = this.#parts;
    return evidence
      .bridges(this.#closed.name)
      .map((one) => (one.bridge === bridgeId ? { ...one, sees: 'crash' } : one));
  }

  async #order(sign: CrashSign, { sentinel }: Extract<CrashDecision, { kind: 'order' }>): Promise<CrashReport> {
    const { name, record } = this.#closed;
    const { sentinels, evidence } = this.#parts;
    const lease = this.#lease?.state;
    const link = sentinels.linkTo(name, sentinel);
    if (lease?.kind !== 'held' || link === undefined) return this.#report(sign, { why: 'its Sentinel was lost' });
    try {
      const facts = { master: formatAddress(record.master), sentinel: formatAddress(sentinel), sign: sign.kind };
      if (!(await evidence.claimOrder(name, { last: lease.last, facts })))
        return this.#report(sign, { why: 'another bridge has ordered a failover' });
      await orderFailover(link, name);
    } catch (thrown) {
      return this.#report(sign, { why: SwitchmasterError.from(thrown).message });
    }
    return this.#report(sign, { sentinel });
  }

  #report(sign: CrashSign, { sentinel, why }: { readonly sentinel?: Address; readonly why?: string }): CrashReport {
    const { name, record } = this.#closed;
    const { views = [], replicas = [] } = this.#seen ?? {};
    const times = { startedMs: this.#startedMs, provenMs: this.#provenMs, endedMs: performance.now() };
    const details = toCrashDetails(sign, { ...times, bridges: this.#bridges(), views, replicas, sentinel });
    return { name, master: record.master, sign: sign.kind, sentinel, why, details };
  }

  /** Requests the lease, and asks the Sentinels and the replicas again and again, from the first sign on. */
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
      await delay(readEveryMs, undefined, { ref: false });
    }
  }
}
