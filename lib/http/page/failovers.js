/**
 * The timeline of failovers: each with its stages as a waterfall.
 *
 * @import { World } from './api.d.ts'
 * @import { TimelineRow, Failover } from './failover-timeline.js'
 */
import { duration, moment } from './clock.js';
import { arrange, byId, h, say, withVars } from './dom.js';
import { listFailovers } from './failover-timeline.js';

const pageSize = 4;

export class Failovers {
  #limit = pageSize;

  /** @param {() => void} onMore */
  constructor(onMore) {
    byId('failovers-more').addEventListener('click', () => {
      this.#limit += pageSize * 2;
      onMore();
    });
  }

  /** @param {World} world */
  show({ entries, filter }) {
    const { failovers, count } = listFailovers(entries, { filter, limit: this.#limit });
    const none = byId('failovers-none');
    none.hidden = count > 0;
    say(none, filter === '' ? 'None in the journal.' : 'None of these names in the journal.');
    byId('failovers-more').hidden = count <= this.#limit;
    arrange(byId('failovers-list'), failovers, {
      key: ({ id }) => String(id),
      signature: (failover) => JSON.stringify(failover),
      build: buildFailover,
    });
  }
}

/** @param {Failover} failover */
function buildFailover(failover) {
  const { key, at, epoch, generation, cause, rows, endMs } = failover;
  const scaleMs = niceScale(endMs);
  return h(
    'li',
    { class: 'failover', 'data-name': key },
    buildHeading(failover),
    h(
      'p',
      { class: 'quiet' },
      h('time', { datetime: at }, moment(at)),
      ` · ${cause} · epoch ${epoch}${generation > 1 ? `, generation ${generation}` : ''}`,
    ),
    h(
      'table',
      { class: 'waterfall' },
      h(
        'caption',
        { class: 'hidden' },
        `Stages of the failover of ${key}, since the hint that announced the new master`,
      ),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('td', {}),
          h('td', { class: 'axis', 'aria-hidden': 'true' }, axis(scaleMs)),
          h('th', { scope: 'col' }, 'done after'),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) => buildRow(row, scaleMs)),
      ),
    ),
    around(failover),
  );
}

/** @param {Failover} failover */
function buildHeading({ key, from, to }) {
  return h(
    'h3',
    {},
    h('span', { class: 'who' }, key),
    ' ',
    h(
      'span',
      { class: 'move' },
      from === '' ? null : [h('span', { class: 'address former' }, from), h('span', { 'aria-label': 'to' }, ' → ')],
      h('span', { class: 'address' }, to),
    ),
  );
}

/**
 * @param {TimelineRow} row
 * @param {number} scaleMs
 */
function buildRow({ name, segments, outcome }, scaleMs) {
  const words = segments.map((segment) => `${segment.name} after ${duration(segment.toMs)}`).join(', ');
  const bars = segments.map(({ name, fromMs, toMs }) =>
    withVars(
      h('span', {
        class: 'bar',
        'data-stage': name,
        title: `${name}: ${duration(toMs - fromMs)}, done after ${duration(toMs)}`,
      }),
      {
        from: `${(fromMs / scaleMs) * 100}%`,
        long: `${((toMs - fromMs) / scaleMs) * 100}%`,
      },
    ),
  );
  const end = segments.at(-1)?.toMs;
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, name),
    h(
      'td',
      { class: 'track' },
      h('span', { class: 'hidden' }, words),
      h('span', { class: 'bars', 'aria-hidden': 'true' }, bars),
    ),
    h('td', { class: 'end' }, outcome === 'applied' ? (end === undefined ? '–' : duration(end)) : outcome),
  );
}

/** @param {number} scaleMs */
function axis(scaleMs) {
  return [0, 1, 2, 3, 4].map((step) =>
    withVars(h('span', { class: 'tick' }, step === 0 ? '0' : duration((scaleMs / 4) * step)), { at: `${step * 25}%` }),
  );
}

/** @param {Failover} failover */
function around({ around, endMs }) {
  const events = around.map(({ name, ms }) => `${name} ${duration(Math.abs(ms))} ${ms < 0 ? 'before' : 'after'}`);
  const stages = ['observed', 'planned', 'committed', 'rendered', 'checked', 'swapped', 'reloaded', 'verified'];
  return h(
    'p',
    { class: 'around quiet' },
    h('strong', {}, `Everything followed after ${duration(endMs)}.`),
    events.length > 0 ? ` Sentinel: ${events.join('; ')}.` : '',
    h(
      'span',
      { class: 'stages', 'aria-hidden': 'true' },
      stages.map((stage) => h('span', {}, h('i', { 'data-stage': stage }), stage)),
    ),
  );
}

/**
 * The next of 4, 8, 20, 40, 80, 200, ... so that quarters are round.
 * @param {number} ms
 */
function niceScale(ms) {
  const least = Math.max(ms, 1);
  const power = 10 ** Math.floor(Math.log10(least));
  return (
    [1, 2, 4, 8, 10, 20].map((factor) => factor * power).find((scale) => scale >= least && scale % 1 === 0) ??
    20 * power
  );
}
