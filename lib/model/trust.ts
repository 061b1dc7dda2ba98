import { type Address, formatAddress, parseAddress, sameAddress } from './address.ts';
import type { KvEntry } from './catalog.ts';
import { compareVersions } from './epoch.ts';
import { masterService, type Naming, plainPrefix } from './naming.ts';
import { formatRecord, type MasterRecord, recordIn } from './record.ts';

/*
 * Which records a renderer follows. A bridge writes a change of master in one transaction: the record, the plain keys and
 * the service. A record that is deleted or edited by hand lacks that agreement. Then the renderer keeps the last record
 * that it trusted, until the bridge has repaired Consul, or until an operator has removed all traces of the master.
 */

/** `outdated`: it will soon be current again. `unavailable`: it may never be, for example without the rights to read. */
export type WatchQuality = 'current' | 'outdated' | 'unavailable';

/** What else Consul holds about a master. Addresses are `host:port`. */
export interface Evidence {
  /** The plain key; undefined if there is none. */
  readonly key: { readonly address: string; readonly modifyIndex: number } | undefined;
  /** The instances of its `redis-master` service: more than one where another program registered one too. */
  readonly services: readonly string[];
  /** How far the watches can be relied on. Only one that is current contradicts a record. */
  readonly watches: { readonly key: WatchQuality; readonly services: WatchQuality };
  /** `pending`: not everything was read yet. */
  readonly kind: 'read' | 'pending';
}

/** What a renderer reads as evidence beside the records themselves. */
export function evidenceQueries(naming: Naming) {
  return [
    { kind: 'key-tree', prefix: plainPrefix(naming) },
    { kind: 'service', service: masterService },
  ] as const;
}

type DistrustReason = 'deleted' | 'lost' | 'unreadable' | 'older' | 'contradicted' | 'unproven';

/** A master whose record is not followed. */
export interface UntrustedRecord {
  readonly name: string;
  readonly reason: DistrustReason;
  /** `host:port` that files keep. */
  readonly kept: string;
  /** `host:port` of the record in Consul, where there is one. */
  readonly seen: string | undefined;
}

export interface TrustInput {
  /** The last trusted entries. */
  readonly trusted: readonly KvEntry[];
  /** The records that Consul holds. */
  readonly entries: readonly KvEntry[];
  readonly evidence: (name: string) => Evidence;
  /** Masters whose records went when Consul lost its data: bridges write them again one by one. Default: none. */
  readonly lost?: ReadonlySet<string>;
  /** Masters whose older or unproven record has stayed long enough. Default: none. */
  readonly lasting?: ReadonlySet<string>;
  /** This node's own decision, which needs no evidence. */
  readonly decided: (name: string) => MasterRecord | undefined;
}

export interface Trust {
  /** Sorted by key. */
  readonly entries: readonly KvEntry[];
  readonly held: readonly UntrustedRecord[];
}

/** Decides for each record whether it is followed or the last trusted one is kept. Pure. */
export function judgeRecords(input: TrustInput): Trust {
  const trusted = byKey(input.trusted);
  const present = byKey(input.entries);
  const entries: KvEntry[] = [];
  const held: UntrustedRecord[] = [];
  for (const key of [...new Set([...trusted.keys(), ...present.keys()])].sort()) {
    const [last, entry] = [newest(trusted.get(key), input.decided), present.get(key)];
    const kept = last === undefined ? undefined : recordIn(last);
    const reason = last === undefined || kept === undefined ? undefined : findReason(input, { entry, kept });
    const followed = reason === undefined ? entry : last;
    if (followed !== undefined) entries.push(followed);
    if (reason !== undefined && kept !== undefined) held.push(describe(reason, { entry, kept }));
  }
  return { entries, held };
}

/** Why the record is not followed; undefined where it is. */
function findReason(
  { evidence, decided, lost, lasting }: TrustInput,
  { entry, kept }: { readonly entry: KvEntry | undefined; readonly kept: MasterRecord },
): DistrustReason | undefined {
  const found = evidence(kept.name);
  const proofs = [...(found.key === undefined ? [] : [found.key.address]), ...found.services];
  if (entry === undefined) {
    if (proofs.length > 0 || found.kind === 'pending') return 'deleted';
    return lost?.has(kept.name) === true ? 'lost' : undefined;
  }
  const record = recordIn(entry);
  if (record?.name !== kept.name) return 'unreadable';
  if (sameAddress(record.master, kept.master) || isDecided(record, decided(kept.name))) return undefined;
  const order = compareVersions(record, kept);
  if (order > 0) {
    const doubt = findDoubt(record, entry, found);
    return doubt === 'unproven' && lasting?.has(kept.name) === true ? undefined : doubt;
  }
  // A record that is not newer needs all the evidence: Sentinels and Consul may both have been rebuilt.
  if (!proofs.every((one) => isAt(record.master, one))) return 'older';
  // A Consul that has just started answers from its log. Until it has read all of it, it shows complete states of the past.
  return order === 0 || lasting?.has(kept.name) === true ? undefined : 'older';
}

/**
 * Whether the plain key or the service names another address than a newer record. A transaction gives the record and the key
 * the same ModifyIndex: then the service is not awaited. Edits by hand have different ones, also of both keys. A watch that is
 * outdated, because Consul ended just after the record was written, does not show whose write that was.
 */
function findDoubt(
  { master }: MasterRecord,
  { modifyIndex }: KvEntry,
  { key, services, watches }: Evidence,
): DistrustReason | undefined {
  const keyAgrees = key !== undefined && isAt(master, key.address);
  if (keyAgrees && key.modifyIndex === modifyIndex) return undefined;
  const against = [
    ...(key === undefined || keyAgrees ? [] : [watches.key]),
    ...(services.length === 0 || services.some((one) => isAt(master, one)) ? [] : [watches.services]),
  ];
  if (against.includes('current')) return 'contradicted';
  return against.includes('outdated') ? 'unproven' : undefined;
}

/** The last trusted entry, or this node's newer decision in its place. */
function newest(last: KvEntry | undefined, decided: TrustInput['decided']): KvEntry | undefined {
  const kept = last === undefined ? undefined : recordIn(last);
  if (last === undefined || kept === undefined) return last;
  const decision = decided(kept.name);
  if (decision === undefined || compareVersions(decision, kept) <= 0) return last;
  return { ...last, value: formatRecord(decision) };
}

function isDecided(record: MasterRecord, decided: MasterRecord | undefined): boolean {
  return decided !== undefined && compareVersions(record, decided) === 0 && sameAddress(record.master, decided.master);
}

/** Whether `text` is this address. A person or another program may have written another spelling of the same host. */
function isAt(address: Address, text: string): boolean {
  const parsed = parseAddress(text);
  return parsed !== undefined && sameAddress(parsed, address);
}

function describe(
  reason: DistrustReason,
  { entry, kept }: { readonly entry: KvEntry | undefined; readonly kept: MasterRecord },
): UntrustedRecord {
  const record = entry === undefined ? undefined : recordIn(entry);
  const seen = record === undefined ? undefined : formatAddress(record.master);
  return { name: kept.name, reason, kept: formatAddress(kept.master), seen };
}

function byKey(entries: readonly KvEntry[]): ReadonlyMap<string, KvEntry> {
  return new Map(entries.map((entry) => [entry.key, entry]));
}

const explanations: Record<DistrustReason, string> = {
  deleted: 'its record was deleted, but other traces of it remain in Consul',
  lost: 'Consul lost its data, and no bridge has written its record again',
  unreadable: 'its record cannot be read',
  older: 'its record is not newer, and names another address',
  unproven: 'its record names another address, and Consul cannot be read to see whether a bridge wrote it',
  contradicted: 'its record names an address that the plain key or the service contradicts',
};

/** `master shard1 stays 10.0.0.1:6379 (its record was deleted, but other traces of it remain in Consul)`. */
export function describeUntrusted({ name, reason, kept, seen }: UntrustedRecord): string {
  const what = seen === undefined || seen === kept ? '' : `: ${seen}`;
  return `master ${name} stays ${kept} (${explanations[reason]}${what})`;
}
