import type { CatalogContents, KvEntry, ServiceInstance } from '../../model/catalog.ts';
import { nodeKey } from '../../model/master-node.ts';
import { externalNode, type Naming } from '../../model/naming.ts';
import type { OtherEnvironment } from '../../model/other-environment.ts';
import type { StoredRecord } from '../../model/record.ts';
import { isSameList } from '../../model/same-list.ts';

/** What Consul holds for one master, as of the last answer of the watches. */
export interface RecordReading {
  readonly held: StoredRecord;
  readonly catalogContents: CatalogContents;
  /** Consul's index of the records: every write at or below it is included. */
  readonly index: bigint;
  /** How often the index fell: Consul was restored or lost its data. */
  readonly resets: number;
}

/** The last answers of the watches, by what a reading of one master takes from them. */
export interface Slices {
  /** The names of the records that can be parsed, computed on first use. */
  names?: readonly string[] | undefined;
  /** What was read of a master, computed on first use: each master is read several times a second. */
  readonly read: Map<string, RecordReading>;
  readonly records: Map<string, KvEntry>;
  readonly keys: Map<string, Map<string, KvEntry>>;
  /** By the keys of their nodes. */
  readonly instances: Map<string, ServiceInstance[]>;
  /** Our instances on nodes that do not have the usual name, by master. */
  readonly elsewhere: Map<string, ServiceInstance[]>;
  /** Instances that no bridge registered, by the key of the external node of the master whose tag they carry. */
  readonly foreign: Map<string, ServiceInstance[]>;
  /** What bridges of other environments registered, by master. */
  readonly others: Map<string, OtherEnvironment[]>;
}

/** The masters whose keys and the keys of the nodes whose services differ between two readings. */
export function changedNames(before: Slices, after: Slices): ReadonlySet<string> {
  const changed = new Set<string>();
  for (const part of ['records', 'keys', 'instances', 'elsewhere', 'foreign', 'others'] as const) {
    if (before[part] === after[part]) continue;
    for (const name of new Set([...before[part].keys(), ...after[part].keys()])) {
      if (!isSame(before[part].get(name), after[part].get(name))) changed.add(name);
    }
  }
  return changed;
}

/** The readings that stay as they are: neither the master nor a node from which its reading took something has changed. */
export function keptReadings(
  read: ReadonlyMap<string, RecordReading>,
  changed: ReadonlySet<string>,
  naming: Naming,
): Map<string, RecordReading> {
  const kept = new Map<string, RecordReading>();
  for (const [name, reading] of read) {
    if (changed.has(name)) continue;
    const usual = externalNode(naming, name);
    const { node = usual } = reading.catalogContents;
    if (![node, usual].some((one) => changed.has(nodeKey(one)))) kept.set(name, reading);
  }
  return kept;
}

type Slice = KvEntry | Map<string, KvEntry> | readonly object[] | undefined;

/** A watch keeps the objects that did not change, so few are compared by their contents. */
function isSame(before: Slice, after: Slice): boolean {
  return isSameList(itemsOf(before), itemsOf(after)) || serialize(before) === serialize(after);
}

function itemsOf(slice: Slice): readonly unknown[] {
  return slice instanceof Map ? [...slice.values()] : [slice].flat();
}

function serialize(slice: Slice): string {
  return JSON.stringify(slice instanceof Map ? [...slice] : slice) ?? '';
}
