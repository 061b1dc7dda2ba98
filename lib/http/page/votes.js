/**
 * What the Sentinels report of a master, in words.
 *
 * @import { Address, Lag, Master, Vote } from './api.d.ts'
 */
import { same } from './address.js';

/**
 * Whether a vote agrees with the record.
 * @param {Vote} vote
 * @returns {'agree' | 'differ' | 'unaware' | 'gone'}
 */
export function stance(vote) {
  if (vote.state === 'unreachable') return 'gone';
  if (vote.state === 'unaware' || vote.master === null) return 'unaware';
  return vote.agrees === true ? 'agree' : 'differ';
}

/** @typedef {{ address: Address, condition: string }} Replica */

/**
 * The record's replicas, each as most of the Sentinels that see it do.
 * @param {Master} master
 * @returns {readonly Replica[]}
 */
export function replicasOf(master) {
  const { record, sentinels } = master;
  return (record?.replicas ?? []).map((address) => {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { replicas } of sentinels) {
      const seen = replicas.find((replica) => same(replica.address, address));
      if (seen !== undefined) counts.set(seen.condition, (counts.get(seen.condition) ?? 0) + 1);
    }
    const [condition = 'not seen'] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
    if (condition !== 'up') return { address, condition: conditions[condition] ?? condition };
    const lag = master.replicas.find((replica) => same(replica.address, address))?.lag ?? null;
    return { address, condition: describeLag(lag) };
  });
}

/** A smaller lag may come from the age of the measurement, which the time includes. */
const shownMs = 10_000;

/**
 * As `switchmaster status` describes it (lib/model/lag.ts).
 * @param {Lag | null} lag
 */
function describeLag(lag) {
  if (lag === null || (lag.bytes === null && lag.behindMs === null)) return 'lag unknown';
  if (lag.bytes === 0) return 'in sync';
  const time = lag.behindMs === null || lag.behindMs < shownMs ? '' : `, ${Math.round(lag.behindMs / 1_000)} s`;
  const behind = `${lag.bytes === null ? '' : size(lag.bytes)}${time}`.replace(/^, /, '');
  return behind === '' ? 'in sync' : `${behind} behind`;
}

/** @param {number} bytes */
function size(bytes) {
  if (bytes < 10_000) return `${bytes} B`;
  return bytes < 10_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${Math.round(bytes / 1_000_000)} MB`;
}

/** @type {Readonly<Record<string, string>>} */
const conditions = {
  'link-down': 'not replicating',
  s_down: 'down',
  unlinked: 'not linked yet',
  master: 'says it is a master',
};
