/**
 * The positions in the topology's picture. Pure: from the world and the width to boxes and lines.
 *
 * @import { Master, World } from './api.d.ts'
 *
 * @typedef {object} Box
 * @property {string} id
 * @property {'sentinel' | 'master' | 'replica' | 'template' | 'proxy' | 'title'} kind
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {string} level
 * @property {string} title
 * @property {string} note
 *
 * @typedef {{ id: string, from: string, to: string, kind: 'agree' | 'differ' | 'gone' | 'moved' | 'replicates' | 'broken' }} Line
 * @typedef {{ boxes: readonly Box[], lines: readonly Line[], height: number, drawn: ReadonlySet<string>, described: string }} Layout
 */
import { format, formatPlace } from './address.js';
import { levelOfMember, verdictOf, worstFirst } from './health.js';
import { addConsumers, addConsumersBelow } from './layout-consumers.js';
import { serverId, size } from './layout-measures.js';
import { addSentinels } from './layout-sentinels.js';
import { pointsAt, proxiesByTemplate } from './pointing.js';
import { replicasOf, stance } from './votes.js';

/** Masters that are drawn at most with all that belongs to them. */
export const maxDrawn = 8;
/** Of more masters than that, so many are drawn although nothing is wrong with them. */
const fewDrawn = 3;
const narrowBelow = 620;

/**
 * @param {World} world
 * @param {{ width: number, picked: ReadonlySet<string> }} options `picked`: names that somebody wants to see.
 * @returns {Layout}
 */
export function layOut(world, { width, picked }) {
  const masters = choose(world, picked);
  const narrow = width < narrowBelow;
  const column = narrow ? { x: 0, width } : { x: Math.round(width * 0.33), width: Math.round(width * 0.34) };
  /** @type {Box[]} */
  const boxes = [];
  /** @type {Line[]} */
  const lines = [];
  let y = 0;
  for (const master of masters) y = addShard({ world, master, column, y, boxes, lines }) + size.apart;
  const height = Math.max(0, y - size.apart);
  const side = { boxes, lines, masters, world, width };
  const most = narrow
    ? addConsumersBelow(side, y)
    : Math.max(height, addSentinels(side, height), addConsumers(side, height));
  const drawn = new Set(masters.map(({ name }) => name));
  return { boxes, lines, height: Math.max(height, most), drawn, described: describe(world, masters) };
}

/**
 * If there are few masters, all of them. Of many: those that the user picked, those with problems, and otherwise those that
 * changed last.
 * @param {World} world
 * @param {ReadonlySet<string>} picked
 * @returns {readonly Master[]}
 */
function choose(world, picked) {
  const { masters, filter } = world;
  const wanted = [...masters.values()].filter(({ name }) => name.toLowerCase().includes(filter));
  if (wanted.length <= maxDrawn) return wanted;
  const ranked = wanted
    .map((master) => ({
      master,
      rank: picked.has(master.name) ? -1 : worstFirst.indexOf(verdictOf(world, 'master', master.name).level),
      changedAt: master.record?.changedAt ?? '',
    }))
    .sort((a, b) => a.rank - b.rank || (a.changedAt < b.changedAt ? 1 : -1));
  const pressing = ranked.filter(({ rank }) => rank < worstFirst.indexOf('well')).length;
  return ranked.slice(0, Math.min(maxDrawn, Math.max(pressing, fewDrawn))).map(({ master }) => master);
}

/**
 * @param {{ world: World, master: Master, column: { x: number, width: number }, y: number, boxes: Box[], lines: Line[] }} input
 * @returns {number} Where the shard ends.
 */
function addShard({ world, master, column, y, boxes, lines }) {
  const { name, record } = master;
  const { level } = verdictOf(world, 'master', name);
  const { x, width } = column;
  boxes.push({
    id: `title ${name}`,
    kind: 'title',
    x,
    y,
    width,
    height: size.title,
    level,
    title: name,
    note: record === null ? '' : `epoch ${record.epoch}`,
  });
  let next = y + size.title;
  if (record === null) return next;
  const id = serverId(name, record.master);
  boxes.push({
    id,
    kind: 'master',
    x,
    y: next,
    width,
    height: size.master,
    level,
    title: format(record.master),
    note: votesOf(master),
  });
  next += size.master;
  for (const replica of replicasOf(master)) {
    next += size.gap;
    const { box, line } = placeReplica({ world, name, column, y: next, replica, masterId: id });
    boxes.push(box);
    lines.push(line);
    next += size.replica;
  }
  return next;
}

/**
 * @param {{ world: World, name: string, column: { x: number, width: number }, y: number, replica: ReturnType<typeof replicasOf>[number], masterId: string }} input
 * @returns {{ box: Box, line: Line }}
 */
function placeReplica({ world, name, column: { x, width }, y, replica, masterId }) {
  const title = format(replica.address);
  const level = levelOfMember(world, { kind: 'master', name, address: title });
  const id = serverId(name, replica.address);
  const place = { x: x + size.inset, y, width: width - size.inset, height: size.replica };
  const kind = level === 'well' ? 'replicates' : 'broken';
  return {
    box: { id, kind: 'replica', ...place, level, title, note: replica.condition },
    line: { id: `${masterId} ${id}`, from: masterId, to: id, kind },
  };
}

/** @param {Master} master */
function votesOf({ sentinels }) {
  const agreeing = sentinels.filter((vote) => stance(vote) === 'agree').length;
  return `${agreeing} of ${sentinels.length} Sentinels`;
}

/**
 * The picture in sentences, for those who do not see it.
 * @param {World} world
 * @param {readonly Master[]} masters
 */
function describe(world, masters) {
  const shards = masters.map((master) => {
    const { name, record } = master;
    if (record === null) return `${name} has no record.`;
    const replicas = replicasOf(master).map(({ address, condition }) => `${format(address)} ${condition}`);
    const users = pointsAt(world, master);
    const parts = [
      `${name}: master ${format(record.master)}`,
      votesOf(master),
      ...replicas.map((text) => `replica ${text}`),
    ];
    if (users.length > 0) parts.push(`pointed at by ${users.join(', ')}`);
    return `${parts.join('; ')}.`;
  });
  const proxies = [...proxiesByTemplate(world)].flatMap(([template, all]) =>
    all.map(({ kind, check, ...place }) => {
      const by = template === '' ? '' : `, config rendered by ${template}`;
      return `${kind} ${formatPlace(place)}: ${check?.status ?? 'not checked yet'}${by}.`;
    }),
  );
  return [...shards, ...proxies].join(' ');
}
