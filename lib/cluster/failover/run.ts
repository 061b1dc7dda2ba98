import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type ReplicationState, readReplication, readSharedHistory } from '../../client/replication-shapes.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { ClusterFailoverAnswer, ClusterFailoverOptions } from '../../http/views.ts';
import { type OrderEnds, whyOrdersEnd } from '../../loop/orders-under-way.ts';
import { holdsWithin, Stages } from '../../loop/stages.ts';
import { type Address, formatAddress, isIn, sameAddress } from '../../model/address.ts';
import { ageOf } from '../../model/age.ts';
import type { ClusterRecord, ClusterView } from '../../model/cluster.ts';
import type { ClusterSource } from '../observe.ts';
import { decideCluster } from '../plan.ts';
import { type ClusterFailoverCheck, checkClusterFailover, masterInRecord } from './check.ts';

/*
 * CLUSTER FAILOVER at a replica (cluster.c, "Manual Failover"): its master pauses its clients and sends its offset, the replica waits
 * until it has that offset, and a majority of the masters votes for it. Redis gives up after 5 s (CLUSTER_MF_TIMEOUT), and then
 * the master takes writes again. So no acknowledged write is lost, and a failure changes nothing.
 */

export type ClusterFailoverStep = 'checked' | 'ordered' | 'promoted' | 'confirmed' | 'demoted';

export interface ClusterFailoverParts {
  readonly source: ClusterSource;
  /** The record in Consul. */
  readonly record: () => ClusterRecord | undefined;
  /** Why Consul cannot be read, or undefined. */
  readonly consulOutage: () => string | undefined;
  /** For how long the record must not have changed. */
  readonly settledAfterMs: number;
  /** Makes the follower read the cluster again. */
  readonly wake: () => void;
  readonly ends: OrderEnds;
}

const defaultWaitMs = 90_000;
const defaultStepMs = 10_000;
const demotionTimeoutMs = 30_000;
const askTimeoutMs = 500;
const pollMs = 5;
const checkMs = 100;

/** One manual failover of a shard, from the check to the old master as a replica. */
export class ClusterFailover {
  readonly #name: string;
  readonly #parts: ClusterFailoverParts;
  readonly #options: ClusterFailoverOptions;
  readonly #startedMs = performance.now();
  readonly #from: Address | undefined;
  readonly #stages: Stages<ClusterFailoverStep>;
  #reported: string | undefined;

  constructor(name: string, parts: ClusterFailoverParts, options: ClusterFailoverOptions) {
    this.#name = name;
    this.#parts = parts;
    this.#options = options;
    this.#stages = new Stages(options.onStep);
    this.#from = masterInRecord(parts.record(), options.node);
  }

  /** Rejects with `failover-refused` if nothing was changed, or with `failover-stalled`. */
  async run(): Promise<ClusterFailoverAnswer> {
    const { node } = this.#options;
    const { from } = await this.#untilReady();
    this.#stages.reached('checked');
    await this.#order(node);
    this.#stages.reached('ordered');
    const isMaster = async () => (await this.#replicationOf(node))?.role === 'master';
    const risk = 'Redis gives up after 5 s, and then nothing has changed: do the other masters vote?';
    await this.#until(`${formatAddress(node)} is master`, { reached: isMaster, timeoutMs: this.#stepMs, risk });
    this.#stages.reached('promoted');
    const epoch = await this.#confirmed(node);
    const isDemoted = async () => {
      const [state, own] = await Promise.all([this.#replicationOf(from), this.#replicationOf(node)]);
      if (own?.role === 'replica') throw this.#stalled(replaced(node));
      return state?.role === 'replica' && state.link === 'connected';
    };
    const what = `${formatAddress(from)} is a replica in sync`;
    await this.#until(what, { reached: isDemoted, timeoutMs: demotionTimeoutMs, risk: lossless });
    this.#stages.reached('demoted');
    return {
      name: this.#name,
      from,
      to: node,
      epoch,
      stages: this.#stages.times,
      withoutWritesMs: this.#stages.between('ordered', 'promoted'),
      offsets: await this.#offsets(from, node),
    };
  }

  /** Whether it could begin now. */
  async check(): Promise<ClusterFailoverCheck> {
    const { node } = this.#options;
    const { source, record, consulOutage } = this.#parts;
    const [views, replication] = await Promise.all([source.readViews(), this.#replicationOf(node)]);
    return checkClusterFailover({
      decision: decideAgain(views, record()),
      views,
      record: record(),
      node,
      replication,
      from: this.#from,
      recordAgeMs: ageOf(record()?.changedAt ?? ''),
      settledAfterMs: this.#parts.settledAfterMs,
      consulOutage: consulOutage(),
    });
  }

  async #untilReady(): Promise<Extract<ClusterFailoverCheck, { kind: 'ready' }>> {
    for (;;) {
      if (this.#parts.ends.waiting.aborted) throw this.#refused(`${whyOrdersEnd}.`);
      const check = await this.check();
      if (check.kind === 'ready') return check;
      if (check.kind === 'refused') throw this.#refused(`${check.why}.`);
      const waitedMs = Math.round(performance.now() - this.#startedMs);
      if (waitedMs > (this.#options.waitMs ?? defaultWaitMs))
        throw this.#refused(`${check.why}. It waited for ${Math.round(waitedMs / 100) / 10} s.`);
      if (this.#options.signal?.aborted === true) throw this.#refused('nobody waits for it any more.');
      if (this.#reported !== check.why) this.#options.onWait?.(check.why, waitedMs);
      this.#reported = check.why;
      await delay(checkMs);
    }
  }

  async #order(node: Address): Promise<void> {
    const [reply] = await this.#parts.source.request(node, [['CLUSTER', 'FAILOVER']], { timeoutMs: askTimeoutMs });
    if (reply === 'OK') return;
    const answer = reply instanceof Error ? reply.message : String(reply);
    throw this.#refused(`${formatAddress(node)} answers CLUSTER FAILOVER with: ${answer}`);
  }

  /** Waits until a majority of the masters sees `node` as a master, and the record has it. Returns the record's epoch. */
  async #confirmed(node: Address): Promise<number> {
    let epoch = 0;
    const reached = async () => {
      if ((await this.#replicationOf(node))?.role === 'replica') throw this.#stalled(replaced(node));
      this.#parts.wake();
      const decision = decideAgain(await this.#parts.source.readViews(), this.#parts.record());
      const record = this.#parts.record();
      epoch = record?.epoch ?? 0;
      return decision.kind !== 'wait' && isMasterIn(decision.draft, node) && isMasterIn(record, node);
    };
    const what = 'a majority of the masters and the record have it';
    await this.#until(what, { reached, timeoutMs: this.#stepMs, risk: lossless });
    this.#stages.reached('confirmed');
    return epoch;
  }

  /** null where a node does not show where its history ended: the old master may have copied the whole data set. */
  async #offsets(from: Address, to: Address): Promise<ClusterFailoverAnswer['offsets']> {
    const [old, now] = await Promise.all([this.#historyOf(from), this.#historyOf(to)]);
    const isShared = old !== undefined && now !== undefined && old.id === now.id;
    return { paused: isShared ? old.offset : null, inherited: now?.offset ?? null };
  }

  async #historyOf(address: Address): Promise<ReturnType<typeof readSharedHistory>> {
    const { source } = this.#parts;
    const deadline = { timeoutMs: askTimeoutMs };
    const [info] = await source.request(address, [['INFO', 'replication']], deadline).catch(() => []);
    return readSharedHistory(info);
  }

  async #replicationOf(address: Address): Promise<ReplicationState | undefined> {
    try {
      const [reply] = await this.#parts.source.request(address, [['ROLE']], { timeoutMs: askTimeoutMs });
      return readReplication(reply, `ROLE at ${formatAddress(address)}`);
    } catch {
      return undefined;
    }
  }

  async #until(
    what: string,
    {
      reached,
      timeoutMs,
      risk,
    }: { readonly reached: () => Promise<boolean>; readonly timeoutMs: number; readonly risk: string },
  ): Promise<void> {
    const stillReached = () => {
      if (this.#parts.ends.all.aborted) throw this.#stalled(`${whyOrdersEnd}. ${risk}`);
      return reached();
    };
    if (await holdsWithin(stillReached, { timeoutMs, pollMs })) return;
    throw this.#stalled(`${timeoutMs} ms passed until ${what}. ${risk}`);
  }

  #stalled(why: string): SwitchmasterError {
    return new SwitchmasterError('failover-stalled', `The failover of ${this.#name} failed: ${why}`);
  }

  #refused(why: string): SwitchmasterError {
    return new SwitchmasterError('failover-refused', `${this.#name} is not failed over: ${why}`);
  }

  get #stepMs(): number {
    return this.#options.timeoutMs ?? defaultStepMs;
  }
}

const lossless = 'The new master has every write that the old one acknowledged.';

function replaced(node: Address): string {
  return `${formatAddress(node)} was replaced at once. Writes that it accepted in between may be lost.`;
}

function decideAgain(views: readonly ClusterView[], held: ClusterRecord | undefined) {
  return decideCluster({ views, held, behindSinceMs: undefined, nowMs: 0, rebaseAfterMs: Number.POSITIVE_INFINITY });
}

function isMasterIn(map: Pick<ClusterRecord, 'shards'> | undefined, node: Address): boolean {
  return (
    map?.shards.some(({ master, replicas }) => master !== null && sameAddress(master, node) && !isIn(replicas, node)) ??
    false
  );
}
