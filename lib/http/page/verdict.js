/**
 * The first thing to be read: whether all is well, and if not, what is not.
 *
 * @import { Entry, Level, World } from './api.d.ts'
 */
import { arrange, byId, h, placeOf, say } from './dom.js';
import { judgeCluster, judgeDesired, judgeInstance, judgeMaster, judgeTemplate, signs, worse } from './judgement.js';
import { isTurn } from './stories.js';

/** Troubles that are listed at most. */
const maxTroubles = 12;

/** @typedef {{ level: Level, what: string, where: string, reasons: readonly string[] }} Trouble */

/** @param {World} world */
export function showVerdict(world) {
  const troubles = listTroubles(world);
  const worst = troubles.reduce((level, each) => worse(level, each.level), /** @type {Level} */ ('well'));
  const known = world.version !== '';
  const level = known ? worst : 'unknown';
  const line = byId('verdict-line');
  line.dataset.level = level;
  say(/** @type {Element} */ (line.querySelector('.sign')), signs[level]);
  say(byId('verdict-text'), known ? headline(troubles, world) : 'Waiting for the first answer');
  say(byId('verdict-facts'), known ? facts(world) : '');
  showTroubles(troubles);
  document.title = `${known ? `${signs[level]} ` : ''}${world.link.kind === 'old' ? 'old: ' : ''}${titleOf(troubles)}switchmaster`;
}

let lastSpoken = '';

/**
 * Says what an eye would be drawn to: that the verdict is another one, and who became master.
 * @param {readonly Entry[]} entries Oldest first.
 * @param {World} world
 */
export function speak(entries, world) {
  const verdict = byId('verdict-text').textContent ?? '';
  const changed = verdict !== lastSpoken && lastSpoken !== '' ? [verdict] : [];
  lastSpoken = world.version === '' ? '' : verdict;
  // All of the journal comes at first: that is nothing that happens now.
  const news = entries.length === world.entries.length ? [] : entries;
  const told = news
    .filter((entry) => isTurn(entry) || entry.kind === 'failed')
    .map(({ key, summary }) => `${key}: ${summary}`);
  const words = [...told.slice(-3), ...changed];
  if (words.length > 0) say(byId('spoken'), `${words.join('. ')}.`);
}

/**
 * @param {World} world
 * @returns {readonly Trouble[]} Worst first.
 */
function listTroubles({ masters, templates, clusters, desired, instances, missing }) {
  /** @type {Trouble[]} */
  const troubles = missing.map((what) => ({ level: 'unknown', what: 'not ready', where: '#verdict', reasons: [what] }));
  const add = (
    /** @type {string} */ what,
    /** @type {string} */ where,
    /** @type {import('./api.d.ts').Verdict} */ verdict,
  ) => {
    if (verdict.level === 'well') return;
    troubles.push({ level: verdict.level, what, where, reasons: verdict.reasons });
  };
  for (const master of masters.values()) add(master.name, `#${placeOf('master', master.name)}`, judgeMaster(master));
  for (const one of desired) {
    // Of one that is not followed, only the journal tells more.
    const where = masters.has(one.name) ? `#${placeOf('master', one.name)}` : '#decisions';
    add(`desired/${one.name}`, where, judgeDesired(one));
  }
  for (const cluster of clusters.values())
    add(cluster.name, `#${placeOf('cluster', cluster.name)}`, judgeCluster(cluster));
  for (const instance of instances) add(instance.id, `#${placeOf('instance', instance.id)}`, judgeInstance(instance));
  for (const template of templates.values())
    add(template.name, `#${placeOf('template', template.name)}`, judgeTemplate(template));
  const order = ['critical', 'warning', 'unknown'];
  return troubles.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}

/**
 * @param {readonly Trouble[]} troubles
 * @param {World} world
 */
function headline(troubles, { masters, templates, clusters }) {
  if (troubles.length === 0 && masters.size + templates.size + clusters.size === 0) return 'Nothing is followed yet';
  if (troubles.length === 0) return 'All is well';
  const critical = troubles.filter(({ level }) => level === 'critical').map(({ what }) => what);
  if (critical.length > 0) return `Critical: ${shorten(critical)}`;
  const warned = troubles.filter(({ level }) => level === 'warning').map(({ what }) => what);
  if (warned.length > 0) return `Not well: ${shorten(warned)}`;
  return 'Not everything is known yet';
}

/** @param {readonly Trouble[]} troubles */
function titleOf(troubles) {
  const critical = troubles.filter(({ level }) => level === 'critical');
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

/** @param {readonly Trouble[]} troubles */
function showTroubles(troubles) {
  const shown = troubles.slice(0, maxTroubles);
  const rest = troubles.length - shown.length;
  /** @type {Trouble} */
  const last = { level: 'unknown', what: `and ${rest} more`, where: '#masters', reasons: [] };
  const list = byId('attention');
  list.hidden = troubles.length === 0;
  arrange(list, rest > 0 ? [...shown, last] : shown, {
    key: (trouble) => {
      if (trouble === last) return 'rest';
      return trouble.what === 'not ready'
        ? `not ready ${trouble.reasons.join(' ')}`
        : `${trouble.where} ${trouble.what}`;
    },
    signature: (trouble) => JSON.stringify(trouble),
    build: buildTrouble,
  });
}

/** @param {Trouble} trouble */
function buildTrouble({ level, what, where, reasons }) {
  return h(
    'li',
    { 'data-level': level },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
    h('span', { class: 'hidden' }, `${level}: `),
    h('a', { href: where, 'data-focus': what }, what),
    ' ',
    reasons.length < 2
      ? h('span', {}, reasons[0])
      : h(
          'ul',
          { role: 'list' },
          reasons.map((reason) => h('li', {}, reason)),
        ),
  );
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
