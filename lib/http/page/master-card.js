/**
 * The card of one master: who it is, since when, who agrees, what follows it.
 *
 * @import { Master } from './api.d.ts'
 * @import { Shown, ShownReplica } from './master-state.js'
 * @import { Orders } from './orders.js'
 */
import { format } from './address.js';
import { ago, withTimes } from './clock.js';
import { h, on, placeOf } from './dom.js';
import { signs } from './health.js';
import { details } from './master-details.js';
import { stance } from './votes.js';

/** @typedef {{ density: 'cards' | 'lines', isOpen: boolean, orders: Orders, onToggle: () => void }} Options */

/**
 * @param {Shown} shown
 * @param {Options} options
 */
export function buildCard({ master, level, reasons, users, replicas }, { density, isOpen, orders, onToggle }) {
  const { name, record, maintenance, isolation } = master;
  const toggle = on(
    h(
      'button',
      { type: 'button', class: 'name', 'aria-expanded': String(isOpen), 'data-focus': 'name' },
      h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
      h('span', { class: 'hidden' }, `${level}: `),
      h('span', { class: 'text' }, name),
    ),
    'click',
    onToggle,
  );
  const address = h('p', { class: 'address' }, record === null ? 'no record' : format(record.master));
  const head = h(
    'div',
    { class: 'head' },
    toggle,
    maintenance === null ? null : h('span', { class: 'epoch', title: maintenance.text }, 'in maintenance'),
    isolation === null || isolation.writes === 'accepted'
      ? null
      : h(
          'span',
          { class: 'epoch', title: isolation.text },
          isolation.writes === 'paused' ? 'writes paused' : 'isolated',
        ),
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
    reasons.map((reason) => h('li', {}, withTimes(reason))),
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
