import { type Address, formatAddress } from '../model/address.ts';
import { majorityOf } from '../model/epoch.ts';
import type { DesiredMaster, MonitoredMaster, Monitoring, ProvisioningStep } from '../model/provisioning.ts';
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
  /** What Sentinels need to be let in by this master: never compared, for Sentinels do not tell it. */
  readonly credentials: Readonly<Record<string, string>>;
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
  if (monitoring.some(({ masters }) => find(masters, name)?.busy)) {
    return { kind: 'wait', summary: `${name} is failing over: it is not touched` };
  }
  if (desired !== undefined) return { kind: 'steps', steps: teach(situation, desired) };
  if (!provisioned) return { kind: 'steps', steps: [] };
  const holders = monitoring.filter(({ masters }) => find(masters, name) !== undefined);
  return { kind: 'steps', steps: holders.map(({ sentinel }) => ({ kind: 'remove', sentinel, name })) };
}

function teach(situation: ProvisioningSituation, desired: DesiredMaster): readonly ProvisioningStep[] {
  const { name, monitoring, credentials } = situation;
  const address = currentAddress(situation, desired);
  return monitoring.flatMap(({ sentinel, masters }): ProvisioningStep[] => {
    const known = find(masters, name);
    if (known === undefined) {
      const options = { ...credentials, ...desired.options };
      const set: ProvisioningStep[] =
        Object.keys(options).length === 0 ? [] : [{ kind: 'set', sentinel, name, options }];
      return [{ kind: 'monitor', sentinel, name, address, quorum: desired.quorum }, ...set];
    }
    const options = difference(desired, known);
    return Object.keys(options).length === 0 ? [] : [{ kind: 'set', sentinel, name, options }];
  });
}

/** Options whose values Sentinel tells, and tells otherwise. */
function difference(desired: DesiredMaster, known: MonitoredMaster): Readonly<Record<string, string>> {
  const differing = Object.entries(desired.options).filter(
    ([option, value]) => known.options[option] !== undefined && known.options[option] !== value,
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
