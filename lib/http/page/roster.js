/**
 * Every master of the topology as a tile, if there are more than the picture shows. The user picks a tile to add its master
 * to the picture.
 *
 * @import { Master, World } from './api.d.ts'
 * @import { LongList } from './long-list.js'
 */
import { format } from './address.js';
import { byId, h, on, say } from './dom.js';
import { signs, verdictOf } from './health.js';
import { maxDrawn } from './layout.js';
import { signatureOf, toShown } from './master-state.js';
import { stance } from './votes.js';

/** @typedef {{ key: string, isOpen: false, master: Master }} Tile */

/**
 * @typedef {object} Picking
 * @property {ReadonlySet<string>} drawn Names that are drawn now.
 * @property {ReadonlySet<string>} picked Those of them that somebody chose.
 * @property {LongList<Tile>} list
 * @property {(name: string) => void} onPick
 */

/**
 * @param {World} world
 * @param {Picking} picking
 */
export function showRoster(world, { drawn, picked, list, onPick }) {
  const { masters, filter } = world;
  const matching = [...masters.values()].filter(({ name }) => name.toLowerCase().includes(filter));
  const many = matching.length > maxDrawn;
  const note = byId('picture-note');
  note.hidden = !many;
  const drawnText = `${drawn.size} of ${matching.length} masters are drawn: those with problems first, then those that changed last.`;
  say(note, many ? `${drawnText} Pick others below.` : '');
  const tiles = many
    ? matching.map((master) => ({ key: master.name, isOpen: /** @type {const} */ (false), master }))
    : [];
  list.show(tiles, {
    signature: ({ master }) =>
      `${drawn.has(master.name)} ${picked.has(master.name)} ${signatureOf(toShown(master, world))}`,
    build: ({ master }) =>
      buildTile(master, { world, drawn: drawn.has(master.name), picked: picked.has(master.name), onPick }),
  });
}

/**
 * @param {Master} master
 * @param {{ world: World, drawn: boolean, picked: boolean, onPick: (name: string) => void }} options
 */
function buildTile(master, { world, drawn, picked, onPick }) {
  const { name, record, sentinels } = master;
  const { level, reasons } = verdictOf(world, 'master', name);
  const address = record === null ? 'no record' : format(record.master);
  const tile = h(
    'button',
    {
      type: 'button',
      'aria-pressed': String(picked),
      'data-drawn': drawn,
      'data-focus': 'tile',
      title: [address, ...reasons].join(' '),
    },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
    h('span', { class: 'hidden' }, `${level}: `),
    h('span', { class: 'text' }, name),
    h(
      'span',
      { class: 'dots', 'aria-hidden': 'true' },
      sentinels.map((vote) => h('i', { 'data-stance': stance(vote) })),
    ),
  );
  on(tile, 'click', () => onPick(name));
  return h('li', { class: 'tile', 'data-level': level, 'data-name': name }, tile);
}
