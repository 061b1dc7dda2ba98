/**
 * What the page shows of a master, made again only when something of it changed: a page of a thousand masters compares texts
 * of those alone that have a new answer.
 *
 * @import { Level, Master, World } from './api.d.ts'
 */
import { format } from './address.js';
import { levelOfMember, reasonsAbout, unknownHealth, verdictOf } from './health.js';
import { pointsAt } from './pointing.js';
import { replicasOf } from './votes.js';

/** @typedef {{ master: Master, level: Level, reasons: readonly string[], users: readonly string[], replicas: readonly ShownReplica[] }} Shown */
/** @typedef {ReturnType<typeof replicasOf>[number] & { level: Level }} ShownReplica */

/** What was shown of each master, with what it was made from. @type {WeakMap<Master, { from: readonly unknown[], shown: Shown }>} */
const made = new WeakMap();

/**
 * @param {Master} master
 * @param {World} world
 * @returns {Shown}
 */
export function toShown(master, world) {
  const { health, templates } = world;
  const from = [reasonsAbout(health, 'master', master.name), health === unknownHealth, templates];
  const known = made.get(master);
  if (known?.from.every((one, index) => one === from[index])) return known.shown;
  const replicas = replicasOf(master).map((replica) => ({
    ...replica,
    level: levelOfMember(world, { kind: 'master', name: master.name, address: format(replica.address) }),
  }));
  const shown = { master, ...verdictOf(world, 'master', master.name), users: pointsAt(world, master), replicas };
  made.set(master, { from, shown });
  return shown;
}

/** @type {WeakMap<object, string>} */
const texts = new WeakMap();

/**
 * All that a card shows, as a text to compare.
 * @param {Shown} shown
 */
export function signatureOf(shown) {
  const known = texts.get(shown);
  if (known !== undefined) return known;
  const { master, ...rest } = shown;
  const text = `${visibleState(master)} ${JSON.stringify(rest)}`;
  texts.set(shown, text);
  return text;
}

/**
 * What the page shows of an answer, as a text to compare. Times of readings and measurements change all the time: to rebuild
 * the card for them would take away what somebody has just marked in it.
 * @param {Master} master
 */
export function visibleState(master) {
  const known = texts.get(master);
  if (known !== undefined) return known;
  const sentinels = master.sentinels.map((vote) => ({ ...vote, lastReadAt: null }));
  const text = JSON.stringify({ ...master, replicas: replicasOf(master), sentinels, lastOutcome: null });
  texts.set(master, text);
  return text;
}
