import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ConsulClient } from '../../client/consul.ts';
import type { Outcome } from '../../loop/outcome.ts';
import { formatAddress } from '../../model/address.ts';
import type { CatalogOperation } from '../../model/catalog.ts';
import { isDoubted } from '../../model/check-opinion.ts';
import { compareVersions } from '../../model/epoch.ts';
import { masterOfNode, masterService, type Naming, recordKey, replicaService } from '../../model/naming.ts';
import { type MasterRecord, readStoredRecord } from '../../model/record.ts';
import type { Finding } from '../finding.ts';
import type { MasterMemory } from '../memory.ts';
import { heldMasterCheck, planConfirmation, planPublication, planRepair, type Wanted } from '../plan/catalog.ts';
import { type Cause, completeRecord, type Decision } from '../plan/decision.ts';
import { isContradicted } from '../plan/evidence.ts';
import { formOpinions, type Opinions } from './opinions.ts';
import { retryForReplicas, runAgainIn } from './outcomes.ts';
import { publishRecord, type RecordOutcome, repairCatalog } from './record.ts';

export interface RecordWriterOptions {
  readonly client: ConsulClient;
  readonly naming: Naming;
  /** Who signs a record: unique among the bridges. */
  readonly bridgeId: string;
  readonly memory: (name: string) => MasterMemory;
  /** The names of the masters that the bridge knows: none of them may be a tag of another one's services. */
  readonly names?: () => readonly string[];
  /**
   * Gets the record of a failover before Consul answers, so that traffic on this node does not wait for the write. It does
   * not get a new generation: until Consul has that, another bridge's write may make it needless.
   */
  readonly onDecision?: (record: MasterRecord) => void;
  /** Monotonic milliseconds. Default performance.now(). */
  readonly nowMs?: () => number;
}

/** Writes a decision into Consul. */
export class RecordWriter {
  readonly #options: RecordWriterOptions;
  readonly #nowMs: () => number;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  /** Writes a new record, by compare-and-set on the one that the decision was made on. */
  async publish(finding: Finding, decision: Extract<Decision, { kind: 'publish' }>): Promise<Outcome> {
    const { name, held, reading } = finding;
    const { naming, client, bridgeId } = this.#options;
    const memory = this.#options.memory(name);
    const { cause, draft } = decision;
    const signature = JSON.stringify([cause, draft]);
    const leftMs = delayedCauses.has(cause) ? memory.repairDelay.leftMs(signature, this.#nowMs()) : 0;
    if (leftMs > 0) return { kind: 'held', summary: `${cause}: about to be written`, retryAfterMs: leftMs };
    const record = completeRecord(draft, { name, changedAt: new Date().toISOString(), changedBy: bridgeId });
    const index = held.kind === 'absent' ? 0 : held.modifyIndex;
    const { wanted, leftMs: opinionMs } = this.#wanted(finding, record);
    const { catalogContents } = reading;
    const isComplete = cause === 'confirmed' && !isContradicted({ record, traces: catalogContents, naming });
    const plan = isComplete ? planConfirmation : planPublication;
    const change = plan(wanted, { index, catalogContents });
    const plannedMs = this.#nowMs();
    // A thousand first records at a daemon's start must not delay a failover.
    const priority = cause === 'initial' ? 'normal' : 'failover';
    const writing = publishRecord(client, { ...change, key: recordKey(naming, name), priority });
    if (cause === 'failover') memory.followed(record);
    const [outcome] = await Promise.all([writing, cause === 'failover' ? this.#announce(record) : undefined]);
    const stages = sinceWoken(finding, { observedMs: finding.observedMs, plannedMs, committedMs: this.#nowMs() });
    if (outcome.kind === 'fenced') return this.#yield(finding, outcome);
    const { modifyIndex } = outcome;
    memory.noteStored({ kind: 'present', record, modifyIndex }, { index: BigInt(modifyIndex), resets: reading.resets });
    memory.trust(record);
    // The opinion about the former master does not apply to this one.
    if (!isComplete || change.rest.length > 0) memory.judged(wanted.master, signOpinions(wanted, modifyIndex));
    if (delayedCauses.has(cause)) memory.repairDelay.corrected(signature, this.#nowMs());
    else memory.repairDelay.settled();
    const details = { cause, record, modifyIndex, stages };
    return runAgainIn(opinionMs, { kind: 'applied', summary: describe(cause, record), details });
  }

  /** Node sends the transaction after what is called now, so the work of the templates begins in the next turn of its loop. */
  async #announce(record: MasterRecord): Promise<void> {
    const { onDecision } = this.#options;
    if (onDecision === undefined) return;
    await nextTurn();
    onDecision(record);
  }

  /** The record is right: writes the keys, services and checks that differ from it. */
  async repair(finding: Finding, record: MasterRecord): Promise<Outcome> {
    const { wanted, leftMs } = this.#wanted(finding, record);
    return runAgainIn(leftMs, await this.#repair(finding, wanted));
  }

  /**
   * No Sentinel can be asked, so nothing is decided. But a failover that was under way may have become overdue. `waiting`
   * is the outcome if the check of the master does not change.
   */
  async expire(finding: Finding, waiting: Outcome): Promise<Outcome> {
    const { name, held, past, reading, outage } = finding;
    if (held.kind !== 'present' || outage === undefined || outage.stage === 'under-way') return waiting;
    if (past.remembered !== undefined && compareVersions(past.remembered, held.record) > 0) return waiting;
    const { wanted, leftMs } = this.#wanted(finding, held.record);
    const steps = planRepair(wanted, reading.catalogContents).filter(
      (step) => step.kind === 'check-set' && step.check.serviceId === masterService,
    );
    if (steps.length === 0) return runAgainIn(leftMs, waiting);
    const key = recordKey(this.#options.naming, name);
    const outcome = await repairCatalog(this.#options.client, { key, held, steps });
    return outcome.kind === 'fenced' ? this.#yield(finding, outcome) : runAgainIn(leftMs, repaired(steps));
  }

  async #repair(finding: Finding, wanted: Wanted): Promise<Outcome> {
    const { name, held, reading } = finding;
    const memory = this.#options.memory(name);
    if (held.kind !== 'present') return { kind: 'unchanged' };
    const steps = planRepair(wanted, reading.catalogContents);
    const opinionChanged = memory.judged(wanted.master, signOpinions(wanted, held.modifyIndex));
    if (steps.length === 0) {
      memory.repairDelay.settled();
      return retryForReplicas(wanted, { faults: memory.faults, nowMs: finding.observedMs }) ?? { kind: 'unchanged' };
    }
    // A new opinion of this bridge's Sentinels is written at once, and so is the answer to a bridge that asks for it. Another
    // bridge may be about to write anything else.
    const isAnswer = isDoubted(heldMasterCheck(reading.catalogContents, held.record.master));
    const isOwnOpinionChange = (opinionChanged || isAnswer) && steps.every(({ kind }) => kind === 'check-set');
    const signature = JSON.stringify(steps);
    const leftMs = isOwnOpinionChange ? 0 : memory.repairDelay.leftMs(signature, this.#nowMs());
    if (leftMs > 0)
      return { kind: 'held', summary: 'Consul differs from the record: about to be repaired', retryAfterMs: leftMs };
    const key = recordKey(this.#options.naming, name);
    const permitted = await this.#withoutShared(name, steps);
    if (permitted.length === 0) return { kind: 'unchanged' };
    const outcome = await repairCatalog(this.#options.client, { key, held, steps: permitted });
    if (outcome.kind === 'fenced') return this.#yield(finding, outcome);
    if (!isOwnOpinionChange) memory.repairDelay.corrected(signature, this.#nowMs());
    return repaired(steps);
  }

  /**
   * Keeps a node that somebody else has registered a service on, and also the services where it has become another master's. The
   * watch may not show that yet.
   */
  async #withoutShared(master: string, steps: readonly CatalogOperation[]): Promise<readonly CatalogOperation[]> {
    const { client, naming } = this.#options;
    const [shared, lost] = [new Set<string>(), new Set<string>()];
    for (const step of steps) {
      if (step.kind !== 'node-delete') continue;
      const { value } = await client.read({ kind: 'node', node: step.node });
      const isOurs = ({ name }: { readonly name: string }) => name === masterService || name === replicaService;
      if (value === undefined || !value.services.every(isOurs)) shared.add(step.node);
      if (value !== undefined && masterOfNode(naming, value.meta) !== master) lost.add(step.node);
    }
    return steps.filter((step) => {
      if (step.kind === 'node-delete') return !shared.has(step.node) && !lost.has(step.node);
      return step.kind !== 'service-delete' || !lost.has(step.node);
    });
  }

  #wanted(finding: Finding, record: MasterRecord): { readonly wanted: Wanted } & Pick<Opinions, 'leftMs'> {
    const { leftMs, ...opinions } = formOpinions(finding, { record, memory: this.#options.memory(finding.name) });
    const { naming, names = () => [] } = this.#options;
    return { wanted: { naming, record, names, ...opinions }, leftMs };
  }

  /** Another bridge was first. Reads what it wrote without waiting for the watch, so that the next run decides on it. */
  async #yield({ name, reading }: Finding, lost: Extract<RecordOutcome, { kind: 'fenced' }>): Promise<Outcome> {
    const { client, naming, memory } = this.#options;
    const { value, index } = await client.read({ kind: 'key', key: recordKey(naming, name) });
    const seenAt = value === undefined ? index : BigInt(value.modifyIndex);
    memory(name).noteStored(readStoredRecord(value, name), { index: seenAt, resets: reading.resets });
    return { kind: 'fenced', summary: `another bridge changed the record first (${lost.what})` };
  }
}

/** The same text as long as the opinions about one version of a record stay the same. */
function signOpinions({ master, replicas }: Wanted, modifyIndex: number): string {
  return JSON.stringify([master, replicas, modifyIndex]);
}

function repaired(steps: readonly CatalogOperation[]): Outcome {
  const names = steps.map(stepName);
  const details = { cause: 'repair', steps: names };
  return { kind: 'applied', summary: `repaired in Consul: ${names.join(', ')}`, details };
}

/** Times of one clock as milliseconds since the hint that woke the run, to a hundredth. */
function sinceWoken<K extends string>({ wokenMs }: Finding, times: Readonly<Record<K, number>>): Record<K, number> {
  const entries = Object.entries<number>(times).map(([stage, ms]) => [stage, Math.round((ms - wokenMs) * 100) / 100]);
  return Object.fromEntries(entries) as Record<K, number>;
}

/** Causes that every bridge sees at about the same time, and that are not urgent. */
const delayedCauses: ReadonlySet<Cause> = new Set<Cause>(['replicas', 'restored']);

function describe(cause: Cause, record: MasterRecord): string {
  const master = `${formatAddress(record.master)} (generation ${record.generation}, epoch ${record.epoch})`;
  switch (cause) {
    case 'confirmed':
      return `a majority of the Sentinels confirms ${master}`;
    case 'replicas':
      return `replicas of ${master} are ${record.replicas.map(formatAddress).join(', ') || 'none'}`;
    case 'restored':
      return `the record was restored: ${master}`;
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
    case 'kv-lock':
    case 'kv-delete':
    case 'kv-delete-cas':
    case 'kv-check-index':
      return `key ${step.key}`;
    case 'node-set':
      return `node ${step.node}`;
    case 'node-delete':
    case 'node-delete-cas':
      return `node ${step.node} removed`;
    case 'service-set':
      return `service ${step.service.id}`;
    case 'service-delete':
    case 'service-delete-cas':
      return `service ${step.serviceId} removed`;
    case 'check-set':
      return `check ${step.check.id} ${step.check.status}`;
    case 'check-delete':
      return `check ${step.checkId} removed`;
  }
}
