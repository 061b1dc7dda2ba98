/**
 * The first thing to be read: whether all is well, and if not, what is not.
 *
 * @import { Entry, Level, Reason, World } from './api.d.ts'
 */
import { arrange, byId, h, placeOf, say } from './dom.js';
import { isMasterChange } from './failover-timeline.js';
import { signs, worstFirst } from './health.js';

/** Subjects that are listed at most. */
const maxProblems = 12;

/** What is not well about one subject. @typedef {{ level: Level, what: string, where: string, reasons: readonly Reason[] }} Problem */

/** @param {World} world */
export function showVerdict(world) {
  const problems = listProblems(world);
  const known = world.version !== '';
  const level = known ? world.health.level : 'unknown';
  const line = byId('verdict-line');
  line.dataset.level = level;
  say(/** @type {Element} */ (line.querySelector('.sign')), signs[level]);
  say(byId('verdict-text'), known ? headline(problems, world) : 'Waiting for the first answer');
  say(byId('verdict-facts'), known ? facts(world) : '');
  showProblems(problems);
  document.title = `${known ? `${signs[level]} ` : ''}${world.link.kind === 'old' ? 'old: ' : ''}${titleOf(problems)}switchmaster`;
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
  lastSpoken = world.version === '' ? '' : verdict;
  // All of the journal comes at first: that is nothing that happens now.
  const news = entries.length === world.entries.length ? [] : entries;
  const reported = news
    .filter((entry) => isMasterChange(entry) || entry.kind === 'failed')
    .map(({ key, summary }) => `${key}: ${summary}`);
  const words = [...reported.slice(-3), ...changed];
  if (words.length > 0) say(byId('spoken'), `${words.join('. ')}.`);
}

/**
 * The reasons by subject, worst first, as the daemon sorts them. What passes by itself is left to its own place.
 * @param {World} world
 * @returns {readonly Problem[]}
 */
function listProblems(world) {
  const unwell = world.health.reasons.filter(({ level }) => level !== 'well');
  const groups = Map.groupBy(unwell, (reason) => `${labelOf(reason)} ${placeFor(reason, world)}`);
  const problems = [...groups.values()].flatMap((reasons) => {
    const [first] = reasons;
    if (first === undefined) return [];
    return [{ level: first.level, what: labelOf(first), where: placeFor(first, world), reasons }];
  });
  return problems.sort((a, b) => worstFirst.indexOf(a.level) - worstFirst.indexOf(b.level));
}

/** @param {Reason} reason */
function labelOf({ code, subject: { kind, name } }) {
  if (code === 'not-ready') return 'not ready';
  return kind === 'desired' ? `desired/${name}` : name;
}

/**
 * Where the page shows what a reason is about.
 * @param {Reason} reason
 * @param {World} world
 */
function placeFor({ subject: { kind, name } }, { masters }) {
  switch (kind) {
    case 'part':
    case 'consul':
    case 'config':
      return '#verdict';
    case 'desired':
      // For one that is not followed, only the journal has more.
      return masters.has(name) ? `#${placeOf('master', name)}` : '#decisions';
    default:
      return `#${placeOf(kind, name)}`;
  }
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
  const counts = [
    count(masters.size, 'master'),
    count(sentinels.size, 'Sentinel'),
    count(templates.size, 'template'),
    clusters.size === 0 ? '' : count(clusters.size, 'cluster'),
  ];
  return counts.filter((text) => text !== '').join(' · ');
}

/** @param {readonly Problem[]} problems */
function showProblems(problems) {
  const shown = problems.slice(0, maxProblems);
  const rest = problems.length - shown.length;
  /** @type {Problem} */
  const last = { level: 'unknown', what: `and ${rest} more`, where: '#masters', reasons: [] };
  const list = byId('attention');
  list.hidden = problems.length === 0;
  arrange(list, rest > 0 ? [...shown, last] : shown, {
    key: (problem) => (problem === last ? 'rest' : `${problem.where} ${problem.what}`),
    signature: (problem) => JSON.stringify(problem),
    build: buildProblem,
  });
}

/** @param {Problem} problem */
function buildProblem({ level, what, where, reasons }) {
  const [first] = reasons;
  return h(
    'li',
    { 'data-level': level },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
    h('span', { class: 'hidden' }, `${level}: `),
    h('a', { href: where, 'data-focus': what }, what),
    ' ',
    reasons.length === 1 && first !== undefined
      ? h('span', {}, reasonParts(first))
      : h(
          'ul',
          { role: 'list' },
          reasons.map((reason) => h('li', {}, reasonParts(reason))),
        ),
  );
}

/**
 * The sentence, and the command to type.
 * @param {Reason} reason
 */
function reasonParts({ text, hint }) {
  return [h('span', { class: 'text' }, text), ...(hint === null ? [] : [' ', h('code', {}, hint)])];
}

/** @param {readonly string[]} names */
function shorten(names) {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/**
 * @param {number} number
 * @param {string} noun
 */
function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
