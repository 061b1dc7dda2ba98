import { parseHaproxyConfig } from '../../model/haproxy-config.ts';
import {
  findRestored,
  hasServerDefaults,
  isProxy,
  parseServerLine,
  type ServerLine,
  type ServerName,
} from '../../model/haproxy-servers.ts';
import { findRerouted, type ReadSection } from './routing-plan.ts';

export type { ServerLine, ServerName } from '../../model/haproxy-servers.ts';

/** A change of one server through HAProxy's runtime API. */
export interface ServerChange extends ServerName {
  /** The new IP address and port; undefined when they stay. */
  readonly move: { readonly host: string; readonly port: number } | undefined;
  readonly weight: number | undefined;
  readonly state: 'ready' | 'maint' | undefined;
}

/** A server as a running process has it. */
export interface ServerState extends ServerName {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly state: 'ready' | 'maint';
}

export type HaproxyPlan =
  /** The runtime API can make all the changes. `otherwise` is what to do where it does not. */
  | {
      readonly kind: 'runtime';
      readonly changes: readonly ServerChange[];
      readonly expected: readonly ServerLine[];
      readonly otherwise: ReloadPlan;
    }
  | ReloadPlan;

/** A reload is needed. */
export interface ReloadPlan {
  readonly kind: 'reload';
  readonly expected: readonly ServerLine[];
  /** The servers that the new config no longer has. */
  readonly gone: readonly ServerName[];
  /** Proxies whose sessions may belong elsewhere by the new config: those that changed in more than known servers. */
  readonly rerouted: readonly string[];
  /** Proxies with a server whose address the file does not contain, such as a hostname. */
  readonly unclear: readonly string[];
  /** Proxies whose servers a reload takes from HAProxy's state file. */
  readonly restored: readonly string[];
}

interface ParsedConfig extends Pick<ReloadPlan, 'restored'> {
  /** The config without what the runtime API can change in its server lines. */
  readonly skeleton: string;
  readonly servers: ReadonlyMap<string, ServerLine>;
  readonly sections: readonly ReadSection[];
}

/** A larger config is not compared, because that would hold up the event loop for seconds: HAProxy reloads it. */
const maxCharacters = 4 * 1024 * 1024;

/** Compares the config that HAProxy runs with a new one. `before` is undefined when it is not known. Pure. */
export function planHaproxy(before: string | undefined, after: string): HaproxyPlan {
  if (after.length > maxCharacters)
    return { kind: 'reload', expected: [], gone: [], rerouted: [], unclear: [], restored: [] };
  const wanted = parseConfig(after);
  const expected = [...wanted.servers.values()];
  const unclear = namesOf(wanted.sections.filter(({ kind, lines }) => kind === 'proxy' && lines.some(isUnclear)));
  const proxies = namesOf(wanted.sections.filter(({ kind }) => kind === 'proxy'));
  const { restored } = wanted;
  const unknown = { kind: 'reload', gone: [], expected, rerouted: proxies, unclear, restored } as const;
  if (before === undefined || before.length > maxCharacters) return unknown;
  const old = parseConfig(before);
  if (old.skeleton === wanted.skeleton) {
    return { kind: 'runtime', changes: compareAll(old, wanted), expected, otherwise: unknown };
  }
  const gone = [...old.servers].filter(([id]) => !wanted.servers.has(id)).map(([, server]) => server);
  return { kind: 'reload', gone, expected, rerouted: findRerouted(old.sections, wanted.sections), unclear, restored };
}

/**
 * What must change in a running process before its reload: servers at another address than in the new config, and
 * servers that the new config disables.
 */
export function planAlignment(
  states: readonly ServerState[],
  expected: readonly ServerLine[],
): readonly ServerChange[] {
  const running = new Map(states.map((state) => [`${state.backend}/${state.server}`, state]));
  return expected.flatMap(({ backend, server, host, port, state }) => {
    const was = running.get(`${backend}/${server}`);
    if (was === undefined) return [];
    const move = was.host === host && was.port === port ? undefined : { host, port };
    const disabled = state === 'maint' && was.state === 'ready' ? ('maint' as const) : undefined;
    if (move === undefined && disabled === undefined) return [];
    return [{ backend, server, move, weight: undefined, state: disabled }];
  });
}

/** The part of the changes that the running process does not have yet. A server that it lacks keeps its change. */
export function planRemaining(
  states: readonly ServerState[],
  changes: readonly ServerChange[],
): readonly ServerChange[] {
  const running = new Map(states.map((state) => [`${state.backend}/${state.server}`, state]));
  return changes.flatMap((change) => {
    const { backend, server } = change;
    const was = running.get(`${backend}/${server}`);
    if (was === undefined) return [change];
    const move = change.move?.host === was.host && change.move.port === was.port ? undefined : change.move;
    const weight = change.weight === was.weight ? undefined : change.weight;
    const state = change.state === was.state ? undefined : change.state;
    return move === undefined && weight === undefined && state === undefined
      ? []
      : [{ ...change, move, weight, state }];
  });
}

function compareAll(old: ParsedConfig, wanted: ParsedConfig): readonly ServerChange[] {
  return [...wanted.servers].flatMap(([id, line]) => {
    const was = old.servers.get(id);
    return (was === undefined ? undefined : compareServers(was, line)) ?? [];
  });
}

function compareServers(was: ServerLine, now: ServerLine): ServerChange | undefined {
  const moved = was.host !== now.host || was.port !== now.port;
  const weighed = was.weight !== now.weight;
  if (!moved && !weighed && was.state === now.state) return undefined;
  return {
    backend: now.backend,
    server: now.server,
    move: moved ? { host: now.host, port: now.port } : undefined,
    weight: weighed ? (now.weight ?? 1) : undefined,
    state: was.state === now.state ? undefined : now.state,
  };
}

function parseConfig(text: string): ParsedConfig {
  const servers = new Map<string, ServerLine>();
  const parsed = parseHaproxyConfig(text);
  const hidden = hasServerDefaults(parsed);
  const sections = parsed.map((section): ReadSection => {
    const lines = section.lines.map((line) => {
      const server = hidden ? undefined : parseServerLine(section, line);
      const id = `${server?.backend}/${server?.server}`;
      // HAProxy itself refuses a second server of the same name. Here it must not count as a change.
      if (server === undefined || servers.has(id)) return { line, server: undefined };
      servers.set(id, server);
      return { line, server };
    });
    const { name, start } = section;
    return { kind: isProxy(section) ? 'proxy' : section.kind, name, start, lines };
  });
  const lines = sections.flatMap((section) => section.lines);
  const skeleton = lines.map(({ line, server }) =>
    server === undefined ? line.text : ['server', server.server, ...server.options].join(' '),
  );
  return { skeleton: skeleton.join('\n'), servers, sections, restored: findRestored(parsed) };
}

function isUnclear({ line: { words }, server }: ReadSection['lines'][number]): boolean {
  return server === undefined && ['server', 'server-template', 'dispatch'].includes(words[0] ?? '');
}

function namesOf(sections: readonly ReadSection[]): readonly string[] {
  return [...new Set(sections.map(({ name }) => name))];
}
