import { keySafe } from './naming.ts';
import { type MasterRecord, recordIn } from './record.ts';

/** The records below one prefix, and the keys there that hold no record. */
export interface RecordsReading {
  /** In the order of the keys. */
  readonly records: readonly MasterRecord[];
  readonly ignoredKeys: readonly IgnoredKey[];
}

/** A key among the records that is not the record of its master. */
export interface IgnoredKey {
  readonly key: string;
  /** `marker`: an empty value, such as a folder of Consul's UI or the lock of `consul lock`. */
  readonly kind: 'marker' | 'other-name' | 'unreadable';
  /** One sentence with the problem. */
  readonly message: string;
}

/**
 * Reads all records below `prefix`. Anybody can write there: a folder made in Consul's UI, the lock of `consul lock`, a copy
 * of a record. What is not the record of the master that its key names concerns nobody else.
 */
export function readRecords(entries: readonly Entry[], prefix: string): RecordsReading {
  const records: MasterRecord[] = [];
  const ignoredKeys: IgnoredKey[] = [];
  for (const entry of entries) {
    const record = readEntry(entry, prefix);
    if (record === undefined) ignoredKeys.push(describeIgnoredKey(entry));
    else records.push(record);
  }
  return { records, ignoredKeys };
}

interface Entry {
  readonly key: string;
  readonly value: string;
}

/** The record at a key; undefined if the value is not the record of the master that the key names. */
export function readEntry(entry: Entry, prefix: string): MasterRecord | undefined {
  const record = recordIn(entry);
  return record !== undefined && entry.key === prefix + keySafe(record.name) ? record : undefined;
}

/** Whether a key is a folder of Consul's UI or the lock of `consul lock`, and so names nothing. */
export function isMarkerKey(key: string): boolean {
  return key.endsWith('/') || key.endsWith('/.lock');
}

function describeIgnoredKey(entry: Entry): IgnoredKey {
  const { key, value } = entry;
  const quoted = JSON.stringify(key);
  if (value === '' || isMarkerKey(key)) {
    return { key, kind: 'marker', message: `the key ${quoted} holds no record: it is a folder or a lock` };
  }
  const record = recordIn(entry);
  if (record === undefined) return { key, kind: 'unreadable', message: `the key ${quoted} does not hold a record` };
  const name = JSON.stringify(record.name);
  return {
    key,
    kind: 'other-name',
    message: `the key ${quoted} holds the record of another master, ${name}`,
  };
}
