/**
 * Redis Clusters: the 16,384 slots as a map, a square a slot, 256 in a row, and the shards beside it.
 *
 * @import { Address, Cluster, ClusterRecord, World } from './api.d.ts'
 */
import { format } from './address.js';
import { ago } from './clock.js';
import { arrange, byId, h, placeOf, s } from './dom.js';
import { levelOfMember, signs, verdictOf } from './health.js';

const perRow = 256;
const rows = 64;
/** As many colours as the style sheet has. */
const colours = 8;

/** @typedef {ClusterRecord['uncovered'][number]} Range */

/** @param {World} world */
export function showClusters(world) {
  const { clusters, filter } = world;
  const wanted = [...clusters.values()].filter(({ name }) => name.toLowerCase().includes(filter));
  byId('clusters').hidden = wanted.length === 0;
  byId('clusters-link').hidden = clusters.size === 0;
  arrange(byId('clusters-list'), wanted, {
    key: ({ name }) => name,
    signature: (cluster) => JSON.stringify([cluster, verdictOf(world, 'cluster', cluster.name)]),
    build: (cluster) => build(cluster, world),
  });
}

/**
 * @param {Cluster} cluster
 * @param {World} world
 */
function build({ name, record, maintenance }, world) {
  const { level, reasons } = verdictOf(world, 'cluster', name);
  const node = (/** @type {Address} */ address) => nodeOf(address, { name, world });
  const when =
    record === null
      ? []
      : [h('span', { class: 'quiet' }, `epoch ${record.epoch}, changed `, ago(record.changedAt), ' ago')];
  return h(
    'article',
    { class: 'cluster', 'data-level': level, 'data-name': name, id: placeOf('cluster', name) },
    h(
      'h3',
      {},
      h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
      ' ',
      h('span', { class: 'text' }, name),
      ' ',
      when,
    ),
    maintenance === null ? null : h('p', { class: 'quiet' }, maintenance.text),
    reasons.map((reason) => h('p', { class: 'reason' }, reason)),
    record === null
      ? null
      : h(
          'div',
          { class: 'slots' },
          slotMap(record),
          h(
            'ul',
            { class: 'shards' },
            record.shards.map((shard, index) => shardRow(shard, index, node)),
          ),
        ),
  );
}

/** @param {ClusterRecord} record */
function slotMap({ name, shards, uncovered }) {
  const paths = shards.map(({ slots }, index) => s('path', { d: draw(slots), 'data-colour': index % colours }));
  return s(
    'svg',
    {
      class: 'slotmap',
      viewBox: `0 0 ${perRow} ${rows}`,
      role: 'img',
      preserveAspectRatio: 'none',
      'shape-rendering': 'crispEdges',
    },
    s('title', {}, `The 16,384 slots of ${name}; the list beside it says whose they are`),
    s('rect', { width: perRow, height: rows, class: 'nobody' }),
    paths,
    uncovered.length === 0 ? null : s('path', { d: draw(uncovered), class: 'uncovered' }),
  );
}

/**
 * Rectangles in one path: first row, whole rows, last row. So a map is as many elements as there are shards.
 * @param {readonly Range[]} ranges
 */
function draw(ranges) {
  return ranges
    .map(({ from, to }) => {
      const parts = [];
      for (let at = from; at <= to; ) {
        const column = at % perRow;
        const whole = column === 0 ? Math.floor((to - at + 1) / perRow) : 0;
        const width = whole > 0 ? perRow : Math.min(perRow - column, to - at + 1);
        const height = Math.max(1, whole);
        parts.push(`M${column} ${Math.floor(at / perRow)}h${width}v${height}h${-width}z`);
        at += width * height;
      }
      return parts.join('');
    })
    .join('');
}

/**
 * A node with its address, and a sign if it is not well.
 * @param {Address} address
 * @param {{ name: string, world: World }} cluster
 */
function nodeOf(address, { name, world }) {
  const text = format(address);
  const level = levelOfMember(world, { kind: 'cluster', name, address: text });
  return h(
    'span',
    { class: 'address node-of-cluster', 'data-level': level },
    level === 'well'
      ? null
      : [
          h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
          h('span', { class: 'hidden' }, `${level}: `),
        ],
    text,
  );
}

/**
 * @param {ClusterRecord['shards'][number]} shard
 * @param {number} index
 * @param {(address: Address) => HTMLElement} node
 */
function shardRow({ slots, master, replicas }, index, node) {
  const count = slots.reduce((sum, { from, to }) => sum + to - from + 1, 0);
  const shown = slots
    .slice(0, 4)
    .map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`))
    .join(', ');
  const more = slots.length > 4 ? ` and ${slots.length - 4} more ranges` : '';
  return h(
    'li',
    {},
    h('i', { 'data-colour': index % colours, 'aria-hidden': 'true' }),
    master === null ? h('span', { class: 'address' }, 'no master') : node(master),
    h('span', { class: 'quiet' }, `${count.toLocaleString()} slots${shown === '' ? '' : `: ${shown}${more}`}`),
    replicas.length === 0
      ? h('span', { class: 'quiet' }, 'no replica')
      : h(
          'span',
          { class: 'quiet' },
          'replicas ',
          replicas.flatMap((replica, at) => [at === 0 ? null : ', ', node(replica)]),
        ),
  );
}
