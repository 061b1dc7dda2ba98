/**
 * What is not well, by subject, with what to do about it.
 *
 * @import { Level, Reason, World } from './api.d.ts'
 */
import { withTimes } from './clock.js';
import { arrange, byId, h, on, placeOf } from './dom.js';
import { signs, worstFirst } from './health.js';

/** Rows at most. */
const maxRows = 12;
/** So many subjects with the same codes become one row. */
const many = 4;

/** What is not well about one subject. @typedef {{ level: Level, what: string, where: string, reasons: readonly Reason[] }} Problem */
/** One subject, or many with the same codes. @typedef {{ level: Level, problems: readonly Problem[] }} Row */

/**
 * The reasons by subject, worst first, as the daemon sorts them. What passes by itself is left to its own place.
 * @param {World} world
 * @returns {readonly Problem[]}
 */
export function listProblems(world) {
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
      // About a master that this node does not follow, only the journal has more.
      return masters.has(name) ? `#${placeOf('master', name)}` : '#decisions';
    default:
      return `#${placeOf(kind, name)}`;
  }
}

/**
 * Rows worst first. A dozen masters that fail over at once say the same: they are one row.
 * @param {readonly Problem[]} problems
 * @returns {readonly Row[]}
 */
function toRows(problems) {
  const alike = Map.groupBy(problems, ({ level, reasons }) => `${level} ${codesOf(reasons).join(' ')}`);
  return [...alike.values()]
    .flatMap((group) => (group.length < many ? group.map((problem) => [problem]) : [group]))
    .flatMap((group) => (group[0] === undefined ? [] : [{ level: group[0].level, problems: group }]))
    .sort((a, b) => worstFirst.indexOf(a.level) - worstFirst.indexOf(b.level));
}

/** @param {readonly Reason[]} reasons */
function codesOf(reasons) {
  return [...new Set(reasons.map(({ code }) => code))].sort();
}

/**
 * @param {readonly Problem[]} problems
 * @param {World} world
 */
export function showProblems(problems, world) {
  const rows = toRows(problems);
  const shown = rows.slice(0, maxRows);
  const hidden = rows.slice(maxRows).flatMap((row) => row.problems).length;
  /** @type {Problem} */
  const rest = { level: 'unknown', what: `and ${hidden} more`, where: '#masters', reasons: [] };
  const list = byId('attention');
  list.hidden = problems.length === 0;
  arrange(list, hidden > 0 ? [...shown, { level: rest.level, problems: [rest] }] : shown, {
    key: ({ problems }) => problems.map(({ where, what }) => `${where} ${what}`).join(' '),
    signature: (row) => JSON.stringify([row, world.guide.size]),
    build: (row) => buildRow(row, world),
  });
}

/**
 * @param {Row} row
 * @param {World} world
 */
function buildRow({ level, problems }, { guide }) {
  const [first] = problems;
  const reasons = first?.reasons ?? [];
  const guidance = codesOf(reasons).flatMap((code) => guide.get(code) ?? []);
  return h(
    'li',
    { 'data-level': level },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
    h('span', { class: 'hidden' }, `${level}: `),
    links(problems),
    ' ',
    problems.length > 1
      ? h('span', { class: 'text' }, guidance.map(({ meaning }) => meaning).join(' ') || codesOf(reasons).join(', '))
      : listReasons(reasons),
    guidance.length === 0 ? null : whatToDo(guidance, problems.length > 1 ? 'many' : 'one'),
  );
}

/** @param {readonly Problem[]} problems */
function links(problems) {
  const shown = problems.slice(0, problems.length > many ? many - 1 : many);
  const more = problems.length - shown.length;
  return h(
    'span',
    { class: 'subjects' },
    shown.flatMap(({ what, where }, index) => [
      index === 0 ? null : ', ',
      h('a', { href: where, 'data-focus': what }, what),
    ]),
    more > 0 ? ` and ${more} more` : null,
  );
}

/** @param {readonly Reason[]} reasons */
function listReasons(reasons) {
  const [first] = reasons;
  if (first === undefined) return null;
  if (reasons.length === 1) return h('span', {}, reasonParts(first));
  return h(
    'ul',
    { role: 'list' },
    reasons.map((reason) => h('li', {}, reasonParts(reason))),
  );
}

/**
 * The sentence, and the command to type.
 * @param {Reason} reason
 */
function reasonParts({ text, hint }) {
  return [h('span', { class: 'text' }, withTimes(text)), ...(hint === null ? [] : [' ', commandToType(hint)])];
}

/** One click selects all of it; where the browser permits it, another copies it. @param {string} text */
function commandToType(text) {
  const code = h('code', { class: 'command' }, text);
  if (!window.isSecureContext) return code;
  const button = h(
    'button',
    { type: 'button', class: 'copy', 'aria-label': `Copy ${text}`, 'data-focus': `copy ${text}` },
    'Copy',
  );
  on(button, 'click', () => void navigator.clipboard.writeText(text).then(() => button.replaceChildren('Copied')));
  return h('span', { class: 'to-type' }, code, button);
}

/** Rows whose guidance is open, so that it stays open when the row changes. @type {Set<string>} */
const open = new Set();

/**
 * The line of the operations guide.
 * @param {readonly import('./api.d.ts').Guidance[]} guidance
 * @param {'one' | 'many'} subjects The row of many subjects shows the meaning already.
 */
function whatToDo(guidance, subjects) {
  const id = guidance.map(({ code }) => code).join(' ');
  const details = h(
    'details',
    { class: 'guidance', open: open.has(id) },
    h('summary', {}, 'What to do'),
    guidance.map(({ code, meaning, fix }) =>
      h('p', {}, h('b', {}, code), ' ', subjects === 'one' ? withCode(`${meaning} `) : null, withCode(fix)),
    ),
  );
  on(details, 'toggle', () => (/** @type {HTMLDetailsElement} */ (details).open ? open.add(id) : open.delete(id)));
  return details;
}

/**
 * Text with code between backticks.
 * @param {string} text
 */
function withCode(text) {
  return h(
    'span',
    {},
    text.split('`').map((part, index) => (index % 2 === 0 ? part : h('code', {}, part))),
  );
}

/** @param {readonly string[]} names */
export function shorten(names) {
  const shown = names.slice(0, 3).map(cut).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** Characters of a name in the headline at most. */
const maxName = 64;

/**
 * The ends of a name distinguish it.
 * @param {string} name
 */
function cut(name) {
  const characters = [...name];
  const half = maxName / 2;
  return characters.length <= maxName
    ? name
    : `${characters.slice(0, half).join('')}…${characters.slice(-half).join('')}`;
}
