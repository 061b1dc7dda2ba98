import type { ConsulClient } from '../client/consul.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { type Naming, provisionedPrefix } from '../model/naming.ts';
import type { ProvisioningStep } from '../model/provisioning.ts';
import { planProvisioning } from '../plan/provisioning.ts';
import type { ProvisioningSource } from '../source/provisioning.ts';
import type { Outcome, Reconciler, Run } from './outcome.ts';

export interface ProvisionerOptions {
  readonly client: ConsulClient;
  readonly naming: Naming;
  readonly source: ProvisioningSource;
  /** Every Sentinel that is known: one address for each, whether it answers or not. */
  readonly sentinels: () => readonly Address[];
  /** What Sentinels need to be let in by the masters: `auth-user`, `auth-pass`. */
  readonly credentials: Readonly<Record<string, string>>;
}

const teachTimeoutMs = 2_000;

/** Keeps every Sentinel monitoring what `desired/` says. One key of the loop is one master. */
export class Provisioner implements Reconciler {
  readonly name = 'provisioner';
  readonly #options: ProvisionerOptions;

  constructor(options: ProvisionerOptions) {
    this.#options = options;
  }

  async reconcile({ key: name }: Run): Promise<Outcome> {
    const { source, sentinels, credentials } = this.#options;
    const reading = source.read();
    if (reading === undefined) return { kind: 'held', summary: 'Consul was not read yet', retryAfterMs: 1_000 };
    const desired = reading.desired.get(name);
    if (desired === undefined && reading.desired.has(name)) {
      return { kind: 'held', summary: `the key desired/${name} does not hold a master` };
    }
    const provisioned = reading.provisioned.has(name);
    if (desired === undefined && !provisioned) return { kind: 'unchanged' };
    const known = sentinels();
    const monitoring = await source.monitoring(known);
    const plan = planProvisioning({
      name,
      desired,
      provisioned,
      record: reading.records.get(name),
      monitoring,
      knownSentinels: known.length,
      credentials,
    });
    if (plan.kind === 'wait') return { kind: 'held', summary: plan.summary, retryAfterMs: 1_000 };
    // First the note that it is ours: a step whose note is lost could never be undone.
    if (desired !== undefined && !provisioned) await this.#note(name, 'provisioned');
    for (const step of plan.steps) await source.teacher(step.sentinel).teach(step, { timeoutMs: teachTimeoutMs });
    // Only when all of them were asked: one that was away would bring it back.
    if (desired === undefined && monitoring.length === known.length) await this.#note(name, 'forgotten');
    if (plan.steps.length === 0) return { kind: 'unchanged' };
    const told = plan.steps.map(describe);
    return { kind: 'applied', summary: told.join('; '), details: { cause: 'provisioning', steps: told } };
  }

  async #note(name: string, state: 'provisioned' | 'forgotten'): Promise<void> {
    const { client, naming } = this.#options;
    const key = `${provisionedPrefix(naming)}${name}`;
    const step =
      state === 'provisioned'
        ? ({ kind: 'kv-set', key, value: 'switchmaster' } as const)
        : ({ kind: 'kv-delete', key } as const);
    await client.transact([step], { timeoutMs: 3_000 });
  }
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
