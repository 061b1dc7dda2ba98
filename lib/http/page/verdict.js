/**
 * The verdict at the top: whether all is well, and otherwise what is not.
 *
 * @import { Entry, World } from './api.d.ts'
 * @import { Problem } from './problems.js'
 */
import { timeOfDay } from './clock.js';
import { byId, say, visible } from './dom.js';
import { isMasterChange } from './failover-timeline.js';
import { signs } from './health.js';
import { listProblems, shorten, showProblems } from './problems.js';

/** @param {World} world */
export function showVerdict(world) {
  const problems = listProblems(world);
  const known = world.node !== undefined;
  const isOld = world.link.kind === 'old';
  // Old data does not describe the present: its sign would be taken for it.
  const level = known && !isOld ? world.health.level : 'unknown';
  const line = byId('verdict-line');
  line.dataset.level = level;
  say(/** @type {Element} */ (line.querySelector('.sign')), signs[level]);
  say(byId('verdict-text'), known ? headline(problems, world) : 'Waiting for the first answer');
  say(byId('verdict-facts'), known ? facts(world) : '');
  showProblems(problems, world);
  const sign = isOld ? '? old: ' : known ? `${signs[level]} ` : '';
  document.title = visible(
    `${sign}${titleOf(problems)}${world.node?.name ?? ''} switchmaster`.replace('  ', ' ').trim(),
  );
}

/** Notes about a failover that needs nobody: it is ordered, or it settles. */
const passing = new Set(['master-failing-over', 'master-settling']);

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
function headline(problems, world) {
  const text = judgement(problems, world);
  if (world.link.kind !== 'old') return text;
  return `At ${timeOfDay(world.link.sinceMs)}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}

/**
 * @param {readonly Problem[]} problems
 * @param {World} world
 */
function judgement(problems, { masters, templates, clusters }) {
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
  return critical.length === 1
    ? `${shorten(critical.map(({ what }) => what))} critical · `
    : `${critical.length} critical · `;
}

/** @param {World} world */
function facts({ masters, templates, clusters, health }) {
  const sentinels = new Set(
    [...masters.values()].flatMap((master) => master.sentinels.map(({ address }) => `${address.host} ${address.port}`)),
  );
  const maintained = [...masters.values()].filter(({ maintenance }) => maintenance !== null).length;
  const failingOver = new Set(
    health.reasons.flatMap(({ code, subject }) => (passing.has(code) ? [`${subject.kind} ${subject.name}`] : [])),
  );
  const counts = [
    count(masters.size, 'master'),
    count(sentinels.size, 'Sentinel'),
    count(templates.size, 'template'),
    clusters.size === 0 ? '' : count(clusters.size, 'cluster'),
    failingOver.size === 0 ? '' : `${count(failingOver.size, 'failover')} under way`,
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
