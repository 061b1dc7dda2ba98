/**
 * The left side of the topology's picture: which Sentinel names which server.
 *
 * @import { Address, Master, World } from './api.d.ts'
 * @import { Box, Line } from './layout.js'
 *
 * @typedef {{ master: Master, stance: ReturnType<typeof stance>, names: Address | null, epoch: number | null }} SentinelVote
 */
import { format } from './address.js';
import { levelAt } from './health.js';
import { serverId, sideShare, size, spread } from './layout-measures.js';
import { stance } from './votes.js';

/**
 * @param {{ boxes: Box[], lines: Line[], masters: readonly Master[], world: World, width: number }} side
 * @param {number} height
 * @returns {number} The height that they take.
 */
export function addSentinels({ boxes, lines, masters, world, width }, height) {
  const sentinels = gather(masters);
  const heights = [...sentinels].map(() => size.sentinel);
  const place = spread(heights, height);
  for (const [index, [title, votes]] of [...sentinels].entries()) {
    const id = `sentinel ${title}`;
    const gone = votes.every((vote) => vote.stance === 'gone');
    boxes.push({
      id,
      kind: 'sentinel',
      x: 0,
      y: place.tops[index] ?? 0,
      width: Math.round(width * sideShare),
      height: size.sentinel,
      level: levelAt(world, title),
      title,
      note: gone ? 'cannot be reached' : noteOf(votes),
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
 * @param {readonly Master[]} masters
 * @returns {ReadonlyMap<string, SentinelVote[]>} By the Sentinel's address.
 */
function gather(masters) {
  /** @type {Map<string, SentinelVote[]>} */
  const sentinels = new Map();
  for (const master of masters) {
    // Without a record there is nothing to agree with.
    for (const vote of master.record === null ? [] : master.sentinels) {
      const id = format(vote.address);
      const votes = sentinels.get(id) ?? [];
      votes.push({ master, stance: stance(vote), names: vote.master, epoch: vote.epoch });
      sentinels.set(id, votes);
    }
  }
  return sentinels;
}

/** @param {readonly SentinelVote[]} votes */
function noteOf(votes) {
  if (votes.length > 4) return `${votes.length} masters`;
  const epochs = [...new Set(votes.map(({ epoch }) => epoch ?? '–'))];
  return `epoch${epochs.length === 1 ? '' : 's'} ${epochs.join(', ')}`;
}
