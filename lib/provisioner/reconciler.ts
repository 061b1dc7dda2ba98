import type { ConsulClient } from '../client/consul.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { type Naming, provisionedKey } from '../model/naming.ts';
import { formatNote, type ProvisioningNote, type ProvisioningStep } from '../model/provisioning.ts';
import { UntoldMemory } from './memory.ts';
import type { DesiredReading, ProvisioningSource } from './observe.ts';
import { planProvisioning, untoldSettings } from './plan.ts';

export interface ProvisionerOptions {
  readonly client: ConsulClient;
  readonly naming: Naming;
  readonly source: ProvisioningSource;
  /** Every Sentinel that is known: one address for each, whether it answers or not. */
  readonly sentinels: () => readonly Address[];
  /** Which masters are this node's to see to (`sentinel.masters`). */
  readonly matches: (name: string) => boolean;
  /** What Sentinels need to be let in by the masters: `auth-user`, `auth-pass`. */
  readonly credentials: Readonly<Record<string, string>>;
}

const teachTimeoutMs = 2_000;

/** Keeps every Sentinel monitoring what `desired/` says. One key of the loop is one master. */
export class Provisioner implements Reconciler {
  readonly name = 'provisioner';
  readonly #options: ProvisionerOptions;
  readonly #memory = new UntoldMemory();

  constructor(options: ProvisionerOptions) {
    this.#options = options;
  }

  async reconcile({ key: name }: Run): Promise<Outcome> {
    const { source, sentinels, credentials, matches } = this.#options;
    const reading = source.read();
    if (reading === undefined) return { kind: 'held', summary: 'Consul was not read yet', retryAfterMs: 1_000 };
    if (!matches(name)) return leave(name, reading);
    const desired = reading.desired.get(name);
    if (desired === undefined && reading.desired.has(name)) {
      return { kind: 'held', summary: `the key desired/${name} does not hold a master` };
    }
    const note = reading.provisioned.get(name);
    if (desired === undefined && note === undefined) return { kind: 'unchanged' };
    const known = sentinels();
    const untold = untoldSettings(desired, credentials);
    const [monitoring, standing] = await Promise.all([
      source.monitoring(known),
      this.#memory.standing(name, { settings: untold, note }),
    ]);
    const answering = monitoring.map(({ sentinel }) => formatAddress(sentinel));
    const taught = standing === 'taught' ? (note?.sentinels ?? []) : standing === 'untaught' ? [] : answering;
    const plan = planProvisioning({
      name,
      desired,
      provisioned: note !== undefined,
      record: reading.records.get(name),
      monitoring,
      knownSentinels: known.length,
      untold,
      taught: new Set(taught),
    });
    if (plan.kind === 'wait') return { kind: 'held', summary: plan.summary, retryAfterMs: 1_000 };
    // First the note that it is ours: a step whose note is lost could never be undone.
    if (desired !== undefined && note === undefined) await this.#note(name, { untold: undefined, sentinels: [] });
    for (const step of plan.steps) await source.teacher(step.sentinel).teach(step, { timeoutMs: teachTimeoutMs });
    if (standing === 'taught' || standing === 'untaught') {
      const has = [...new Set([...taught, ...answering])].sort();
      if (standing === 'untaught' || has.join() !== taught.join())
        await this.#note(name, { untold: await this.#memory.taught(name, { settings: untold, note }), sentinels: has });
    }
    // Only when all of them were asked: one that was away would bring it back.
    if (desired === undefined && monitoring.length === known.length) await this.#note(name, 'forgotten');
    if (plan.steps.length > 0) return applied(plan.steps);
    return standing === 'overruled' ? { kind: 'held', summary: overruled(name) } : { kind: 'unchanged' };
  }

  async #note(name: string, note: ProvisioningNote | 'forgotten'): Promise<void> {
    const { client, naming } = this.#options;
    const key = provisionedKey(naming, name);
    const step =
      note === 'forgotten'
        ? ({ kind: 'kv-delete', key } as const)
        : ({ kind: 'kv-set', key, value: formatNote(note) } as const);
    await client.transact([step], { timeoutMs: 3_000 });
  }
}

/** Where nobody has taught or followed it, no other bridge sees to it either. */
function leave(name: string, { desired, provisioned, records }: DesiredReading): Outcome {
  if (!desired.has(name) || provisioned.has(name) || records.has(name)) return { kind: 'unchanged' };
  const summary = `desired/${name} is ignored: sentinel.masters does not match that name; add it there, or remove the key`;
  return { kind: 'held', summary };
}

function overruled(name: string): string {
  return `another bridge has taught the Sentinels other credentials or options for ${name} since this one did`;
}

function applied(steps: readonly ProvisioningStep[]): Outcome {
  const told = steps.map(describe);
  return { kind: 'applied', summary: told.join('; '), details: { cause: 'provisioning', steps: told } };
}

/** Without values: some are passwords. */
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
