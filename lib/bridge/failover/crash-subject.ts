import type { RedisPool } from '../../client/redis-pool.ts';
import type { Way } from '../../crash/connect-attempt.ts';
import type { CrashEnd, CrashKnowledge, CrashSubject } from '../../crash/subject.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { MaintenancePart } from '../../maintenance/part.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import { ageOf } from '../../model/age.ts';
import { type CrashDecision, hasLostKeys, type RestartedMaster } from '../../model/crash.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import { type SentinelView, sentinelDefaults } from '../../model/sentinel.ts';
import { readReplica } from '../observe/crash-reading.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import type { SentinelSource } from '../observe/sentinels.ts';
import { type CrashReplica, decideCrash, failoverTimeoutMs } from '../plan/crash.ts';
import type { ClosedMaster } from './closed-master.ts';
import { type CrashReport, toCrashDetails } from './crash-report.ts';
import { orderFailover } from './order.ts';

export interface SentinelCrashParts {
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly maintenance: Pick<MaintenancePart, 'whyNotOnCrash'>;
  readonly onReport: (report: CrashReport) => void;
}

const followMs = 5_000;
/** Longer than TILT mode lasts, in which a Sentinel takes orders and carries them out afterwards, all at once. */
const settleMs = 40_000;
const infoTimeoutMs = 200;

/** A master of Sentinels. The target of an order is a Sentinel. */
export class SentinelCrash implements CrashSubject<Address> {
  readonly name: string;
  readonly master: Address;
  readonly ways: readonly Way[];
  readonly runIds: readonly string[];
  readonly #closed: ClosedMaster;
  readonly #parts: SentinelCrashParts;
  #seen: { readonly views: readonly SentinelView[]; readonly replicas: readonly CrashReplica[] } | undefined;

  constructor(closed: ClosedMaster, ways: readonly Way[], parts: SentinelCrashParts) {
    this.#closed = closed;
    this.#parts = parts;
    this.name = closed.name;
    this.master = closed.record.master;
    this.ways = ways;
    this.runIds = closed.runIds;
  }

  whyNot(): string | undefined {
    return this.#parts.maintenance.whyNotOnCrash({ kind: 'master', name: this.name });
  }

  async readInfo(): Promise<unknown> {
    const { redis } = this.#parts;
    await redis.connected(this.master, { timeoutMs: infoTimeoutMs });
    const [info] = await redis.command(this.master, [['INFO']], { timeoutMs: infoTimeoutMs });
    return info;
  }

  async readOthers(): Promise<() => void> {
    const { sentinels, redis } = this.#parts;
    const [readings, replicas] = await Promise.all([
      sentinels.read(this.name),
      Promise.all(this.#closed.replicas.map((replica) => readReplica(redis, replica))),
    ]);
    return () => {
      this.#seen = { views: distinctViews(readings), replicas };
    };
  }

  forgetOthers(): void {
    this.#seen = undefined;
  }

  wouldLoseKeys(restarted: RestartedMaster): boolean | undefined {
    return this.#seen === undefined ? undefined : hasLostKeys(restarted, this.#seen.replicas);
  }

  decide(known: CrashKnowledge): CrashDecision {
    const { record: crashed, memory, electionFailedMs } = this.#closed;
    const { record } = memory;
    const { views = [], replicas = [] } = this.#seen ?? {};
    // Afterwards the Sentinels may have begun another one.
    const hasFailed = electionFailedMs !== undefined && known.nowMs - electionFailedMs < failoverTimeoutMs({ views });
    return decideCrash({
      ...known,
      master: crashed.master,
      record,
      election: hasFailed ? 'failed' : 'unknown',
      recordAgeMs: record === undefined ? 0 : ageOf(record.changedAt),
      views,
      knownSentinels: this.#parts.sentinels.count(this.name),
      replicas,
      maintenance: this.whyNot(),
    });
  }

  failoverTimeMs(): number {
    const { views = [] } = this.#seen ?? {};
    return views.length === 0 ? sentinelDefaults.failoverTimeoutMs : failoverTimeoutMs({ views });
  }

  describe(sentinel: Address): Readonly<Record<string, string>> {
    return { sentinel: formatAddress(sentinel) };
  }

  /** A Sentinel refuses if it selects no replica, because it has no recent INFO. */
  async order(sentinel: Address): Promise<void> {
    const link = this.#parts.sentinels.linkTo(this.name, sentinel);
    if (link === undefined)
      throw new SwitchmasterError('redis-refused', `Sentinel ${formatAddress(sentinel)} was lost`);
    await orderFailover(link, this.name);
  }

  /** Any bridge may complete the failover from its promotion on. */
  followed(signal: AbortSignal): Promise<void> {
    return this.#whenNewer(() => true, { timeoutMs: followMs, signal });
  }

  /** Until a majority of the Sentinels has adopted it, they are busy with it. */
  settled(signal: AbortSignal): Promise<void> {
    return this.#whenNewer(({ phase }) => phase === 'confirmed', { timeoutMs: settleMs, signal });
  }

  async #whenNewer(
    isMeant: (known: MasterRecord) => boolean,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    const { memory, record } = this.#closed;
    await memory.whenRemembered((known) => compareVersions(known, record) > 0 && isMeant(known), limits);
  }

  report(end: CrashEnd<Address>): void {
    const { kind, sign, target: sentinel, why } = end;
    const { views = [], replicas = [] } = this.#seen ?? {};
    const details = toCrashDetails({ ...end, views, replicas });
    this.#parts.onReport({ kind, name: this.name, master: this.master, sign: sign.kind, sentinel, why, details });
  }
}
