import { isIpAddress, parseAddress } from './address.ts';
import type { HaproxyLine, HaproxySection } from './haproxy-config.ts';

export interface ServerName {
  readonly backend: string;
  readonly server: string;
}

/** A server as a config has it. */
export interface ServerLine extends ServerName {
  readonly host: string;
  readonly port: number;
  readonly weight: number | undefined;
  readonly state: 'ready' | 'maint';
  /** Its options without `weight` and `disabled`. */
  readonly options: readonly string[];
}

/** Proxies that may have `server` lines which HAProxy sends sessions to. Sections such as `peers` have other ones. */
export function isProxy({ kind }: HaproxySection): boolean {
  return kind === 'frontend' || kind === 'backend' || kind === 'listen';
}

/** True if the defaults of servers decide on their state or weight. A `server` line alone does not show them then. */
export function hasServerDefaults(sections: readonly HaproxySection[]): boolean {
  const decisive = new Set(['disabled', 'enabled', 'weight', 'backup']);
  const lines = sections.flatMap((section) => section.lines);
  return lines.some(({ words: [keyword, ...options] }) => {
    return keyword === 'default-server' && options.some((option) => decisive.has(option));
  });
}

/**
 * Reads a `server` line that HAProxy's runtime API can change: with a literal IP address and port. Undefined for any other
 * line, and for options that are there twice.
 */
export function parseServerLine(section: HaproxySection, line: HaproxyLine): ServerLine | undefined {
  const [keyword, server = '', target = '', ...options] = line.words;
  if (keyword !== 'server' || line.meaning === 'dependent' || !isProxy(section) || section.name === '')
    return undefined;
  const address = parseAddress(target.replace(/^ipv[46]@/, ''));
  if (address === undefined || !isIpAddress(address.host)) return undefined;
  const at = options.indexOf('weight');
  const rest = options.filter((option, i) => option !== 'disabled' && (at < 0 || (i !== at && i !== at + 1)));
  const weight = at < 0 ? undefined : Number(options[at + 1]);
  if (rest.includes('weight') || rest.includes('enabled') || Number.isNaN(weight)) return undefined;
  return {
    backend: section.name,
    server,
    ...address,
    weight,
    state: options.includes('disabled') ? 'maint' : 'ready',
    options: rest,
  };
}

/**
 * The proxies whose servers HAProxy takes from its state file when it starts or reloads. A server then has the port of the
 * state file, and not that of the config (haproxy 3296, srv_state_srv_update in server_state.c).
 */
export function findRestored(sections: readonly HaproxySection[]): readonly string[] {
  const named = new Map<string, string>();
  let common = 'none';
  return sections.flatMap((section) => {
    const [, , from, defaults = ''] = section.lines[0]?.words ?? [];
    const inherited = from === 'from' ? (named.get(defaults) ?? 'none') : common;
    const own = section.lines.findLast(({ words }) => words[0] === 'load-server-state-from-file')?.words[1];
    if (section.kind === 'defaults') {
      common = own ?? (from === 'from' ? inherited : 'none');
      named.set(section.name, common);
      return [];
    }
    const hasServers = isProxy(section) && section.lines.some(({ words }) => words[0]?.startsWith('server'));
    return hasServers && (own ?? inherited) !== 'none' ? [section.name] : [];
  });
}
