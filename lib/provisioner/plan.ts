import { type Address, formatAddress } from '../model/address.ts';
import { majorityOf } from '../model/epoch.ts';
import {
  type DesiredMaster,
  type MonitoredMaster,
  type Monitoring,
  type ProvisioningNote,
  type ProvisioningStep,
  readableOptions,
} from '../model/provisioning.ts';
import type { MasterRecord } from '../model/record.ts';
import type { SentinelVoter } from '../model/sentinel.ts';

/*
 * The commands after which every Sentinel monitors a master as `desired/` says. The Sentinels alone decide who is master:
 * the desired address counts only until the first of them knows the master.
 */

export interface ProvisioningSituation {
  readonly name: string;
  /** undefined where `desired/` no longer has it. */
  readonly desired: DesiredMaster | undefined;
  /** undefined where no provisioner configures it: then its monitoring comes from a sentinel.conf or by hand. */
  readonly note: ProvisioningNote | undefined;
  readonly record: MasterRecord | undefined;
  /** Of every Sentinel that answered. */
  readonly monitoring: readonly Monitoring[];
  /** The number of Sentinels, with those that do not answer. */
  readonly knownSentinels: number;
  /** The Sentinels with a say about this master, as the bridge knows them. */
  readonly voters: readonly SentinelVoter[];
  readonly hidden: HiddenSettings;
}

/** Settings that Sentinels take and do not return, compared with those that a provisioner wrote last. */
interface HiddenSettings {
  readonly settings: Readonly<Record<string, string>>;
  readonly state: 'none' | 'written' | 'outdated' | 'superseded';
}

export type ProvisioningPlan =
  | { readonly kind: 'wait'; readonly summary: string }
  | {
      readonly kind: 'steps';
      /** `create`: write a note before the first step, because nobody could undo a step without one. */
      readonly noteBefore: 'create' | 'keep';
      readonly steps: readonly ProvisioningStep[];
      readonly noteAfter: NoteChange;
    };

/** `settings`: note the hash of the hidden settings, and the Sentinels (`host:port`) that have them. */
export type NoteChange =
  | { readonly kind: 'keep' }
  | { readonly kind: 'settings'; readonly sentinels: readonly string[] }
  | { readonly kind: 'delete' };

export function planProvisioning(situation: ProvisioningSituation): ProvisioningPlan {
  const { name, monitoring, desired, note } = situation;
  const { answering, known, whose } = countElectorate(situation);
  if (answering < majorityOf(known))
    return wait(`only ${answering} of ${known} Sentinels${whose} answer: nothing changes without a majority`);
  const states = monitoring.map(({ masters }) => find(masters, name)?.state);
  if (states.includes('failing-over')) return wait(`${name} is failing over: nothing changes until it has ended`);
  const isDown = states.includes('down');
  const steps = isDown
    ? writeHidden(situation)
    : desired !== undefined
      ? configure(situation, desired)
      : note !== undefined
        ? remove(situation)
        : [];
  if (isDown && steps.length === 0) return wait(`${name} is down: nothing changes until it is up`);
  return {
    kind: 'steps',
    noteBefore: desired !== undefined && note === undefined ? 'create' : 'keep',
    steps,
    noteAfter: planNote(situation),
  };
}

/** The credentials, and the desired options that Sentinels do not return. */
export function hiddenSettings(
  desired: DesiredMaster | undefined,
  credentials: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (desired === undefined) return {};
  const options = Object.entries(desired.options).filter(([option]) => !readableOptions.includes(option));
  return { ...credentials, ...Object.fromEntries(options) };
}

/**
 * Those of which a majority must answer: the Sentinels that monitor the master, and the never reached ones that count for
 * it. All Sentinels while fewer than two monitor it, because any of the others may know a later master.
 */
function countElectorate(situation: ProvisioningSituation): { answering: number; known: number; whose: string } {
  const { name, monitoring, knownSentinels, voters } = situation;
  const asked = new Set(answering(situation));
  const own = monitoring.filter(({ masters }) => find(masters, name) !== undefined);
  const away = voters.filter(({ address }) => !asked.has(formatAddress(address)));
  const known = own.length + away.filter(({ state }) => state === 'monitors').length;
  if (known < 2) return { answering: monitoring.length, known: knownSentinels, whose: '' };
  return { answering: own.length, known: own.length + away.length, whose: ` of ${name}` };
}

function wait(summary: string): ProvisioningPlan {
  return { kind: 'wait', summary };
}

function planNote(situation: ProvisioningSituation): NoteChange {
  const { desired, monitoring, knownSentinels, hidden } = situation;
  // Only after every Sentinel was asked: one that did not answer could bring the master back.
  if (desired === undefined) return { kind: monitoring.length === knownSentinels ? 'delete' : 'keep' };
  if (hidden.state !== 'written' && hidden.state !== 'outdated') return { kind: 'keep' };
  const before = configured(situation);
  const after = [...new Set([...before, ...answering(situation)])].sort();
  if (hidden.state === 'written' && after.join() === before.join()) return { kind: 'keep' };
  return { kind: 'settings', sentinels: after };
}

/** The Sentinels that have the hidden settings, or must not get them. */
function configured(situation: ProvisioningSituation): readonly string[] {
  switch (situation.hidden.state) {
    case 'written':
      return situation.note?.sentinels ?? [];
    case 'outdated':
      return [];
    case 'none':
    case 'superseded':
      return answering(situation);
  }
}

function answering({ monitoring }: ProvisioningSituation): readonly string[] {
  return monitoring.map(({ sentinel }) => formatAddress(sentinel));
}

/** The only change to a master that is down: an old password may be the reason why Sentinels find it down. */
function writeHidden(situation: ProvisioningSituation): readonly ProvisioningStep[] {
  const { name, monitoring, hidden } = situation;
  if (Object.keys(hidden.settings).length === 0) return [];
  const has = new Set(configured(situation));
  return monitoring
    .filter(({ sentinel, masters }) => find(masters, name) !== undefined && !has.has(formatAddress(sentinel)))
    .map(({ sentinel }) => ({ kind: 'set', sentinel, name, options: hidden.settings }));
}

function remove({ name, monitoring }: ProvisioningSituation): readonly ProvisioningStep[] {
  const holders = monitoring.filter(({ masters }) => find(masters, name) !== undefined);
  return holders.map(({ sentinel }) => ({ kind: 'remove', sentinel, name }));
}

function configure(situation: ProvisioningSituation, desired: DesiredMaster): readonly ProvisioningStep[] {
  const { name, monitoring, hidden } = situation;
  const address = currentAddress(situation, desired);
  const has = new Set(configured(situation));
  return monitoring.flatMap(({ sentinel, masters }): ProvisioningStep[] => {
    const known = find(masters, name);
    if (known === undefined) {
      const options = { ...hidden.settings, ...desired.options };
      const set: ProvisioningStep[] =
        Object.keys(options).length === 0 ? [] : [{ kind: 'set', sentinel, name, options }];
      return [{ kind: 'monitor', sentinel, name, address, quorum: desired.quorum }, ...set];
    }
    const options = { ...difference(desired, known), ...(has.has(formatAddress(sentinel)) ? {} : hidden.settings) };
    return Object.keys(options).length === 0 ? [] : [{ kind: 'set', sentinel, name, options }];
  });
}

/** The readable settings that a Sentinel has otherwise. */
function difference(desired: DesiredMaster, known: MonitoredMaster): Readonly<Record<string, string>> {
  const differing = Object.entries(desired.options).filter(
    ([option, value]) => readableOptions.includes(option) && known.options[option] !== value,
  );
  const quorum = known.quorum === desired.quorum ? {} : { quorum: String(desired.quorum) };
  return { ...quorum, ...Object.fromEntries(differing) };
}

/** The record's master; without a record the address of most Sentinels; without either the desired one. */
function currentAddress({ name, record, monitoring }: ProvisioningSituation, desired: DesiredMaster): Address {
  if (record !== undefined) return record.master;
  const addresses = monitoring.flatMap(({ masters }) => find(masters, name)?.address ?? []);
  const votes = Map.groupBy(addresses, formatAddress);
  const [best] = [...votes.values()].sort((a, b) => b.length - a.length);
  return best?.[0] ?? desired.address;
}

function find(masters: readonly MonitoredMaster[], name: string): MonitoredMaster | undefined {
  return masters.find((master) => master.name === name);
}
