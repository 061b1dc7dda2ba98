import { formatAddress, sameAddress } from '../../lib/model/address.ts';
import { compareVersions } from '../../lib/model/epoch.ts';
import type { MasterRecord } from '../../lib/model/record.ts';

/* What must hold after any faults. Pure functions of what was observed. Times are milliseconds since 1970. */

export interface SeenRecord {
  readonly record: MasterRecord;
  readonly index: number;
  readonly atMs: number;
}

/** Whether the record and the plain keys of one master in one answer had the same master. Each entry is a change. */
export interface SeenKeys {
  readonly atMs: number;
  readonly isWhole: boolean;
  readonly plain: string | undefined;
  readonly record: string | undefined;
}

/** What one place names as the servers of each shard, by the shard's name. Each entry is a change. */
export interface SeenPlace {
  readonly atMs: number;
  readonly place: string;
  /** `host:port`. twemproxy names nobody while its connection is broken. */
  readonly named: ReadonlyMap<string, readonly string[]>;
}

export interface Loss {
  readonly writer: string;
  /** When each lost write had been acknowledged. */
  readonly lostAtMs: readonly number[];
  readonly acknowledged: number;
}

/**
 * A later record is never older than an earlier one, one version never has two masters, and all name a member. `forgotten`:
 * Consul lost its data while no bridge ran, so nobody knows the earlier generation.
 */
export function judgeRecords(
  seen: readonly SeenRecord[],
  { members, memory }: { readonly members: readonly string[]; readonly memory: 'kept' | 'forgotten' },
): readonly string[] {
  return seen.flatMap(({ record }, i) => {
    const what = `record ${record.generation}/${record.epoch} ${formatAddress(record.master)}`;
    const foreign = members.includes(formatAddress(record.master)) ? [] : [`${what} names no server of ${record.name}`];
    const before = seen[i - 1]?.record;
    if (before === undefined) return foreign;
    const order = compareVersions(record, before);
    if (memory === 'forgotten' && record.generation === 1 && sameAddress(record.master, before.master)) return foreign;
    if (order < 0) return [...foreign, `${what} followed the newer ${before.generation}/${before.epoch}`];
    if (order === 0 && !sameAddress(record.master, before.master))
      return [...foreign, `${what} has the version of ${formatAddress(before.master)}`];
    return foreign;
  });
}

/**
 * The record and its plain keys are written together. They differ only while an edit by hand waits for its repair, which
 * comes after `bridgesBackMs` at the earliest.
 */
export function judgeKeys(
  seen: readonly SeenKeys[],
  allowed: { readonly differMs: number; readonly untilMs: number; readonly bridgesBackMs?: number },
): readonly string[] {
  return seen.flatMap(({ atMs, isWhole, plain, record }, i) => {
    const forMs = (seen[i + 1]?.atMs ?? allowed.untilMs) - Math.max(atMs, allowed.bridgesBackMs ?? 0);
    if (isWhole || forMs <= allowed.differMs) return [];
    return [`record and keys differed for ${forMs} ms: ${plain ?? 'no key'} beside ${record ?? 'no record'}`];
  });
}

/** DNS names at most one master, and only members. */
export function judgeDns(
  seen: readonly { readonly addresses: readonly string[] }[],
  hosts: readonly string[],
): readonly string[] {
  return seen.flatMap(({ addresses }) => [
    ...(addresses.length > 1 ? [`DNS named ${addresses.join(' and ')} at once`] : []),
    ...addresses.filter((address) => !hosts.includes(address)).map((address) => `DNS named ${address}, no member`),
  ]);
}

/** A place that leads clients names every shard, and only members of it, one at a time. */
export function judgePlaces(
  seen: readonly SeenPlace[],
  members: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return seen.flatMap(({ place, named }) =>
    [...members].flatMap(([shard, servers]) => {
      const addresses = named.get(shard);
      if (addresses === undefined) return [`${place} lacked ${shard}`];
      const foreign = addresses.filter((address) => !servers.includes(address));
      return [
        ...foreign.map((address) => `${place} named ${address} for ${shard}, no member`),
        ...(addresses.length > 1 ? [`${place} named ${addresses.join(' and ')} for ${shard} at once`] : []),
      ];
    }),
  );
}

/** Two writers whose writes were acknowledged this close to each other used the same server. */
const sameMomentMs = 100;

/**
 * Writers by our ways lose no more than a client that follows the Sentinels' majority: `control` is such a client. A write
 * is excused if the control lost one of the same moment. `allowance` is by how many other writes two clients may differ,
 * because a dying master has not replicated the last ones.
 */
export function judgeLosses(losses: readonly Loss[], allowance: number): readonly string[] {
  const control = losses.find(({ writer }) => writer === 'control');
  const excuses = (control?.lostAtMs ?? []).toSorted((a, b) => a - b);
  return losses
    .filter(({ writer }) => !isControl(writer))
    .flatMap(({ writer, lostAtMs, acknowledged }) => {
      const excess = lostAtMs.filter((atMs) => !hasWithin(excuses, atMs)).length;
      if (excess <= allowance) return [];
      const both = `${lostAtMs.length} of ${acknowledged} acknowledged writes, the control ${excuses.length}`;
      return [`the writer by ${writer} lost ${both}: ${excess} are its own`];
    });
}

/** `control` follows the Sentinels' majority; `sentinel` follows them with a client library, as applications do. */
function isControl(writer: string): boolean {
  return writer === 'control' || writer === 'sentinel';
}

function hasWithin(sortedMs: readonly number[], atMs: number): boolean {
  let [low, high] = [0, sortedMs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sortedMs[middle] ?? 0) < atMs - sameMomentMs) low = middle + 1;
    else high = middle;
  }
  return (sortedMs[low] ?? Number.POSITIVE_INFINITY) <= atMs + sameMomentMs;
}

/** Once everything works again, every place names the one master, and the record is confirmed. */
export function judgeDestinations(name: string, points: Readonly<Record<string, string>>): readonly string[] {
  const { phase, role = '', ...named } = points;
  const wrong = Object.entries(named).filter(([, address]) => address !== role);
  return [
    ...(role === '' || role.includes(' ') ? [`${name} has the masters "${role}" by ROLE`] : []),
    ...(phase === 'confirmed' ? [] : [`the record of ${name} is ${phase}`]),
    ...wrong.map(([place, address]) => `${place} of ${name} names ${address || 'nobody'}, the master is ${role}`),
  ];
}
