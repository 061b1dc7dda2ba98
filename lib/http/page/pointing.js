/**
 * Which rendered files point at which master, and which proxies use them, based on the rendered text, not the config.
 *
 * @import { Address, Instance, Master, World } from './api.d.ts'
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
  return [...templates.values()].filter((template) => namesAddress(template, record.master)).map(({ name }) => name);
}

/**
 * This node's proxies by the name of the template that renders their config. The key '' holds proxies whose template is
 * unknown. A text that names the proxy's address is its config; otherwise the only template of its kind is.
 * @param {World} world
 * @returns {ReadonlyMap<string, readonly Instance[]>}
 */
export function proxiesByTemplate({ instances, templates }) {
  const all = [...templates.values()];
  return Map.groupBy(
    instances.filter(({ type }) => type === 'proxy'),
    (proxy) => {
      const listening = all.filter((template) => listensFor(template, proxy));
      const ofItsKind = all.filter(({ configures }) => configures === proxy.kind);
      const [one, another] = listening.length > 0 ? listening : ofItsKind;
      return one === undefined || another !== undefined ? '' : one.name;
    },
  );
}

/**
 * @param {{ rendered?: string | null }} template
 * @param {Instance} proxy
 */
function listensFor(template, { address, socket }) {
  if (address !== null) return namesAddress(template, address);
  return socket !== null && (template.rendered ?? '').split(/[\s"'@,]+/).includes(socket);
}

/**
 * @param {{ rendered?: string | null }} template
 * @param {Address} address
 */
export function namesAddress(template, address) {
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
