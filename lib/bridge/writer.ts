import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../client/consul.ts';
import type { Outcome } from '../loop/outcome.ts';
import { formatAddress } from '../model/address.ts';
import type { CatalogOperation } from '../model/catalog.ts';
import { type Naming, recordKey } from '../model/naming.ts';
import { type HeldRecord, type MasterRecord, readHeldRecord } from '../model/record.ts';
import type { RoleAnswer, SentinelView } from '../model/sentinel.ts';
import { publishRecord, type RecordOutcome, repairCatalog } from './apply/record.ts';
import type { MasterMemory } from './memory.ts';
import type { RecordReading } from './observe/records.ts';
import { planConfirmation, planPublication, planRepair, type Wanted } from './plan/catalog.ts';
import { masterOpinion, replicaOpinions } from './plan/check-opinion.ts';
import { type Cause, completeRecord, type Decision } from './plan/decision.ts';

/** What one run of the bridge found out about one master. */
export interface Finding {
  readonly name: string;
  readonly memory: MasterMemory;
  readonly reading: RecordReading;
  /** The record as Consul holds it: pushed, or read or written since. */
  readonly held: HeldRecord;
  readonly views: readonly SentinelView[];
  /** Whether every Sentinel was asked. */
  readonly complete: boolean;
  /** Set where most Sentinels answer and none of them knows this master. */
  readonly unmonitored?: string | undefined;
  readonly role: RoleAnswer | undefined;
  /** When the run was woken, and when the last answer was in: milliseconds of performance.now(). */
  readonly wokenMs: number;
  readonly observedMs: number;
}

export interface RecordWriterOptions {
  readonly client: ConsulClient;
  readonly naming: Naming;
  /** Who signs a record: unique among the bridges. */
  readonly bridgeId: string;
  /**
   * Told of a failover before Consul is: traffic on this node does not wait for the write. A new generation is no such
   * thing: until Consul has it, another bridge's write may make it needless.
   */
  readonly onDecision?: (record: MasterRecord) => void;
  /** Milliseconds that never go back. Default performance.now(). */
  readonly nowMs?: () => number;
}

/** Carries out what was decided about one master. */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #nowMs: () => number;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** A new record, by compare-and-set on the one that was decided on. */
  async publish(finding: Finding, decision: Extract<Decision, { kind: 'publish' }>): Promise<Outcome> {
    const { name, memory, held, reading } = finding;
    const { naming, client, bridgeId } = this.#options;
    const { cause, draft } = decision;
    const signature = JSON.stringify([cause, draft]);
    const leftMs = patient.has(cause) ? memory.patienceLeftMs(signature, this.#nowMs()) : 0;
    if (leftMs > 0) return { kind: 'held', summary: `${cause}: about to be written`, retryAfterMs: leftMs };
    const record = completeRecord(draft, { name, changedAt: new Date().toISOString(), changedBy: bridgeId });
    const index = held.kind === 'absent' ? 0 : held.modifyIndex;
    const wanted = this.#wanted(finding, record);
    const confirmed = decision.cause === 'confirmed';
    const change = confirmed
      ? planConfirmation(wanted, { index })
      : planPublication(wanted, { index, holdings: reading.holdings });
    const plannedMs = this.#nowMs();
    const writing = publishRecord(client, { ...change, key: recordKey(naming, name) });
    if (cause === 'failover') {
      memory.decided = record;
      this.#options.onDecision?.(record);
    }
    const outcome = await writing;
    const stages = sinceWoken(finding, { observedMs: finding.observedMs, plannedMs, committedMs: this.#nowMs() });
    if (outcome.kind === 'fenced') return this.#yield(finding, outcome);
    const { modifyIndex } = outcome;
    memory.overtake({ kind: 'present', record, modifyIndex }, { index: BigInt(modifyIndex), resets: reading.resets });
    if (patient.has(cause)) memory.corrected(signature, this.#nowMs());
    else memory.settled();
    return { kind: 'applied', summary: describe(cause, record), details: { cause, record, modifyIndex, stages } };
  }

  /** The record stands: keys, services and checks are brought to it where they differ. */
  async repair(finding: Finding, record: MasterRecord): Promise<Outcome> {
    const { name, memory, held, reading } = finding;
    if (held.kind !== 'present') return { kind: 'unchanged' };
    const wanted = this.#wanted(finding, record);
    memory.opinion = wanted.master;
    const steps = planRepair(wanted, reading.holdings);
    const mine = memory.opinionChanged(JSON.stringify([wanted.master, wanted.replicas, held.modifyIndex]));
    if (steps.length === 0) {
      memory.settled();
      return this.#lookAgain(wanted) ?? { kind: 'unchanged' };
    }
    // What this bridge's Sentinels just changed their minds about is news; any other difference may be another's news.
    const news = mine && steps.every(({ kind }) => kind === 'check-set');
    const signature = JSON.stringify(steps);
    const leftMs = news ? 0 : memory.patienceLeftMs(signature, this.#nowMs());
    if (leftMs > 0) return { kind: 'held', summary: 'Consul differs: about to be put right', retryAfterMs: leftMs };
    const key = recordKey(this.#options.naming, name);
    const outcome = await repairCatalog(this.#options.client, { key, held, steps });
    if (outcome.kind === 'fenced') return this.#yield(finding, outcome);
    if (!news) memory.corrected(signature, this.#nowMs());
    const names = steps.map(stepName);
    return {
      kind: 'applied',
      summary: `put right in Consul: ${names.join(', ')}`,
      details: { cause: 'repair', steps: names },
    };
  }

  #wanted({ views, role, unmonitored }: Finding, record: MasterRecord): Wanted {
    return {
      naming: this.#options.naming,
      record,
      master: masterOpinion(record.master, { views, role, unmonitored }),
      replicas: replicaOpinions(views, record.master),
    };
  }

  /** For a moment after a failover Sentinels do not know their replicas, and no event says when they do. */
  #lookAgain({ replicas }: Wanted): Outcome | undefined {
    if (replicas.every(({ opinion }) => opinion !== undefined)) return undefined;
    return { kind: 'held', summary: 'the Sentinels have not seen every replica yet', retryAfterMs: 1_000 };
  }

  /** Another bridge was first. What it wrote is read past the watch, so that the next run decides on it. */
  async #yield({ name, memory, reading }: Finding, lost: Extract<RecordOutcome, { kind: 'fenced' }>): Promise<Outcome> {
    const { client, naming } = this.#options;
    const { value, index } = await client.read({ kind: 'key', key: recordKey(naming, name) });
    const seenAt = value === undefined ? index : BigInt(value.modifyIndex);
    memory.overtake(readHeldRecord(value, name), { index: seenAt, resets: reading.resets });
    return { kind: 'fenced', summary: `another changed it first (${lost.what})` };
  }
}

/** Times of one clock as milliseconds since the hint that woke the run, to a hundredth. */
function sinceWoken<K extends string>({ wokenMs }: Finding, times: Readonly<Record<K, number>>): Record<K, number> {
  const entries = Object.entries<number>(times).map(([stage, ms]) => [stage, Math.round((ms - wokenMs) * 100) / 100]);
  return Object.fromEntries(entries) as Record<K, number>;
}

/** Causes that every bridge sees at about the same time and that nobody waits for. */
const patient: ReadonlySet<Cause> = new Set<Cause>(['replicas', 'restored']);

function describe(cause: Cause, record: MasterRecord): string {
  const master = `${formatAddress(record.master)} (generation ${record.generation}, epoch ${record.epoch})`;
  switch (cause) {
    case 'confirmed':
      return `a majority of the Sentinels confirms ${master}`;
    case 'replicas':
      return `replicas of ${master} are ${record.replicas.map(formatAddress).join(', ') || 'none'}`;
    case 'restored':
      return `the record was put back: ${master}`;
    case 'initial':
    case 'failover':
    case 'rebase':
      return `master is ${master}: ${record.reason}`;
  }
}

function stepName(step: CatalogOperation): string {
  switch (step.kind) {
    case 'kv-set':
    case 'kv-cas':
    case 'kv-delete':
    case 'kv-check-index':
      return `key ${step.key}`;
    case 'node-set':
      return `node ${step.node}`;
    case 'service-set':
      return `service ${step.service.id}`;
    case 'service-delete':
      return `service ${step.serviceId} removed`;
    case 'check-set':
      return `check ${step.check.id} ${step.check.status}`;
    case 'check-delete':
      return `check ${step.checkId} removed`;
  }
}
