/**
 * How well things are, as the daemon judges it (GET /v1/health): looked up by what it is about. The page decides nothing.
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
 * @param {Health} health
 * @returns {World['health']}
 */
export function indexHealth({ level, reasons }) {
  return {
    level,
    reasons,
    bySubject: Map.groupBy(reasons, ({ subject }) => `${subject.kind} ${subject.name}`),
    byAddress: Map.groupBy(reasons, ({ subject }) => subject.address ?? ''),
  };
}

/**
 * @param {World} world
 * @param {'master' | 'cluster' | 'instance' | 'template'} kind
 * @param {string} name
 * @returns {Verdict}
 */
export function verdictOf({ health }, kind, name) {
  const reasons = health.bySubject.get(`${kind} ${name}`) ?? [];
  return { level: health === unknownHealth ? 'unknown' : worst(reasons), reasons: reasons.map(({ text }) => text) };
}

/**
 * How well a replica or a Sentinel is, of one master or of all of them.
 * @param {World} world
 * @param {string} address
 * @param {string} [master]
 * @returns {Level}
 */
export function levelAt({ health }, address, master) {
  const reasons = health.byAddress.get(address) ?? [];
  return worst(master === undefined ? reasons : reasons.filter(({ subject }) => subject.name === master));
}

/**
 * @param {readonly Pick<Reason, 'level'>[]} reasons
 * @returns {Level}
 */
function worst(reasons) {
  return worstFirst.find((level) => reasons.some((reason) => reason.level === level)) ?? 'well';
}
