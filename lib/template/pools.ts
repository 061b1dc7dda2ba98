import { canonicalHost, isUnspecified } from '../model/address.ts';
import { matchesAny } from '../model/glob.ts';
import { describeValue, templateFailure } from './helper.ts';

export interface Pool<Master> {
  readonly name: string;
  /** The pool's own settings over the common ones. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly masters: readonly Master[];
}

/**
 * Divides masters among twemproxy's pools: one over all masters, or those of `vars.pools`, each with its `masters` (names and
 * patterns as in `sentinel.masters`; default: all) and settings of its own. Throws `template-failed` where two pools listen on one address.
 */
export function planPools<Master extends { readonly name: string }>(input: {
  readonly masters: readonly Master[];
  readonly vars: unknown;
}): { readonly pools: readonly Pool<Master>[]; readonly warnings: readonly string[] } {
  const { masters } = input;
  const { pools: given, ...common } = (input.vars ?? {}) as Readonly<Record<string, unknown>>;
  if (given === undefined) {
    return { pools: [{ name: String(common.pool ?? 'redis'), settings: common, masters }], warnings: [] };
  }
  const all = Object.entries(toMap(given, 'vars.pools')).map(([name, own]): Pool<Master> => {
    const { masters: patterns = ['*'], ...settings } = toMap(own, `vars.pools.${name}`);
    const chosen = masters.filter((master) => matches(patterns, { name: master.name, pool: name }));
    return { name, settings: { ...common, ...settings }, masters: chosen };
  });
  refuseSharedListeners(all);
  const served = new Set(all.flatMap((pool) => pool.masters));
  return {
    pools: all.filter((pool) => pool.masters.length > 0),
    warnings: [
      ...all
        .filter((pool) => pool.masters.length === 0)
        .map(({ name }) => `The pool "${name}" is left out: no master matches vars.pools.${name}.masters.`),
      ...masters
        .filter((master) => !served.has(master))
        .map(({ name }) => `The master "${name}" is in no pool of vars.pools.`),
    ],
  };
}

function matches(patterns: unknown, { name, pool }: { readonly name: string; readonly pool: string }): boolean {
  if (!Array.isArray(patterns)) {
    throw templateFailure(`vars.pools.${pool}.masters must be a list of names, and is ${describeValue(patterns)}.`);
  }
  return matchesAny(patterns.map(String), name);
}

/** twemproxy does not start where two pools listen on one address, or one on a port of all addresses. */
function refuseSharedListeners(pools: readonly Pool<unknown>[]): void {
  const owners: { readonly name: string; readonly listener: Listener }[] = [];
  for (const { name, settings } of pools) {
    const listener = toListener(String(settings.listen ?? '127.0.0.1:22121'));
    const owner = owners.find((other) => isShared(other.listener, listener));
    if (owner !== undefined) {
      throw templateFailure(
        `the pools "${owner.name}" and "${name}" both listen on ${listener.text}: set vars.pools.${name}.listen.`,
      );
    }
    owners.push({ name, listener });
  }
}

/** `port` is undefined for the path of a unix socket. */
interface Listener {
  readonly text: string;
  readonly host: string;
  readonly port: string | undefined;
}

function toListener(setting: string): Listener {
  const [text = ''] = setting.split(' ');
  const [, written, port] = /^\[?(.*?)\]?:(\d+)$/.exec(text) ?? [];
  if (written === undefined || text.startsWith('/')) return { text, host: text, port: undefined };
  const host = canonicalHost(written);
  return { text, host: host === 'localhost' ? '127.0.0.1' : host, port };
}

function isShared(one: Listener, other: Listener): boolean {
  if (one.port !== other.port) return false;
  const isWide = ({ host, port }: Listener) =>
    port !== undefined && (host === '*' || host === '' || isUnspecified(host));
  return one.host === other.host || isWide(one) || isWide(other);
}

function toMap(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (value === null || value === undefined) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw templateFailure(`${what} must be a map, and is ${describeValue(value)}.`);
}
