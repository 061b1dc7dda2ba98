/**
 * The verdict at the top: whether all is well, and otherwise what is not.
 *
 * @import { Entry, World } from './api.d.ts'
 * @import { Problem } from './problems.js'
 */
import { byId, say } from './dom.js';
import { isMasterChange } from './failover-timeline.js';
import { signs } from './health.js';
import { listProblems, shorten, showProblems } from './problems.js';

/** @param {World} world */
export function showVerdict(world) {
  const problems = listProblems(world);
  const known = world.node !== undefined;
  const level = known ? world.health.level : 'unknown';
  const line = byId('verdict-line');
  line.dataset.level = level;
  say(/** @type {Element} */ (line.querySelector('.sign')), signs[level]);
  say(byId('verdict-text'), known ? headline(problems, world) : 'Waiting for the first answer');
  say(byId('verdict-facts'), known ? facts(world) : '');
  showProblems(problems, world);
  // Old data does not describe the present.
  const sign = world.link.kind === 'old' ? '? old: ' : known ? `${signs[level]} ` : '';
  document.title = `${sign}${titleOf(problems)}${world.node?.name ?? ''} switchmaster`.replace('  ', ' ').trim();
}

let lastSpoken = '';

/**
 * Announces a changed verdict and a new master to screen readers.
 * @param {readonly Entry[]} entries Oldest first.
 * @param {World} world
 */
export function speak(entries, world) {
  const verdict = byId('verdict-text').textContent ?? '';
  const changed = verdict !== lastSpoken && lastSpoken !== '' ? [verdict] : [];
  lastSpoken = world.node === undefined ? '' : verdict;
  // At first the whole journal arrives: these entries are not new.
  const news = entries.length === world.entries.length ? [] : entries;
  const reported = news
    .filter((entry) => isMasterChange(entry) || entry.kind === 'failed')
    .map(({ key, summary }) => `${key}: ${summary}`);
  const words = [...reported.slice(-3), ...changed];
  if (words.length > 0) say(byId('spoken'), `${words.join('. ')}.`);
}

/**
 * @param {readonly Problem[]} problems
 * @param {World} world
 */
function headline(problems, { masters, templates, clusters }) {
  if (problems.length === 0 && masters.size + templates.size + clusters.size === 0) return 'Nothing is followed yet';
  if (problems.length === 0) return 'All is well';
  const critical = problems.filter(({ level }) => level === 'critical').map(({ what }) => what);
  if (critical.length > 0) return `Critical: ${shorten(critical)}`;
  const warned = problems.filter(({ level }) => level === 'warning').map(({ what }) => what);
  if (warned.length > 0) return `Not well: ${shorten(warned)}`;
  return 'Not everything is known yet';
}

/** @param {readonly Problem[]} problems */
function titleOf(problems) {
  const critical = problems.filter(({ level }) => level === 'critical');
  if (critical.length === 0) return '';
  return critical.length === 1 ? `${critical[0]?.what} critical · ` : `${critical.length} critical · `;
}

/** @param {World} world */
function facts({ masters, templates, clusters }) {
  const sentinels = new Set(
    [...masters.values()].flatMap((master) => master.sentinels.map(({ address }) => `${address.host} ${address.port}`)),
  );
  const maintained = [...masters.values()].filter(({ maintenance }) => maintenance !== null).length;
  const counts = [
    count(masters.size, 'master'),
    count(sentinels.size, 'Sentinel'),
    count(templates.size, 'template'),
    clusters.size === 0 ? '' : count(clusters.size, 'cluster'),
    maintained === 0 ? '' : `${maintained === masters.size ? 'all' : maintained} in maintenance`,
  ];
  return counts.filter((text) => text !== '').join(' · ');
}

/**
 * @param {number} number
 * @param {string} noun
 */
function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
