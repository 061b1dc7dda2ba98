/**
 * What a master's card shows when it is opened: the record, the votes one by one, and what may be ordered.
 *
 * @import { Master, Vote } from './api.d.ts'
 * @import { Orders } from './orders.js'
 */
import { format } from './address.js';
import { moment } from './clock.js';
import { h, on } from './dom.js';
import { stance } from './votes.js';

/**
 * @param {Master} master
 * @param {Orders} orders
 */
export function details(master, orders) {
  const { record, sentinels, check, modifyIndex } = master;
  const facts =
    record === null
      ? []
      : [
          ['Phase', record.phase],
          ['Generation, epoch', `${record.generation}, ${record.epoch}`],
          ['Previous master', record.previous === null ? 'none' : format(record.previous)],
          ['Changed', `${moment(record.changedAt)} by ${record.changedBy}`],
          ["Consul's index", modifyIndex === null ? 'not known' : String(modifyIndex)],
          ['Check', check === null ? 'not known' : `${check.status}: ${check.output}`],
        ];
  return h(
    'div',
    { class: 'details' },
    h(
      'dl',
      {},
      facts.flatMap(([term = '', text = '']) => [h('dt', {}, term), h('dd', {}, text)]),
    ),
    h(
      'div',
      { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `Votes about ${master.name}` },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ['Sentinel', 'names', 'epoch', 'quorum', 'sees'].map((title) => h('th', { scope: 'col' }, title)),
          ),
        ),
        h('tbody', {}, sentinels.map(voteRow)),
      ),
    ),
    record === null ? null : buttons(master.name, orders),
  );
}

/**
 * @param {string} name
 * @param {Orders} orders
 */
function buttons(name, orders) {
  const button = (/** @type {'failover' | 'rebase'} */ kind, /** @type {string} */ text) =>
    on(h('button', { type: 'button', 'data-focus': kind }, text), 'click', () => orders.ask({ kind, name }));
  return h('p', { class: 'buttons' }, button('failover', 'Fail over…'), button('rebase', 'Begin a new generation…'));
}

/** @param {Vote} vote */
function voteRow(vote) {
  const each = stance(vote);
  const flags = vote.tiltSince === null ? vote.flags : [...vote.flags, `in TILT mode since ${moment(vote.tiltSince)}`];
  const sees =
    each === 'gone' ? 'cannot be reached' : each === 'unaware' ? 'monitors no such master' : flags.join(', ');
  return h(
    'tr',
    { 'data-stance': each },
    h('th', { scope: 'row' }, h('i', { 'data-stance': each, 'aria-hidden': 'true' }), format(vote.address)),
    h('td', {}, vote.master === null ? '–' : format(vote.master)),
    h('td', {}, vote.epoch ?? '–'),
    h('td', {}, vote.quorum ?? '–'),
    h('td', {}, sees),
  );
}
