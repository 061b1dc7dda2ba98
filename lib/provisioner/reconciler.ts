import type { ConsulClient } from '../client/consul.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { type Naming, provisionedKey } from '../model/naming.ts';
import { type DesiredMaster, formatNote, type ProvisioningNote, type ProvisioningStep } from '../model/provisioning.ts';
import { HiddenSettingsMemory } from './memory.ts';
import type { DesiredReading, ProvisioningSource } from './observe.ts';
import { hiddenSettings, type ProvisioningPlan, type ProvisioningSituation, planProvisioning } from './plan.ts';

export interface ProvisionerOptions {
  readonly client: ConsulClient;
  readonly naming: Naming;
  readonly source: ProvisioningSource;
  /** Every known Sentinel: one address each, whether it answers or not. */
  readonly sentinels: () => readonly Address[];
  /** Whether this node is responsible for a master (`sentinel.masters`). */
  readonly matches: (name: string) => boolean;
  /** What Sentinels need to log in to the masters: `auth-user`, `auth-pass`. */
  readonly credentials: Readonly<Record<string, string>>;
}

const stepTimeoutMs = 2_000;
const noteTimeoutMs = 3_000;
const retryAfterMs = 1_000;

/** Keeps every Sentinel monitoring what `desired/` says. One key of the loop is one master. */
export class Provisioner implements Reconciler {
  readonly name = 'provisioner';
  readonly #options: ProvisionerOptions;
  readonly #memory = new HiddenSettingsMemory();

  constructor(options: ProvisionerOptions) {
    this.#options = options;
  }

  async reconcile({ key: name }: Run): Promise<Outcome> {
    const { source, matches } = this.#options;
    const reading = source.read();
    if (reading === undefined) return { kind: 'held', summary: 'no current answer from Consul yet', retryAfterMs };
    if (!matches(name)) return ignored(name, reading);
    const desired = reading.desired.get(name);
    if (desired === undefined && reading.desired.has(name)) {
      return { kind: 'held', summary: `the key desired/${name} does not hold a master` };
    }
    if (desired === undefined && !reading.provisioned.has(name)) return { kind: 'unchanged' };
    const situation = await this.#observe(name, { reading, desired });
    const plan = planProvisioning(situation);
    if (plan.kind === 'wait') return { kind: 'held', summary: plan.summary, retryAfterMs };
    await this.#apply(plan, situation);
    if (plan.steps.length > 0) return applied(plan.steps);
    return situation.hidden.state === 'superseded'
      ? { kind: 'held', summary: superseded(name) }
      : { kind: 'unchanged' };
  }

  async #observe(
    name: string,
    known: { readonly reading: DesiredReading; readonly desired: DesiredMaster | undefined },
  ): Promise<ProvisioningSituation> {
    const { reading, desired } = known;
    const { source, sentinels, credentials } = this.#options;
    const addresses = sentinels();
    const note = reading.provisioned.get(name);
    const settings = hiddenSettings(desired, credentials);
    const [monitoring, state] = await Promise.all([
      source.monitoring(addresses),
      this.#memory.compare(name, { settings, note }),
    ]);
    return {
      name,
      desired,
      note,
      record: reading.records.get(name),
      monitoring,
      knownSentinels: addresses.length,
      hidden: { settings, state },
    };
  }

  async #apply(
    plan: Extract<ProvisioningPlan, { kind: 'steps' }>,
    { name, note, hidden }: ProvisioningSituation,
  ): Promise<void> {
    const { source } = this.#options;
    if (plan.noteBefore === 'create') await this.#writeNote(name, { settingsHash: undefined, sentinels: [] });
    for (const step of plan.steps) await source.link(step.sentinel).configure(step, { timeoutMs: stepTimeoutMs });
    switch (plan.noteAfter.kind) {
      case 'keep':
        return;
      case 'delete':
        return this.#writeNote(name, undefined);
      case 'settings': {
        const settingsHash = await this.#memory.hashWritten(name, { settings: hidden.settings, note });
        return this.#writeNote(name, { settingsHash, sentinels: plan.noteAfter.sentinels });
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
    await client.transact([step], { timeoutMs: noteTimeoutMs });
  }
}

/** Reports a desired master that no bridge follows: one with a note or a record is another bridge's. */
function ignored(name: string, { desired, provisioned, records }: DesiredReading): Outcome {
  if (!desired.has(name) || provisioned.has(name) || records.has(name)) return { kind: 'unchanged' };
  const summary = `desired/${name} is ignored: sentinel.masters does not match that name; add it there, or remove the key`;
  return { kind: 'held', summary };
}

function superseded(name: string): string {
  return `another bridge has given the Sentinels other credentials or options for ${name} since this one did; give both bridges the same ones`;
}

function applied(steps: readonly ProvisioningStep[]): Outcome {
  const commands = steps.map(describe);
  return { kind: 'applied', summary: commands.join('; '), details: { cause: 'provisioning', steps: commands } };
}

/** Without values, because some are passwords. */
function describe(step: ProvisioningStep): string {
  const at = `at ${formatAddress(step.sentinel)}`;
  switch (step.kind) {
    case 'monitor':
      return `SENTINEL MONITOR ${step.name} ${formatAddress(step.address)} ${step.quorum} ${at}`;
    case 'set':
      return `SENTINEL SET ${step.name} ${Object.keys(step.options).join(' ')} ${at}`;
    case 'remove':
      return `SENTINEL REMOVE ${step.name} ${at}`;
  }
}
