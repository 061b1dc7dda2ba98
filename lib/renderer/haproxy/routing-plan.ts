import type { HaproxyLine, HaproxySection } from '../../model/haproxy-config.ts';
import type { ServerLine } from '../../model/haproxy-servers.ts';

/** A section with the servers that its lines describe. Every frontend, backend and listen is a `proxy`. */
export interface ReadSection extends Pick<HaproxySection, 'name' | 'start'> {
  readonly kind: string;
  readonly lines: readonly { readonly line: HaproxyLine; readonly server: ServerLine | undefined }[];
}

/** Keywords that never decide which server a session goes to (configuration manual, 4.1). Any other one may. */
const neutral = new Set(
  `timeout option log log-format log-format-sd log-tag error-log-format maxconn fullconn retries backlog rate-limit
  balance hash-type stats description id errorfile errorfiles errorloc errorloc302 errorloc303 compression
  email-alert load-server-state-from-file unique-id-format unique-id-header capture declare monitor-uri monitor`.split(
    /\s+/,
  ),
);
/** Keywords of `global` that set variables. */
const variables = new Set(['setenv', 'presetenv', 'resetenv', 'unsetenv']);

/**
 * The proxies of the old config whose sessions may have to go elsewhere by the new one. A known server that moved or is
 * gone does not count. Any other change counts, unless it is known to be harmless.
 */
export function findRerouted(old: readonly ReadSection[], wanted: readonly ReadSection[]): readonly string[] {
  const before = routesOf(old);
  const after = routesOf(wanted);
  const common = before.defaults !== after.defaults;
  const variable = before.variables !== after.variables;
  const kept = new Set(knownServers(wanted));
  return [...before.proxies]
    .filter(([name, { sections }]) => {
      const now = after.proxies.get(name);
      if (common || now === undefined || (variable && sections.some(hasDependent))) return true;
      const both = new Set(knownServers(sections).filter((id) => kept.has(id)));
      return describeRoutes(sections, both) !== describeRoutes(now.sections, both);
    })
    .map(([name]) => name);
}

interface Routes {
  readonly defaults: string;
  readonly variables: string;
  readonly proxies: ReadonlyMap<string, { readonly sections: ReadSection[] }>;
}

function routesOf(sections: readonly ReadSection[]): Routes {
  const proxies = new Map<string, { readonly sections: ReadSection[] }>();
  let owners: string[] = [];
  for (const section of sections) {
    if (section.start === 'certain') owners = [];
    if (section.kind === 'proxy') owners.push(section.name);
    for (const owner of owners) {
      const proxy = proxies.get(owner) ?? { sections: [] };
      proxy.sections.push(section);
      proxies.set(owner, proxy);
    }
  }
  const global = sections.filter(({ kind }) => kind === 'global').flatMap(({ lines }) => lines);
  const set = global.filter(({ line: { words } }) => variables.has(words[0] ?? ''));
  return {
    defaults: describeRoutes(
      sections.filter(({ kind }) => kind === 'defaults'),
      new Set(),
    ),
    variables: set.map(({ line }) => line.text).join('\n'),
    proxies,
  };
}

/** What decides where sessions go, apart from the addresses, weights and states of servers. `both`: servers to compare. */
function describeRoutes(sections: readonly ReadSection[], both: ReadonlySet<string>): string {
  const lines = sections.flatMap((section) => section.lines);
  const routes = lines.flatMap(({ line: { words, meaning, text }, server }) => {
    if (server !== undefined) return both.has(idOf(server)) ? [['server', server.server, ...server.options]] : [];
    const [keyword = '', argument = ''] = words;
    const harmless = neutral.has(keyword === 'no' || keyword === 'default' ? argument : keyword);
    if (words.length === 0 || (harmless && meaning === 'literal')) return [];
    return [meaning === 'literal' ? words : [text]];
  });
  return JSON.stringify(routes);
}

function knownServers(sections: readonly ReadSection[]): readonly string[] {
  return sections.flatMap(({ lines }) => lines.flatMap(({ server }) => (server === undefined ? [] : [idOf(server)])));
}

function idOf({ backend, server }: ServerLine): string {
  return `${backend}/${server}`;
}

function hasDependent({ lines }: ReadSection): boolean {
  return lines.some(({ line }) => line.meaning === 'dependent');
}
