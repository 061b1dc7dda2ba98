import { formatAddress } from '../../lib/model/address.ts';
import type { MasterObservers } from './observers.ts';
import type { SeenPlace } from './rules.ts';

export interface Moment {
  readonly atMs: number;
  readonly text: string;
}

/** What the observers of one master saw. */
export function momentsOf({
  shard: { name },
  records,
  keys,
  dns,
  majority,
  roles,
}: MasterObservers): readonly Moment[] {
  return [
    ...majority.named.map(({ atMs, master }) => ({ atMs, text: `${name}: most Sentinels name ${master}` })),
    ...records.map(({ atMs, record: { generation, epoch, phase, master, changedBy } }) => ({
      atMs,
      text: `${name}: record ${generation}/${epoch} ${phase} ${formatAddress(master)} by ${changedBy}`,
    })),
    ...keys.map(({ atMs, isWhole, plain }) => ({
      atMs,
      text: `${name}: keys ${isWhole ? 'agree' : `differ (${plain ?? 'none'})`}`,
    })),
    ...dns.map(({ atMs, addresses }) => ({ atMs, text: `${name}: DNS ${addresses.join(' ') || 'empty'}` })),
    ...roles.map(({ atMs, server, role }) => ({ atMs, text: `${server}: ${role}` })),
  ];
}

export function momentsOfPlaces(seen: readonly SeenPlace[]): readonly Moment[] {
  return seen.map(({ atMs, place, named }) => {
    const all = [...named].map(([shard, addresses]) => `${shard} ${addresses.join(' ') || 'nobody'}`);
    return { atMs, text: `${place}: ${all.join(', ') || 'no shard'}` };
  });
}

/** One line each, in order of time, with the milliseconds since the start. */
export function formatTimeline(startedMs: number, moments: readonly Moment[]): readonly string[] {
  return moments
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text }) => `${String(Math.round(atMs - startedMs)).padStart(7)} ms  ${text}`);
}
