/**
 * How well things are, and why not: pure.
 *
 * @import { Address, Cluster, Desired, Instance, Lag, Level, Master, Template, Verdict, Vote } from './api.d.ts'
 */

/** @type {Readonly<Record<Level, number>>} */
const rank = { well: 0, unknown: 1, warning: 2, critical: 3 };

/** The sign that goes with each level's colour. @type {Readonly<Record<Level, string>>} */
export const signs = { well: '✓', unknown: '?', warning: '!', critical: '✕' };

/**
 * @param {Address} address
 * @returns {string}
 */
export function format({ host, port }) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * @param {Address | null | undefined} one
 * @param {Address | null | undefined} other
 */
export function same(one, other) {
  return one != null && other != null && one.host === other.host && one.port === other.port;
}

/**
 * @param {Level} one
 * @param {Level} other
 */
export function worse(one, other) {
  return rank[one] >= rank[other] ? one : other;
}

/**
 * What a vote is to the record.
 * @param {Vote} vote
 * @param {Master['record']} record
 * @returns {'agree' | 'differ' | 'unaware' | 'gone'}
 */
export function stance(vote, record) {
  if (vote.state === 'unreachable') return 'gone';
  if (vote.state === 'unaware' || vote.master === null) return 'unaware';
  return record !== null && same(vote.master, record.master) && vote.epoch === record.epoch ? 'agree' : 'differ';
}

/** @typedef {{ address: Address, condition: string, level: Level }} Replica */

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
    if (condition !== 'up') return { address, condition: conditions[condition] ?? condition, level: 'warning' };
    const lag = master.replicas.find((replica) => same(replica.address, address))?.lag ?? null;
    return { address, condition: tellLag(lag), level: (lag?.behindMs ?? 0) > muchBehindMs ? 'warning' : 'well' };
  });
}

/** So far behind, a replica would lose what people notice. Less may be the age of the measurement, which it includes. */
const muchBehindMs = 10_000;

/** @param {Lag | null} lag */
function tellLag(lag) {
  if (lag === null || (lag.bytes === null && lag.behindMs === null)) return 'replicating';
  if (lag.bytes === 0) return 'in step';
  const time = lag.behindMs === null || lag.behindMs < muchBehindMs ? '' : `, ${Math.round(lag.behindMs / 1_000)} s`;
  return `${lag.bytes === null ? '' : size(lag.bytes)}${time} behind`.replace(/^, /, '');
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

/** @typedef {{ level: Level, reason: string }} Finding */

/**
 * @param {Master} master
 * @returns {Verdict}
 */
export function judgeMaster(master) {
  const { record, check, troubles, lastOutcome } = master;
  const told = troubles.map(({ message }) => message);
  const last = stopped(lastOutcome).filter((summary) => !told.includes(summary));
  const toSeeTo = [...told, ...last].map((reason) => warning(reason));
  if (record === null) return gather([{ level: 'unknown', reason: 'Consul holds no record of it yet.' }, ...toSeeTo]);
  /** @type {Finding[]} */
  const opinion =
    check === null || check.status === 'passing' ? [] : [{ level: check.status, reason: `${check.output}.` }];
  return gather([...opinion, ...toSeeTo, ...findInVotes(master), ...findInReplicas(master)]);
}

/**
 * @param {Master} master
 * @returns {readonly Finding[]}
 */
function findInVotes({ record, sentinels, troubles }) {
  const stances = sentinels.map((vote) => stance(vote, record));
  const agreeing = stances.filter((each) => each === 'agree').length;
  const gone = stances.filter((each) => each === 'gone').length;
  const away = gone === 0 ? [] : [warning(`${gone} of ${sentinels.length} Sentinels cannot be reached.`)];
  // A majority adopts the new master only when Sentinel announces it.
  if (record?.phase === 'promoted') return [warning('Sentinel has not confirmed the promotion yet.'), ...away];
  // Who names whom is told already.
  if (troubles.some(({ kind }) => kind === 'sentinels-disagree')) return away;
  const agree = `${agreeing === 0 ? 'None' : `Only ${agreeing}`} of ${sentinels.length} Sentinels agree with the record.`;
  if (sentinels.length > 0 && agreeing * 2 <= sentinels.length) return [warning(agree), ...away];
  return stances.includes('differ') ? [warning('A Sentinel differs from the record.'), ...away] : away;
}

/**
 * @param {Master} master
 * @returns {readonly Finding[]}
 */
function findInReplicas(master) {
  const replicas = replicasOf(master);
  if (replicas.length === 0) return [warning('It has no replica: a failover would find nobody.')];
  if (replicas.every(({ level }) => level === 'well')) return [];
  const some = replicas.some(({ level }) => level === 'well');
  return [warning(some ? 'Not every replica replicates from it.' : 'No replica replicates from it.')];
}

/**
 * What `desired/` asks for and the Sentinels are not taught.
 * @param {Desired} desired
 * @returns {Verdict}
 */
export function judgeDesired({ lastOutcome }) {
  return gather(stopped(lastOutcome).map(warning));
}

/**
 * @param {Master['lastOutcome']} lastOutcome
 * @returns {readonly string[]}
 */
function stopped(lastOutcome) {
  return lastOutcome?.kind === 'failed' || lastOutcome?.kind === 'held' ? [lastOutcome.summary] : [];
}

/**
 * @param {string} reason
 * @returns {Finding}
 */
function warning(reason) {
  return { level: 'warning', reason };
}

/** @type {Readonly<Record<string, Level>>} */
const templateLevels = {
  current: 'well',
  new: 'unknown',
  pending: 'unknown',
  queued: 'well',
  write: 'well',
  'reload-only': 'well',
  held: 'warning',
  refused: 'critical',
  invalid: 'critical',
  failed: 'critical',
};

/**
 * @param {Template} template
 * @returns {Verdict}
 */
export function judgeTemplate({ state, missing, lastOutcome }) {
  const level = templateLevels[state] ?? 'unknown';
  if (level === 'well') return { level, reasons: [] };
  const waits = missing.length > 0 ? [`It waits for ${missing.join(', ')}.`] : [];
  const told = lastOutcome !== null && lastOutcome.summary !== '' ? [lastOutcome.summary] : waits;
  return { level, reasons: told };
}

/**
 * @param {Cluster} cluster
 * @returns {Verdict}
 */
export function judgeCluster({ record, trouble }) {
  if (record === null) return { level: 'unknown', reasons: [trouble ?? 'Consul holds no record of it yet.'] };
  const { state, uncovered, shards } = record;
  /** @type {Finding[]} */
  const found = trouble === null ? [] : [{ level: 'warning', reason: trouble }];
  const slots = uncovered.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  if (state === 'fail') found.push({ level: 'critical', reason: 'It says that it has failed.' });
  if (slots > 0) found.push({ level: 'critical', reason: `No master serves ${slots.toLocaleString()} of its slots.` });
  const without = shards.filter(({ slots, replicas }) => slots.length > 0 && replicas.length === 0).length;
  if (without > 0) found.push({ level: 'warning', reason: `${without} of ${shards.length} shards have no replica.` });
  return gather(found);
}

/**
 * @param {Instance} instance
 * @returns {Verdict}
 */
export function judgeInstance({ check }) {
  if (check === null) return { level: 'unknown', reasons: ['It was not looked at yet.'] };
  return { level: check.status === 'passing' ? 'well' : check.status, reasons: [check.output] };
}

/**
 * @param {readonly Finding[]} found
 * @returns {Verdict}
 */
function gather(found) {
  return {
    level: found.reduce((level, each) => worse(level, each.level), /** @type {Level} */ ('well')),
    reasons: found.map(({ reason }) => reason),
  };
}
