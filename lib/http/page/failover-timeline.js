/**
 * The course of a failover, from the journal. Pure.
 *
 * @import { Entry } from './api.d.ts'
 *
 * @typedef {{ name: string, fromMs: number, toMs: number }} Segment
 * @typedef {{ name: string, kind: 'bridge' | 'template', segments: readonly Segment[], outcome: string }} TimelineRow
 * @typedef {object} Failover
 * @property {number} id
 * @property {string} key
 * @property {string} at
 * @property {string} cause
 * @property {string} from
 * @property {string} to
 * @property {number} epoch
 * @property {number} generation
 * @property {readonly TimelineRow[]} rows Times in milliseconds since the hint that announced the new master.
 * @property {number} endMs When the last row ended.
 * @property {readonly { name: string, ms: number }[]} around What Sentinel said before and after.
 */

/** Causes of a change of master. */
const changing = new Set(['failover', 'rebase', 'operator']);
const beforeMs = 60_000;
const afterMs = 30_000;

/**
 * The newest changes of master, newest first, and how many there are.
 * @param {readonly Entry[]} entries Newest first.
 * @param {{ filter: string, limit: number }} options `filter`: a part of the names, in lower case.
 * @returns {{ failovers: readonly Failover[], count: number }}
 */
export function listFailovers(entries, { filter, limit }) {
  const changes = entries
    .map((entry, index) => ({ entry, index }))
    .filter(({ entry }) => isMasterChange(entry) && entry.key.toLowerCase().includes(filter));
  const failovers = changes.slice(0, limit).map(({ entry, index }) => toFailover(entry, entries, index));
  return { failovers, count: changes.length };
}

/** @param {Entry} entry */
export function isMasterChange({ loop, kind, details }) {
  return loop === 'bridge' && kind === 'applied' && changing.has(String(details.cause));
}

/**
 * @param {Entry} entry
 * @param {readonly Entry[]} entries
 * @param {number} index
 * @returns {Failover}
 */
function toFailover(entry, entries, index) {
  const record = map(entry.details.record);
  const startMs = wokenMs(entry);
  const later = following(entries, index, startMs);
  const rows = [
    toRow(entry, startMs),
    ...later.filter(({ loop }) => loop === 'renderer').map((one) => toRow(one, startMs)),
  ];
  return {
    id: entry.id,
    key: entry.key,
    at: entry.at,
    cause: String(entry.details.cause),
    from: address(record.previous),
    to: address(record.master),
    epoch: Number(record.epoch),
    generation: Number(record.generation),
    rows,
    endMs: Math.max(...rows.flatMap(({ segments }) => segments.map(({ toMs }) => toMs)), 0),
    around: [...signsBefore(entry, entries, { index, startMs }), ...confirmation(entry, later, startMs)],
  };
}

/**
 * What came after within half a minute: the first success of each template, and this master's own entries up to its next change of master.
 * @param {readonly Entry[]} entries
 * @param {number} index
 * @param {number} startMs
 */
function following(entries, index, startMs) {
  const { key } = /** @type {Entry} */ (entries[index]);
  /** @type {Entry[]} */
  const found = [];
  const seen = new Set();
  for (let i = index - 1; i >= 0; i -= 1) {
    const entry = /** @type {Entry} */ (entries[i]);
    if (Date.parse(entry.at) - startMs > afterMs || (entry.key === key && isMasterChange(entry))) break;
    const own = entry.loop === 'bridge' && entry.key === key;
    const template = entry.loop === 'renderer' && entry.details.stages !== undefined && !seen.has(entry.key);
    if (template && wokenMs(entry) < startMs - 5) continue;
    if (template) seen.add(entry.key);
    if (own || template) found.push(entry);
  }
  return found;
}

/**
 * The first that any Sentinel said about this failover.
 * @param {Entry} entry
 * @param {readonly Entry[]} entries
 * @param {{ index: number, startMs: number }} place
 */
function signsBefore({ key }, entries, { index, startMs }) {
  /** @type {Map<string, number>} */
  const first = new Map();
  for (const entry of entries.slice(index)) {
    if (
      startMs - Date.parse(entry.at) > beforeMs ||
      (entry !== entries[index] && entry.key === key && isMasterChange(entry))
    )
      break;
    if (entry.loop !== 'bridge' || entry.key !== key) continue;
    for (const { event, agoMs } of entry.hints)
      first.set(event, Math.min(Date.parse(entry.at) - agoMs - startMs, first.get(event) ?? Infinity));
  }
  const names = { '+sdown': 'first Sentinel sees it down', '+odown': 'a quorum agrees' };
  return Object.entries(names).flatMap(([event, name]) => {
    const ms = first.get(event);
    return ms === undefined || ms > 0 ? [] : [{ name, ms }];
  });
}

/**
 * @param {Entry} entry
 * @param {readonly Entry[]} later
 * @param {number} startMs
 */
function confirmation(entry, later, startMs) {
  const confirmed = later.find(({ loop, details }) => loop === 'bridge' && details.cause === 'confirmed');
  const announced = (confirmed ?? entry).hints.find(({ event }) => event === '+switch-master');
  if (announced === undefined) return [];
  const ms = Date.parse((confirmed ?? entry).at) - announced.agoMs - startMs;
  return [{ name: '+switch-master', ms: Math.round(ms) }];
}

/**
 * @param {Entry} entry
 * @param {number} startMs
 * @returns {TimelineRow}
 */
function toRow(entry, startMs) {
  const offsetMs = Math.max(0, wokenMs(entry) - startMs);
  let lastMs = offsetMs;
  const segments = Object.entries(map(entry.details.stages))
    .map(([stage, ms]) => ({ name: stage.replace(/Ms$/, ''), ms: offsetMs + Number(ms) }))
    .filter(({ ms }) => Number.isFinite(ms))
    .sort((a, b) => a.ms - b.ms)
    .map(({ name, ms }) => {
      const segment = { name, fromMs: lastMs, toMs: Math.max(ms, lastMs) };
      lastMs = segment.toMs;
      return segment;
    });
  return {
    name: entry.loop === 'bridge' ? 'Consul' : entry.key,
    kind: entry.loop === 'bridge' ? 'bridge' : 'template',
    segments,
    outcome: entry.kind,
  };
}

/**
 * When the key was woken, milliseconds since 1970.
 * @param {Entry} entry
 */
function wokenMs(entry) {
  return Date.parse(entry.at) - Math.max(entry.durationMs, ...entry.hints.map(({ agoMs }) => agoMs));
}

/**
 * @param {unknown} value
 * @returns {Readonly<Record<string, unknown>>}
 */
function map(value) {
  return typeof value === 'object' && value !== null ? /** @type {Record<string, unknown>} */ (value) : {};
}

/** @param {unknown} value */
function address(value) {
  const { host, port } = map(value);
  return host === undefined ? '' : `${String(host).includes(':') ? `[${host}]` : host}:${port}`;
}
