/**
 * The daemon's judgement (GET /v1/health), looked up by subject. The page decides nothing.
 *
 * @import { Health, Level, Reason, Verdict, World } from './api.d.ts'
 */

/** Worst first. @type {readonly Level[]} */
export const worstFirst = ['critical', 'warning', 'unknown', 'well'];

/** The sign that goes with each level's colour. @type {Readonly<Record<Level, string>>} */
export const signs = { well: '✓', unknown: '?', warning: '!', critical: '✕' };

/** Before the first answer. @type {World['health']} */
export const unknownHealth = { level: 'unknown', reasons: [], bySubject: new Map(), byAddress: new Map() };

/**
 * What did not change since `before` stays the same object, so that the page need not compare it again.
 * @param {Health} health
 * @param {World['health']} before
 * @returns {World['health']}
 */
export function indexHealth({ level, reasons }, before) {
  if (before !== unknownHealth && same(reasons, before.reasons)) return before;
  const bySubject = Map.groupBy(reasons, ({ subject }) => `${subject.kind} ${subject.name}`);
  const byAddress = Map.groupBy(reasons, ({ subject }) => subject.address ?? '');
  return {
    level,
    reasons,
    bySubject: keepSame(bySubject, before.bySubject),
    byAddress: keepSame(byAddress, before.byAddress),
  };
}

/**
 * @param {ReadonlyMap<string, readonly Reason[]>} groups
 * @param {ReadonlyMap<string, readonly Reason[]>} before
 * @returns {ReadonlyMap<string, readonly Reason[]>}
 */
function keepSame(groups, before) {
  return new Map(
    [...groups].map(([key, reasons]) => {
      const old = before.get(key);
      return [key, old !== undefined && same(reasons, old) ? old : reasons];
    }),
  );
}

/**
 * @param {readonly Reason[]} a
 * @param {readonly Reason[]} b
 */
function same(a, b) {
  return a.length === b.length && JSON.stringify(a) === JSON.stringify(b);
}

/**
 * @param {World} world
 * @param {'master' | 'cluster' | 'instance' | 'template'} kind
 * @param {string} name
 * @returns {Verdict}
 */
export function verdictOf({ health }, kind, name) {
  const reasons = reasonsAbout(health, kind, name);
  return {
    level: health === unknownHealth ? 'unknown' : levelOfAll(reasons),
    reasons: reasons.map(({ text }) => text),
  };
}

/** @type {readonly Reason[]} */
const none = [];

/**
 * The same object as long as nothing changes about this subject.
 * @param {World['health']} health
 * @param {'master' | 'cluster' | 'instance' | 'template'} kind
 * @param {string} name
 * @returns {readonly Reason[]}
 */
export function reasonsAbout({ bySubject }, kind, name) {
  return bySubject.get(`${kind} ${name}`) ?? none;
}

/**
 * The level of a server that several masters or clusters may have.
 * @param {World} world
 * @param {string} address
 * @returns {Level}
 */
export function levelAt({ health }, address) {
  return levelOfAll(health.byAddress.get(address) ?? none);
}

/**
 * The level of a replica of a master, or of a node of a cluster.
 * @param {World} world
 * @param {{ kind: 'master' | 'cluster', name: string, address: string }} member
 * @returns {Level}
 */
export function levelOfMember({ health }, { kind, name, address }) {
  return levelOfAll(reasonsAbout(health, kind, name).filter(({ subject }) => subject.address === address));
}

/**
 * @param {readonly Pick<Reason, 'level'>[]} reasons
 * @returns {Level}
 */
export function levelOfAll(reasons) {
  return worstFirst.find((level) => reasons.some((reason) => reason.level === level)) ?? 'well';
}
