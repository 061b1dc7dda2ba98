/**
 * Every master, worst first: who it is, since when, who agrees, what follows it.
 *
 * @import { Level, Master, World } from './api.d.ts'
 * @import { Orders } from './orders.js'
 */
import { format } from './address.js';
import { ago } from './clock.js';
import { arrange, byId, h, on, placeOf, say } from './dom.js';
import { levelAt, signs, verdictOf, worstFirst } from './health.js';
import { details } from './master-details.js';
import { pointsAt } from './pointing.js';
import { replicasOf, stance } from './votes.js';

/** From this many on, those that are well get a line each. */
const manyMasters = 17;
/** Names whose details are open. @type {Set<string>} */
const open = new Set();

/** @typedef {{ master: Master, level: Level, reasons: readonly string[], users: readonly string[], replicas: readonly ShownReplica[] }} Shown */
/** @typedef {ReturnType<typeof replicasOf>[number] & { level: Level }} ShownReplica */
/** @typedef {{ orders: Orders, onToggle: () => void }} Handlers */

/**
 * @param {World} world
 * @param {Orders} orders
 */
export function showMasters(world, orders) {
  const { masters, filter } = world;
  const wanted = [...masters.values()].filter(({ name }) => name.toLowerCase().includes(filter));
  const shown = wanted.map((master) => toShown(master, world));
  showNone(world, wanted.length);
  const dense = shown.length >= manyMasters;
  // A few keep their places whatever happens to them; of many, those with problems come first.
  const unwell = shown
    .filter(({ level }) => level !== 'well')
    .sort((a, b) => worstFirst.indexOf(a.level) - worstFirst.indexOf(b.level));
  const groups = dense
    ? [
        { id: 'unwell', title: 'Not well', members: unwell },
        { id: 'well', title: 'Well', members: shown.filter(({ level }) => level === 'well') },
      ]
    : [{ id: 'all', title: '', members: shown }];
  showGroups(
    groups.filter(({ members }) => members.length > 0),
    { orders, onToggle: () => showMasters(world, orders) },
  );
}

/**
 * @param {Master} master
 * @param {World} world
 * @returns {Shown}
 */
function toShown(master, world) {
  const replicas = replicasOf(master).map((replica) => ({
    ...replica,
    level: levelAt(world, format(replica.address), master.name),
  }));
  return { master, ...verdictOf(world, 'master', master.name), users: pointsAt(world, master), replicas };
}

/**
 * @param {readonly { id: string, title: string, members: readonly Shown[] }[]} groups
 * @param {Handlers} handlers
 */
function showGroups(groups, handlers) {
  const parts = arrange(byId('masters-groups'), groups, {
    key: ({ id }) => id,
    build: ({ title }) => h('div', { class: 'group' }, title === '' ? null : groupTitle(title), h('ul', {})),
  });
  for (const [index, { id, members }] of groups.entries()) {
    const list = /** @type {HTMLElement} */ (parts[index]?.querySelector('ul'));
    const density = id === 'well' ? 'lines' : 'cards';
    list.className = density;
    const count = parts[index]?.querySelector('.count');
    if (count != null) say(count, String(members.length));
    arrange(list, members, {
      key: ({ master }) => master.name,
      signature: (one) => JSON.stringify([visibleState(one), open.has(one.master.name)]),
      build: (one) => buildCard(one, { density, ...handlers }),
    });
  }
}

/**
 * What the page shows of it. Times of readings and measurements change all the time: to rebuild the card for them would take
 * away what somebody has just marked in it.
 * @param {Shown} shown
 */
function visibleState({ master, ...rest }) {
  const sentinels = master.sentinels.map((vote) => ({ ...vote, lastReadAt: null }));
  return { ...master, ...rest, sentinels, lastOutcome: null };
}

/** @param {string} title */
function groupTitle(title) {
  return h('h3', {}, title, ' ', h('span', { class: 'count' }));
}

/**
 * @param {World} world
 * @param {number} count
 */
function showNone({ masters, filter, version }, count) {
  const none = byId('masters-none');
  none.hidden = count > 0 || version === '';
  say(none, masters.size === 0 ? 'This node follows none.' : `None of the ${masters.size} is called like “${filter}”.`);
}

/**
 * @param {Shown} shown
 * @param {Handlers & { density: 'cards' | 'lines' }} options
 */
function buildCard({ master, level, reasons, users, replicas }, { density, orders, onToggle }) {
  const { name, record } = master;
  const isOpen = open.has(name);
  const toggle = on(
    h(
      'button',
      { type: 'button', class: 'name', 'aria-expanded': String(isOpen), 'data-focus': 'name' },
      h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
      h('span', { class: 'hidden' }, `${level}: `),
      h('span', { class: 'text' }, name),
    ),
    'click',
    () => {
      if (!open.delete(name)) open.add(name);
      onToggle();
    },
  );
  const address = h('p', { class: 'address' }, record === null ? 'no record' : format(record.master));
  const head = h(
    'div',
    { class: 'head' },
    toggle,
    record === null
      ? null
      : h('span', { class: 'epoch', title: `generation ${record.generation}` }, `epoch ${record.epoch}`),
  );
  const body =
    density === 'lines' && !isOpen ? [] : [since(master), reasonsOf(reasons), listReplicas(replicas), used(users)];
  return h(
    'li',
    { class: `master${isOpen ? ' open' : ''}`, 'data-level': level, 'data-name': name, id: placeOf('master', name) },
    head,
    address,
    ...body,
    votes(master),
    isOpen ? details(master, orders) : null,
  );
}

/** @param {Master} master */
function since({ record }) {
  if (record === null) return null;
  return h('p', { class: 'since quiet' }, `${record.reason}, `, ago(record.changedAt), ' ago');
}

/** @param {readonly string[]} reasons */
function reasonsOf(reasons) {
  if (reasons.length === 0) return null;
  return h(
    'ul',
    { class: 'reasons' },
    reasons.map((reason) => h('li', {}, reason)),
  );
}

/** @param {readonly ShownReplica[]} replicas */
function listReplicas(replicas) {
  if (replicas.length === 0) return null;
  const items = replicas.map(({ address, condition, level }) =>
    h(
      'li',
      { 'data-level': level },
      h('span', { class: 'address' }, format(address)),
      ' ',
      h('span', { class: 'condition' }, condition),
    ),
  );
  return h('ul', { class: 'replicas', 'aria-label': 'Replicas' }, items);
}

/** @param {readonly string[]} users */
function used(users) {
  if (users.length === 0) return null;
  return h(
    'p',
    { class: 'users quiet' },
    h('span', { 'aria-hidden': 'true' }, '→ '),
    h('span', { class: 'hidden' }, 'Pointed at by '),
    users.join(', '),
  );
}

/** @param {Master} master */
function votes({ sentinels }) {
  if (sentinels.length === 0) return h('p', { class: 'votes quiet' }, 'no Sentinel');
  const stances = sentinels.map(stance);
  const agreeing = stances.filter((each) => each === 'agree').length;
  const text = `${agreeing} of ${sentinels.length} Sentinels agree`;
  return h(
    'p',
    { class: 'votes quiet', title: text },
    h(
      'span',
      { class: 'dots', 'aria-hidden': 'true' },
      stances.map((each) => h('i', { 'data-stance': each })),
    ),
    h('span', { class: 'words' }, text),
  );
}
