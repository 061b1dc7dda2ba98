import { readingCommands, toNodeReading } from '../../client/cluster-node-reading.ts';
import type { Way } from '../../crash/connect-attempt.ts';
import { type DescribedEnd, toEvidence } from '../../crash/journal.ts';
import type { CrashEnd, CrashKnowledge, CrashSubject } from '../../crash/subject.ts';
import { SwitchmasterError } from '../../errors.ts';
import { holdsWithin } from '../../loop/stages.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { NodeReading } from '../../model/cluster-crash.ts';
import { type CrashDecision, hasLostKeys, type RestartedMaster } from '../../model/crash.ts';
import type { ClusterSource } from '../observe.ts';
import { decideClusterCrash } from './plan.ts';

/** A master of a cluster to which a connection was closed, as it was before. */
export interface ClosedNode {
  readonly cluster: string;
  readonly id: string;
  /** As the record has it, and as the bridge reaches it. */
  readonly master: Address;
  readonly askedAt: Address;
  readonly ways: readonly Way[];
  readonly runId: string | undefined;
  /** The node ids of its replicas. */
  readonly replicas: readonly string[];
  /** The highest cluster_current_epoch that was known. */
  readonly epoch: number;
  readonly closedMs: number;
}

export interface ClusterCrashParts {
  readonly source: ClusterSource;
  /** Whether the record names this address as a master with slots. */
  readonly isMaster: (address: Address) => boolean;
  /** For how long the record has named it. */
  readonly masterForMs: (address: Address) => number;
  readonly failoverTimeMs: () => number;
  readonly whyNot: () => string | undefined;
  /** Makes the follower read the cluster. */
  readonly wake: () => void;
  readonly onReport: (report: ClusterCrashReport) => void;
}

/** The end of a case that is worth a report. */
export interface ClusterCrashReport extends DescribedEnd {
  readonly cluster: string;
  /** The replica that was ordered to take over; undefined where none was, for the reason `why`. */
  readonly replica: Address | undefined;
}

const askTimeoutMs = 200;
const orderTimeoutMs = 1_000;
/** Redis gives up a manual failover after that (cluster.c, CLUSTER_MF_TIMEOUT). */
const settleMs = 5_000;
const pollMs = 20;

/** A master of a Redis Cluster. The target of an order is one of its replicas. */
export class ClusterCrash implements CrashSubject<Address> {
  readonly name: string;
  readonly master: Address;
  readonly ways: readonly Way[];
  readonly runIds: readonly string[];
  readonly #closed: ClosedNode;
  readonly #parts: ClusterCrashParts;
  #readings: readonly NodeReading[] | undefined;
  #epoch: { readonly highest: number; readonly sinceMs: number };

  constructor(closed: ClosedNode, parts: ClusterCrashParts) {
    this.#closed = closed;
    this.#parts = parts;
    this.name = formatAddress(closed.master);
    this.master = closed.master;
    this.ways = closed.ways;
    this.runIds = closed.runId === undefined ? [] : [closed.runId];
    this.#epoch = { highest: closed.epoch, sinceMs: Number.NEGATIVE_INFINITY };
  }

  whyNot(): string | undefined {
    return this.#parts.whyNot();
  }

  async readInfo(): Promise<unknown> {
    const [info] = await this.#parts.source.request(this.#closed.askedAt, [['INFO']], { timeoutMs: askTimeoutMs });
    return info;
  }

  async readOthers(): Promise<() => void> {
    const { source } = this.#parts;
    const others = source.addresses.filter((address) => !sameAddress(address, this.#closed.askedAt));
    const answers = await Promise.all(others.map((address) => readNode(source, address)));
    // A node with two known addresses counts once.
    const byId = new Map(answers.flatMap((reading) => (reading === undefined ? [] : [[reading.id, reading] as const])));
    byId.delete(this.#closed.id);
    return () => {
      this.#readings = [...byId.values()];
      const highest = Math.max(0, ...this.#readings.map(({ epoch }) => epoch));
      if (highest > this.#epoch.highest) this.#epoch = { highest, sinceMs: performance.now() };
    };
  }

  forgetOthers(): void {
    this.#readings = undefined;
  }

  wouldLoseKeys(restarted: RestartedMaster): boolean | undefined {
    if (this.#readings === undefined) return undefined;
    const replicas = this.#readings.filter(({ id }) => this.#closed.replicas.includes(id));
    return hasLostKeys(restarted, replicas);
  }

  decide(known: CrashKnowledge): CrashDecision {
    const { id, master, replicas, closedMs } = this.#closed;
    const { isMaster, masterForMs, failoverTimeMs } = this.#parts;
    return decideClusterCrash({
      ...known,
      master: { id, address: master },
      closedForMs: known.nowMs - closedMs,
      recorded: isMaster(master) ? 'master' : 'other',
      masterForMs: masterForMs(master),
      failoverTimeMs: failoverTimeMs(),
      epochForMs: known.nowMs - this.#epoch.sinceMs,
      replicas,
      readings: this.#readings ?? [],
      maintenance: this.whyNot(),
    });
  }

  failoverTimeMs(): number {
    return this.#parts.failoverTimeMs();
  }

  describe(replica: Address): Readonly<Record<string, string>> {
    return { replica: formatAddress(replica) };
  }

  async order(replica: Address): Promise<void> {
    const what = `CLUSTER FAILOVER FORCE at ${formatAddress(replica)}`;
    const command = ['CLUSTER', 'FAILOVER', 'FORCE'] as const;
    const [reply] = await this.#parts.source.request(replica, [command], { timeoutMs: orderTimeoutMs });
    if (reply === 'OK') return;
    const said = reply instanceof Error ? reply.message : String(reply);
    throw new SwitchmasterError('redis-refused', `${what}: ${said}`);
  }

  /** The lease lasts until the record has the new master: two elections at once can take each other's votes. */
  async followed(signal: AbortSignal): Promise<void> {
    const isFollowed = async () => {
      this.#parts.wake();
      return signal.aborted || !this.#parts.isMaster(this.master);
    };
    await holdsWithin(isFollowed, { timeoutMs: settleMs, pollMs });
  }

  /** Nobody else is at work then. */
  async settled(): Promise<void> {}

  report(end: CrashEnd<Address>): void {
    const { kind, sign, target: replica, why } = end;
    const { cluster, id, replicas } = this.#closed;
    const readings = this.#readings ?? [];
    const details = {
      ...toEvidence(end),
      master: formatAddress(this.master),
      ...(replica === undefined ? {} : { replica: formatAddress(replica) }),
      replicas: readings
        .filter((one) => replicas.includes(one.id))
        .map(({ askedAt, replication }) => ({ address: formatAddress(askedAt), ...replication })),
      nodes: readings.map(({ askedAt, peers }) => {
        const peer = peers.find((one) => one.id === id);
        return { node: formatAddress(askedAt), link: peer?.link ?? 'unknown', health: peer?.health ?? 'unknown' };
      }),
    };
    this.#parts.onReport({ kind, cluster, master: this.master, sign: sign.kind, replica, why, details });
  }
}

/** undefined where it does not answer. */
async function readNode(source: ClusterSource, address: Address): Promise<NodeReading | undefined> {
  try {
    return toNodeReading(await source.request(address, readingCommands, { timeoutMs: askTimeoutMs }), address);
  } catch {
    return undefined;
  }
}
