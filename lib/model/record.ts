import { type Address, compareAddresses, isAddress, sameAddress, shareAddress } from './address.ts';
import type { Version } from './epoch.ts';
import { parseJsonObject } from './json.ts';

/** The value of the key `record/M`: the master of `name`, its epoch, and the reason. */
export interface MasterRecord extends Version {
  readonly version: 1;
  readonly name: string;
  /** `promoted`: a majority of Sentinels has not adopted this epoch yet; `confirmed`: it has. */
  readonly phase: 'promoted' | 'confirmed';
  readonly master: Address;
  readonly replicas: readonly Address[];
  readonly previous: Address | null;
  readonly reason: string;
  /** ISO 8601, of the last change of master, generation, epoch or phase. */
  readonly changedAt: string;
  /** The id of the bridge that made that change. */
  readonly changedBy: string;
}

/** The content of a record's key in Consul. */
export type StoredRecord =
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable'; readonly modifyIndex: number }
  | { readonly kind: 'present'; readonly record: MasterRecord; readonly modifyIndex: number };

/** The JSON text of a record. Equal records have equal texts. */
export function formatRecord(record: MasterRecord): string {
  return JSON.stringify({
    version: record.version,
    name: record.name,
    generation: record.generation,
    epoch: record.epoch,
    phase: record.phase,
    master: pickAddress(record.master),
    replicas: record.replicas.map(pickAddress),
    previous: record.previous === null ? null : pickAddress(record.previous),
    reason: record.reason,
    changedAt: record.changedAt,
    changedBy: record.changedBy,
  });
}

/** Reads a record, which anyone may have edited; undefined if the text is not a record. */
export function parseRecord(text: string): MasterRecord | undefined {
  const json = parseJsonObject(text);
  if (json === undefined) return undefined;
  const { version, name, generation, epoch, phase, master, replicas, previous, reason, changedAt, changedBy } = json;
  if (version !== 1 || typeof name !== 'string' || !isCount(generation) || !isCount(epoch)) return undefined;
  if (phase !== 'promoted' && phase !== 'confirmed') return undefined;
  if (!isAddress(master) || !Array.isArray(replicas) || !replicas.every(isAddress)) return undefined;
  if (previous !== null && !isAddress(previous)) return undefined;
  if (typeof reason !== 'string' || typeof changedAt !== 'string' || typeof changedBy !== 'string') return undefined;
  return {
    version,
    name,
    generation,
    epoch,
    phase,
    master: shareAddress(master),
    replicas: replicas.map(shareAddress),
    previous: previous === null ? null : shareAddress(previous),
    reason,
    changedAt,
    changedBy,
  };
}

interface Entry {
  readonly value: string;
}

/** By entry: a watch keeps the entries that did not change, so that a change of one among thousands costs one parse. */
const parsed = new WeakMap<Entry, { readonly record: MasterRecord | undefined }>();

/** The record that an entry of Consul holds, whatever its key; undefined if the value is not a record. */
export function recordIn(entry: Entry): MasterRecord | undefined {
  const known = parsed.get(entry);
  if (known !== undefined) return known.record;
  const record = entry.value === '' ? undefined : parseRecord(entry.value);
  parsed.set(entry, { record });
  return record;
}

/** Reads Consul's answer about a record's key. */
export function readStoredRecord(
  entry: (Entry & { readonly modifyIndex: number }) | undefined,
  name: string,
): StoredRecord {
  if (entry === undefined) return { kind: 'absent' };
  const { modifyIndex } = entry;
  const record = recordIn(entry);
  return record?.name === name ? { kind: 'present', record, modifyIndex } : { kind: 'unreadable', modifyIndex };
}

/** True if both lists have the same addresses, in any order. */
export function sameAddresses(a: readonly Address[], b: readonly Address[]): boolean {
  if (a.length !== b.length) return false;
  const [left, right] = [a.toSorted(compareAddresses), b.toSorted(compareAddresses)];
  return left.every((address, i) => {
    const other = right[i];
    return other !== undefined && sameAddress(address, other);
  });
}

function pickAddress({ host, port }: Address): Address {
  return { host, port };
}

/** No epoch reaches it, and adding to it stays within the safe integers. */
const largestCount = 2 ** 48;

/** True for a generation or an epoch. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= largestCount;
}
