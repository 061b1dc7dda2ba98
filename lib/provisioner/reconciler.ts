import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../client/consul.ts';
import { SwitchmasterError } from '../errors.ts';
import { isTimerHint } from '../loop/hint.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { desiredKey, type Naming, provisionedKey } from '../model/naming.ts';
import { type DesiredMaster, formatNote, type ProvisioningNote, type ProvisioningStep } from '../model/provisioning.ts';
import type { SentinelVoter } from '../model/sentinel.ts';
import { HiddenSettingsMemory } from './memory.ts';
import type { DesiredReading, ProvisioningSource } from './observe.ts';
import {
  hiddenSettings,
  type NoteChange,
  type ProvisioningPlan,
  type ProvisioningSituation,
  planProvisioning,
} from './plan.ts';
import type { ProvisioningHint } from './removals.ts';
import { describeStep } from './step-text.ts';

export interface ProvisionerOptions {
  readonly client: ConsulClient;
  readonly naming: Naming;
  readonly source: ProvisioningSource;
  /** Every known Sentinel: one address each, whether it answers or not. */
  readonly sentinels: () => readonly Address[];
  /** The Sentinels with a say about a master. */
  readonly voters: (name: string) => readonly SentinelVoter[];
  /** Whether this node is responsible for a master (`sentinel.masters`). */
  readonly matches: (name: string) => boolean;
  /** Why nothing may be ordered about a master now: it is in maintenance. */
  readonly whyNot: (name: string) => string | undefined;
  /** What Sentinels need to log in to the masters: `auth-user`, `auth-pass`. */
  readonly credentials: Readonly<Record<string, string>>;
}

type StepsPlan = Extract<ProvisioningPlan, { kind: 'steps' }>;

interface Given {
  readonly reading: DesiredReading;
  readonly desired: DesiredMaster | undefined;
}

interface Decision {
  readonly situation: ProvisioningSituation;
  readonly plan: ProvisioningPlan;
}

const stepTimeoutMs = 2_000;
const consulTimeoutMs = 3_000;
const retryAfterMs = 1_000;
const maintenanceRetryMs = 5_000;

/**
 * How old the Sentinels' answers may be for a run without a hint, in milliseconds: the answer of one Sentinel is about all masters, which
 * are compared one by one.
 */
const sharedMs = 1_000;
/** For a run that changes something: those that are planned at the same time may share an answer. */
const freshMs = 5;

/** Keeps every Sentinel monitoring what `desired/` says. One key of the loop is one master. */
export class Provisioner implements Reconciler<ProvisioningHint> {
  readonly name = 'provisioner';
  readonly #options: ProvisionerOptions;
  readonly #memory = new HiddenSettingsMemory();

  constructor(options: ProvisionerOptions) {
    this.#options = options;
  }

  delayMs(hint: ProvisioningHint): number {
    return hint.kind === 'removed' ? hint.delayMs : 0;
  }

  async reconcile({ key: name, hints }: Run<ProvisioningHint>): Promise<Outcome> {
    const { source, matches } = this.#options;
    const reading = source.read();
    if (reading === undefined) return { kind: 'held', summary: 'no current answer from Consul yet', retryAfterMs };
    if (!matches(name)) return ignored(name, reading);
    const desired = reading.desired.get(name);
    if (desired === undefined && reading.desired.has(name)) {
      return { kind: 'held', summary: `the key desired/${name} does not hold a master` };
    }
    if (desired === undefined && reading.provisioned.get(name) === undefined) return strangeNote(name, reading);
    const { situation, plan } = await this.#decide(name, { reading, desired, hints });
    if (plan.kind === 'wait') return { kind: 'held', summary: plan.summary, retryAfterMs };
    const maintenance = this.#options.whyNot(name);
    if (maintenance !== undefined) return inMaintenance(plan, maintenance);
    if (plan.steps.some(({ kind }) => kind === 'monitor') && !(await this.#isDesired(name)))
      return { kind: 'held', summary: `the key desired/${name} was deleted a moment ago`, retryAfterMs };
    const failures = await this.#apply(plan, situation);
    const [failure] = failures.values();
    if (failure !== undefined) throw failure;
    if (plan.steps.length > 0) return applied(plan.steps);
    return situation.hidden.state === 'superseded'
      ? { kind: 'held', summary: superseded(name) }
      : { kind: 'unchanged' };
  }

  /** Nothing is changed by an answer that other masters share. */
  async #decide(name: string, given: Given & Pick<Run<ProvisioningHint>, 'hints'>): Promise<Decision> {
    const times = given.hints.map((hint) => hint.receivedMs - (isTimerHint(hint) ? sharedMs : 0));
    const sinceMs = Math.max(...times);
    const situation = await this.#observe(name, { ...given, sinceMs });
    const plan = planProvisioning(situation);
    if (plan.kind === 'wait' || changesNothing(plan)) return { situation, plan };
    // A failover may have ended since this run began.
    const reading = { ...given.reading, records: (this.#options.source.read() ?? given.reading).records };
    const fresh = await this.#observe(name, { ...given, reading, sinceMs: performance.now() - freshMs });
    return { situation: fresh, plan: planProvisioning(fresh) };
  }

  /** A Sentinel may lack the master because another bridge has seen earlier that the key is gone. The leader knows. */
  async #isDesired(name: string): Promise<boolean> {
    const { client, naming } = this.#options;
    const { value } = await client.read({ kind: 'key', key: desiredKey(naming, name) }, { timeoutMs: consulTimeoutMs });
    return value !== undefined;
  }

  async #observe(name: string, given: Given & { readonly sinceMs: number }): Promise<ProvisioningSituation> {
    const { reading, desired, sinceMs } = given;
    const { source, sentinels, voters, credentials } = this.#options;
    const addresses = sentinels();
    const known = new Set(addresses.map(formatAddress));
    const note = reading.provisioned.get(name);
    const settings = hiddenSettings(desired, credentials);
    const [monitoring, state] = await Promise.all([
      source.monitoring(addresses, { sinceMs }),
      this.#memory.compare(name, { settings, note }),
    ]);
    return {
      name,
      desired,
      note,
      record: reading.records.get(name),
      monitoring,
      knownSentinels: addresses.length,
      voters: voters(name).filter(({ address }) => known.has(formatAddress(address))),
      hidden: { settings, state },
    };
  }

  /** The first error of each Sentinel that refused its steps, by `host:port`. The others still get theirs. */
  async #apply(plan: StepsPlan, situation: ProvisioningSituation): Promise<ReadonlyMap<string, SwitchmasterError>> {
    const { name } = situation;
    if (plan.noteBefore === 'create') await this.#writeNote(name, { settingsHash: undefined, sentinels: [] });
    const bySentinel = Map.groupBy(plan.steps, ({ sentinel }) => formatAddress(sentinel));
    const failures = new Map<string, SwitchmasterError>();
    await Promise.all(
      [...bySentinel].map(async ([sentinel, steps]) => {
        const error = await this.#configure(steps);
        if (error !== undefined) failures.set(sentinel, error);
      }),
    );
    await this.#updateNote(withoutFailed(plan.noteAfter, { failures, situation }), situation);
    return failures;
  }

  async #configure(steps: readonly ProvisioningStep[]): Promise<SwitchmasterError | undefined> {
    const { source } = this.#options;
    try {
      for (const step of steps) await source.configure(step, { timeoutMs: stepTimeoutMs });
      return undefined;
    } catch (thrown) {
      return SwitchmasterError.from(thrown);
    }
  }

  async #updateNote(change: NoteChange, { name, note, hidden }: ProvisioningSituation): Promise<void> {
    switch (change.kind) {
      case 'keep':
        return;
      case 'delete':
        return this.#writeNote(name, undefined);
      case 'settings': {
        const settingsHash = await this.#memory.hashWritten(name, { settings: hidden.settings, note });
        return this.#writeNote(name, { settingsHash, sentinels: change.sentinels });
      }
    }
  }

  /** Deletes the note where it is undefined. */
  async #writeNote(name: string, note: ProvisioningNote | undefined): Promise<void> {
    const { client, naming } = this.#options;
    const key = provisionedKey(naming, name);
    const step =
      note === undefined
        ? ({ kind: 'kv-delete', key } as const)
        : ({ kind: 'kv-set', key, value: formatNote(note) } as const);
    await client.transact([step], { timeoutMs: consulTimeoutMs });
  }
}

/** A Sentinel that refused its steps did not get the settings, and may still monitor a removed master. */
function withoutFailed(
  change: NoteChange,
  known: { readonly failures: ReadonlyMap<string, unknown>; readonly situation: ProvisioningSituation },
): NoteChange {
  const { failures, situation } = known;
  if (failures.size === 0 || change.kind === 'keep') return change;
  if (change.kind === 'delete') return { kind: 'keep' };
  const before = situation.hidden.state === 'written' ? (situation.note?.sentinels ?? []) : [];
  const sentinels = change.sentinels.filter((sentinel) => !failures.has(sentinel) || before.includes(sentinel));
  return { kind: 'settings', sentinels };
}

function changesNothing({ steps, noteBefore, noteAfter }: StepsPlan): boolean {
  return steps.length === 0 && noteBefore === 'keep' && noteAfter.kind === 'keep';
}

/** Nothing is changed at the Sentinels meanwhile. */
function inMaintenance(plan: StepsPlan, why: string): Outcome {
  if (changesNothing(plan)) return { kind: 'unchanged' };
  const { steps } = plan;
  const waiting = steps.length === 0 ? '' : `; after it: ${steps.map(describeStep).join('; ')}`;
  return { kind: 'held', summary: `${why}${waiting}`, retryAfterMs: maintenanceRetryMs };
}

/** Reports a desired master that no bridge follows: one with a note or a record is another bridge's. */
function ignored(name: string, { desired, provisioned, records }: DesiredReading): Outcome {
  if (!desired.has(name) || provisioned.has(name) || records.has(name)) return { kind: 'unchanged' };
  const summary = `desired/${name} is ignored: sentinel.masters does not match that name; add it there, or remove the key`;
  return { kind: 'held', summary };
}

/** A provisioner removes from the Sentinels only what a provisioner noted. */
function strangeNote(name: string, { provisioned }: DesiredReading): Outcome {
  if (!provisioned.has(name)) return { kind: 'unchanged' };
  const summary = `the key provisioned/${name} holds nothing that a provisioner wrote, so the master is not removed; delete the key`;
  return { kind: 'held', summary };
}

function superseded(name: string): string {
  return `another bridge has given the Sentinels other credentials or options for ${name} since this one did; give both bridges the same ones`;
}

function applied(steps: readonly ProvisioningStep[]): Outcome {
  const commands = steps.map(describeStep);
  return { kind: 'applied', summary: commands.join('; '), details: { cause: 'provisioning', steps: commands } };
}
