import { type Address, formatAddress } from '../model/address.ts';
import { majorityOf } from '../model/epoch.ts';
import {
  type DesiredMaster,
  type MonitoredMaster,
  type Monitoring,
  type ProvisioningStep,
  toldOptions,
} from '../model/provisioning.ts';
import type { MasterRecord } from '../model/record.ts';

/*
 * What must be said to the Sentinels so that all of them monitor a master as it is desired. Who is master is theirs to
 * decide: a desired address counts only until the first of them knows the master.
 */

export interface ProvisioningSituation {
  readonly name: string;
  /** undefined: nobody wants it any more. */
  readonly desired: DesiredMaster | undefined;
  /** Whether it was taught by a provisioner, and not written into a sentinel.conf by somebody. */
  readonly provisioned: boolean;
  readonly record: MasterRecord | undefined;
  /** Of every Sentinel that answered. */
  readonly monitoring: readonly Monitoring[];
  /** How many there are, whether they answer or not. */
  readonly knownSentinels: number;
  /** See `untoldSettings`. */
  readonly untold: Readonly<Record<string, string>>;
  /** The Sentinels (`host:port`) that have these already. */
  readonly taught: ReadonlySet<string>;
}

export type ProvisioningPlan =
  | { readonly kind: 'steps'; readonly steps: readonly ProvisioningStep[] }
  | { readonly kind: 'wait'; readonly summary: string };

export function planProvisioning(situation: ProvisioningSituation): ProvisioningPlan {
  const { name, monitoring, knownSentinels, desired, provisioned } = situation;
  if (monitoring.length < majorityOf(knownSentinels)) {
    const summary = `only ${monitoring.length} of ${knownSentinels} Sentinels answer: nothing is changed without a majority`;
    return { kind: 'wait', summary };
  }
  const states = monitoring.map(({ masters }) => find(masters, name)?.state);
  if (states.includes('failing-over')) return { kind: 'wait', summary: `${name} is failing over: it is not touched` };
  if (states.includes('down')) return letIn(situation);
  if (desired !== undefined) return { kind: 'steps', steps: teach(situation, desired) };
  if (!provisioned) return { kind: 'steps', steps: [] };
  const holders = monitoring.filter(({ masters }) => find(masters, name) !== undefined);
  return { kind: 'steps', steps: holders.map(({ sentinel }) => ({ kind: 'remove', sentinel, name })) };
}

/** What must be told to Sentinels and is told by none: what lets them in, and options that they do not tell. */
export function untoldSettings(
  desired: DesiredMaster | undefined,
  credentials: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (desired === undefined) return {};
  const options = Object.entries(desired.options).filter(([option]) => !toldOptions.includes(option));
  return { ...credentials, ...Object.fromEntries(options) };
}

/** Of a master that is down nothing changes, but for the password: an old one may be why it is down to them. */
function letIn({ name, monitoring, untold, taught }: ProvisioningSituation): ProvisioningPlan {
  const without = monitoring.filter(
    ({ sentinel, masters }) => find(masters, name) !== undefined && !taught.has(formatAddress(sentinel)),
  );
  if (Object.keys(untold).length === 0 || without.length === 0)
    return { kind: 'wait', summary: `${name} is down: it is not touched` };
  return { kind: 'steps', steps: without.map(({ sentinel }) => ({ kind: 'set', sentinel, name, options: untold })) };
}

function teach(situation: ProvisioningSituation, desired: DesiredMaster): readonly ProvisioningStep[] {
  const { name, monitoring, untold, taught } = situation;
  const address = currentAddress(situation, desired);
  return monitoring.flatMap(({ sentinel, masters }): ProvisioningStep[] => {
    const known = find(masters, name);
    if (known === undefined) {
      const options = { ...untold, ...desired.options };
      const set: ProvisioningStep[] =
        Object.keys(options).length === 0 ? [] : [{ kind: 'set', sentinel, name, options }];
      return [{ kind: 'monitor', sentinel, name, address, quorum: desired.quorum }, ...set];
    }
    const options = { ...difference(desired, known), ...(taught.has(formatAddress(sentinel)) ? {} : untold) };
    return Object.keys(options).length === 0 ? [] : [{ kind: 'set', sentinel, name, options }];
  });
}

/** Of what Sentinel tells, what it tells otherwise. */
function difference(desired: DesiredMaster, known: MonitoredMaster): Readonly<Record<string, string>> {
  const differing = Object.entries(desired.options).filter(
    ([option, value]) => toldOptions.includes(option) && known.options[option] !== value,
  );
  const quorum = known.quorum === desired.quorum ? {} : { quorum: String(desired.quorum) };
  return { ...quorum, ...Object.fromEntries(differing) };
}

/** The record's master; without a record what most Sentinels say; without either what is desired. */
function currentAddress({ name, record, monitoring }: ProvisioningSituation, desired: DesiredMaster): Address {
  if (record !== undefined) return record.master;
  const said = monitoring.flatMap(({ masters }) => find(masters, name)?.address ?? []);
  const votes = Map.groupBy(said, formatAddress);
  const [best] = [...votes.values()].sort((a, b) => b.length - a.length);
  return best?.[0] ?? desired.address;
}

function find(masters: readonly MonitoredMaster[], name: string): MonitoredMaster | undefined {
  return masters.find((master) => master.name === name);
}
