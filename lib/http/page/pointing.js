/**
 * Which rendered files point at which master: told by what was rendered, not by what was meant.
 *
 * @import { Address, Master, World } from './api.d.ts'
 */

/** @type {WeakMap<object, Map<string, boolean>>} */
const known = new WeakMap();

/**
 * The names of the templates whose text names the master's address.
 * @param {World} world
 * @param {Master} master
 * @returns {readonly string[]}
 */
export function pointsAt({ templates }, { record }) {
  if (record === null) return [];
  return [...templates.values()].filter((template) => names(template, record.master)).map(({ name }) => name);
}

/**
 * @param {{ rendered?: string | null }} template
 * @param {Address} address
 */
function names(template, address) {
  const { rendered } = template;
  if (rendered == null) return false;
  const answers = known.get(template) ?? new Map();
  known.set(template, answers);
  const id = `${address.host} ${address.port}`;
  let answer = answers.get(id);
  if (answer === undefined) {
    answer = contains(rendered, address);
    answers.set(id, answer);
  }
  return answer;
}

/**
 * The address in one word, or the host with the port within the next words, as JSON, YAML and environment files have it.
 * @param {string} text
 * @param {Address} address
 */
function contains(text, { host, port }) {
  for (let at = text.indexOf(host); at !== -1; at = text.indexOf(host, at + 1)) {
    const before = text[at - 1] ?? ' ';
    const after = text.slice(at + host.length, at + host.length + 80);
    if (/[\w.-]/.test(before)) continue;
    if (new RegExp(`^\\]?[^\\w.-][^{}]*?(?<![\\d.])${port}(?!\\d)`).test(after)) return true;
  }
  return false;
}
