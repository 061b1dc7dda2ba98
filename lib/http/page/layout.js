/**
 * Where everything of the topology's picture stands: pure, from the world and the width to boxes and lines.
 *
 * @import { Address, Master, World } from './api.d.ts'
 *
 * @typedef {object} Box
 * @property {string} id
 * @property {'sentinel' | 'master' | 'replica' | 'template' | 'title'} kind
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 * @property {string} level
 * @property {string} title
 * @property {string} note
 *
 * @typedef {{ id: string, from: string, to: string, kind: 'agree' | 'differ' | 'gone' | 'moved' | 'replicates' | 'broken' }} Line
 * @typedef {{ boxes: readonly Box[], lines: readonly Line[], height: number, shown: number, described: string }} Layout
 */
import { format, judgeMaster, judgeTemplate, replicasOf, stance } from './judgement.js';
import { pointsAt } from './pointing.js';

/** Masters that are drawn at most: those in trouble come first. */
export const maxDrawn = 8;
const maxTemplates = 14;
const narrowBelow = 620;
const order = ['critical', 'warning', 'unknown', 'well'];
const size = { title: 20, master: 46, replica: 28, sentinel: 40, template: 40, gap: 10, apart: 26 };

/**
 * @param {World} world
 * @param {number} width
 * @returns {Layout}
 */
export function layOut(world, width) {
  const masters = choose(world);
  const narrow = width < narrowBelow;
  const column = narrow ? { x: 0, width } : { x: Math.round(width * 0.33), width: Math.round(width * 0.34) };
  /** @type {Box[]} */
  const boxes = [];
  /** @type {Line[]} */
  const lines = [];
  let y = 0;
  for (const master of masters) y = addShard({ master, world, column, y, narrow, boxes, lines }) + size.apart;
  const height = Math.max(0, y - size.apart);
  const side = { boxes, lines, masters, world, width };
  const sides = narrow ? 0 : Math.max(addSentinels(side, height), addTemplates(side, height));
  return { boxes, lines, height: Math.max(height, sides), shown: masters.length, described: describe(world, masters) };
}

/** @param {World} world */
function choose({ masters, filter }) {
  const wanted = [...masters.values()].filter(({ name }) => name.toLowerCase().includes(filter));
  if (wanted.length <= maxDrawn) return wanted;
  const judged = wanted.map((master) => ({ master, rank: order.indexOf(judgeMaster(master).level) }));
  return judged
    .sort((a, b) => a.rank - b.rank)
    .slice(0, maxDrawn)
    .map(({ master }) => master);
}

/**
 * @param {{ master: Master, world: World, column: { x: number, width: number }, y: number, narrow: boolean, boxes: Box[], lines: Line[] }} input
 * @returns {number} Where the shard ends.
 */
function addShard({ master, world, column, y, narrow, boxes, lines }) {
  const { name, record } = master;
  const { level } = judgeMaster(master);
  const { x, width } = column;
  const users = pointsAt(world, master);
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
  const told = narrow ? (users.length > 0 ? `→ ${users.join(', ')}` : votesOf(master)) : votesOf(master);
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
    note: told,
  });
  next += size.master;
  for (const replica of replicasOf(master)) {
    next += size.gap;
    const replicaId = serverId(name, replica.address);
    const inset = 22;
    boxes.push({
      id: replicaId,
      kind: 'replica',
      x: x + inset,
      y: next,
      width: width - inset,
      height: size.replica,
      level: replica.level,
      title: format(replica.address),
      note: replica.condition,
    });
    lines.push({
      id: `${id} ${replicaId}`,
      from: id,
      to: replicaId,
      kind: replica.level === 'well' ? 'replicates' : 'broken',
    });
    next += size.replica;
  }
  return next;
}

/** @param {Master} master */
function votesOf({ sentinels, record }) {
  const agreeing = sentinels.filter((vote) => stance(vote, record) === 'agree').length;
  return `${agreeing} of ${sentinels.length} Sentinels`;
}

/**
 * @param {{ boxes: Box[], lines: Line[], masters: readonly Master[], width: number }} side
 * @param {number} height
 */
function addSentinels({ boxes, lines, masters, width }, height) {
  /** @type {Map<string, { address: Address, votes: { master: Master, stance: ReturnType<typeof stance>, names: Address | null, epoch: number | null }[] }>} */
  const sentinels = new Map();
  for (const master of masters) {
    // Without a record there is nothing to agree with.
    for (const vote of master.record === null ? [] : master.sentinels) {
      const id = format(vote.address);
      const known = sentinels.get(id) ?? { address: vote.address, votes: [] };
      known.votes.push({ master, stance: stance(vote, master.record), names: vote.master, epoch: vote.epoch });
      sentinels.set(id, known);
    }
  }
  const place = spread(sentinels.size, size.sentinel, height);
  for (const [index, [title, { votes }]] of [...sentinels].entries()) {
    const id = `sentinel ${title}`;
    const gone = votes.every(({ stance }) => stance === 'gone');
    const differs = votes.some(({ stance }) => stance !== 'agree');
    const epochs = [...new Set(votes.map(({ epoch }) => epoch ?? '–'))];
    const note = gone
      ? 'cannot be reached'
      : votes.length > 4
        ? `${votes.length} masters`
        : `epoch${epochs.length === 1 ? '' : 's'} ${epochs.join(', ')}`;
    boxes.push({
      id,
      kind: 'sentinel',
      x: 0,
      y: place.at(index),
      width: Math.round(width * 0.23),
      height: size.sentinel,
      level: gone ? 'critical' : differs ? 'warning' : 'well',
      title,
      note,
    });
    for (const vote of votes) {
      const named = vote.names ?? vote.master.record?.master;
      const to = named == null ? undefined : boxes.find((box) => box.id === serverId(vote.master.name, named))?.id;
      const kind = vote.stance === 'unaware' ? 'differ' : vote.stance;
      if (to !== undefined) lines.push({ id: `${id} ${vote.master.name}`, from: id, to, kind });
    }
  }
  return place.height;
}

/**
 * @param {{ boxes: Box[], lines: Line[], masters: readonly Master[], world: World, width: number }} side
 * @param {number} height
 */
function addTemplates({ boxes, lines, masters, world, width }, height) {
  const templates = [...world.templates.values()].slice(0, maxTemplates);
  const place = spread(templates.length, size.template, height);
  const boxWidth = Math.round(width * 0.23);
  for (const [index, template] of templates.entries()) {
    const id = `template ${template.name}`;
    const { level } = judgeTemplate(template);
    boxes.push({
      id,
      kind: 'template',
      x: width - boxWidth,
      y: place.at(index),
      width: boxWidth,
      height: size.template,
      level,
      title: template.name,
      note: template.state,
    });
    for (const master of masters) {
      if (master.record === null) continue;
      const only = { ...world, templates: new Map([[template.name, template]]) };
      const { record } = master;
      const points = (/** @type {Address} */ address) =>
        pointsAt(only, { ...master, record: { ...record, master: address } }).length > 0;
      if (points(record.master))
        lines.push({ id: `${id} ${master.name}`, from: serverId(master.name, record.master), to: id, kind: 'moved' });
      else {
        const former = record.replicas.find((replica) => points(replica));
        if (former !== undefined)
          lines.push({ id: `${id} ${master.name}`, from: serverId(master.name, former), to: id, kind: 'differ' });
      }
    }
  }
  return place.height;
}

/**
 * Boxes one below the other, spread over the height that there is.
 * @param {number} count
 * @param {number} each
 * @param {number} height
 */
function spread(count, each, height) {
  const least = count * each + (count - 1) * size.gap;
  const step = count < 2 ? 0 : Math.min((Math.max(height, least) - each) / (count - 1), each * 2.4);
  const used = (count - 1) * step + each;
  const top = Math.max(0, (height - used) / 2);
  return { at: (/** @type {number} */ index) => Math.round(top + index * step), height: Math.ceil(Math.max(used, 0)) };
}

/**
 * @param {string} name
 * @param {Address} address
 */
function serverId(name, address) {
  return `server ${name} ${format(address)}`;
}

/**
 * The picture in sentences, for those who do not see it.
 * @param {World} world
 * @param {readonly Master[]} masters
 */
function describe(world, masters) {
  const told = masters.map((master) => {
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
  return told.join(' ');
}
