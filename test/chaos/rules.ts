import { formatAddress, sameAddress } from '../../lib/model/address.ts';
import { compareVersions } from '../../lib/model/epoch.ts';
import type { MasterRecord } from '../../lib/model/record.ts';

/* What must hold whatever happened. Pure, given what was seen. Times are milliseconds since 1970. */

export interface SeenRecord {
  readonly record: MasterRecord;
  readonly index: number;
  readonly atMs: number;
}

/** The record and the plain keys of one master in one answer: whether they said the same. Each entry is a change. */
export interface SeenKeys {
  readonly atMs: number;
  readonly isWhole: boolean;
  readonly plain: string | undefined;
  readonly record: string | undefined;
}

export interface Loss {
  readonly writer: string;
  readonly lost: number;
  readonly acknowledged: number;
}

/** A later record is never older than an earlier one, one version never has two masters, and all name a member. */
export function judgeRecords(seen: readonly SeenRecord[], members: readonly string[]): readonly string[] {
  return seen.flatMap(({ record }, i) => {
    const what = `record ${record.generation}/${record.epoch} ${formatAddress(record.master)}`;
    const foreign = members.includes(formatAddress(record.master)) ? [] : [`${what} names no server of ${record.name}`];
    const before = seen[i - 1]?.record;
    if (before === undefined) return foreign;
    const order = compareVersions(record, before);
    if (order < 0) return [...foreign, `${what} followed the newer ${before.generation}/${before.epoch}`];
    if (order === 0 && !sameAddress(record.master, before.master))
      return [...foreign, `${what} has the version of ${formatAddress(before.master)}`];
    return foreign;
  });
}

/** The record and its plain keys are written together: they differ only while an edit by hand waits to be put back. */
export function judgeKeys(
  seen: readonly SeenKeys[],
  allowed: { readonly differMs: number; readonly untilMs: number },
): readonly string[] {
  return seen.flatMap(({ atMs, isWhole, plain, record }, i) => {
    const forMs = (seen[i + 1]?.atMs ?? allowed.untilMs) - atMs;
    if (isWhole || forMs <= allowed.differMs) return [];
    return [`record and keys differed for ${forMs} ms: ${plain ?? 'no key'} beside ${record ?? 'no record'}`];
  });
}

/** DNS names one master at most, and nothing but members. */
export function judgeDns(
  seen: readonly { readonly addresses: readonly string[] }[],
  hosts: readonly string[],
): readonly string[] {
  return seen.flatMap(({ addresses }) => [
    ...(addresses.length > 1 ? [`DNS named ${addresses.join(' and ')} at once`] : []),
    ...addresses.filter((address) => !hosts.includes(address)).map((address) => `DNS named ${address}, no member`),
  ]);
}

/**
 * Writers by our ways lose no more than a client that follows the Sentinels' majority would have: `control` is such a
 * client, and `allowance` is what two clients may differ by, since a dying master has not replicated the last writes.
 */
export function judgeLosses(losses: readonly Loss[], allowance: number): readonly string[] {
  const control = losses.find(({ writer }) => writer === 'control')?.lost ?? 0;
  return losses
    .filter(({ writer, lost }) => writer !== 'control' && lost > control + allowance)
    .map(
      ({ writer, lost, acknowledged }) =>
        `the writer by ${writer} lost ${lost} of ${acknowledged} acknowledged writes, the control ${control}`,
    );
}

/** Once everything is whole again, every place names the one master, and the record is confirmed. */
export function judgeDestinations(name: string, points: Readonly<Record<string, string>>): readonly string[] {
  const { phase, role = '', ...named } = points;
  const wrong = Object.entries(named).filter(([, address]) => address !== role);
  return [
    ...(role === '' || role.includes(' ') ? [`${name} has the masters "${role}" by ROLE`] : []),
    ...(phase === 'confirmed' ? [] : [`the record of ${name} is ${phase}`]),
    ...wrong.map(([place, address]) => `${place} of ${name} names ${address || 'nobody'}, the master is ${role}`),
  ];
}
