import { isIpAddress, parseAddress } from '../../model/address.ts';

/** A change of one server through HAProxy's runtime API. */
export interface ServerChange extends ServerName {
  /** The new IP address and port; undefined when they stay. */
  readonly move: { readonly host: string; readonly port: number } | undefined;
  readonly weight: number | undefined;
  readonly state: 'ready' | 'maint' | undefined;
}

/** A server as a config has it. */
export interface ServerLine extends ServerName {
  readonly host: string;
  readonly port: number;
  readonly weight: number | undefined;
  readonly state: 'ready' | 'maint';
}

/** A server as a running process has it. */
export interface ServerState extends ServerName {
  readonly host: string;
  readonly port: number;
  readonly weight: number;
  readonly state: 'ready' | 'maint';
}

export interface ServerName {
  readonly backend: string;
  readonly server: string;
}

export type HaproxyPlan =
  /** The runtime API can make all the changes. */
  | { readonly kind: 'runtime'; readonly changes: readonly ServerChange[]; readonly expected: readonly ServerLine[] }
  /** A reload is needed. `gone` are the servers that the new config no longer has. */
  | { readonly kind: 'reload'; readonly gone: readonly ServerName[]; readonly expected: readonly ServerLine[] };

interface ParsedConfig {
  /** The config without what the runtime API can change in its server lines. */
  readonly skeleton: string;
  readonly servers: ReadonlyMap<string, ServerLine>;
}

/** Compares the config that HAProxy runs with a new one. `before` is undefined when it is not known. Pure. */
export function planHaproxy(before: string | undefined, after: string): HaproxyPlan {
  const wanted = parseConfig(after);
  const expected = [...wanted.servers.values()];
  if (before === undefined) return { kind: 'reload', gone: [], expected };
  const old = parseConfig(before);
  if (old.skeleton === wanted.skeleton) return { kind: 'runtime', changes: compareAll(old, wanted), expected };
  const gone = [...old.servers].filter(([id]) => !wanted.servers.has(id)).map(([, server]) => server);
  return { kind: 'reload', gone, expected };
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
  let section = '';
  const skeleton = text.split('\n').map((line) => {
    const words = line.trim().split(/\s+/);
    if (/^\S/.test(line) && !line.startsWith('#')) section = sectionName(words);
    const parsed = parseServer(section, words);
    if (parsed === undefined) return line;
    const id = `${parsed.line.backend}/${parsed.line.server}`;
    // HAProxy itself refuses a second server of the same name. Here it must not count as a change.
    if (servers.has(id)) return line;
    servers.set(id, parsed.line);
    return parsed.rest;
  });
  return { skeleton: skeleton.join('\n'), servers };
}

/** The name of a section that has servers; '' for any other section. */
function sectionName(words: readonly string[]): string {
  const [kind = '', name = ''] = words;
  return kind === 'backend' || kind === 'listen' ? name : '';
}

/** The runtime API can move only literal IP addresses with a port. Lines with quotes are not parsed. */
function parseServer(backend: string, words: readonly string[]): { line: ServerLine; rest: string } | undefined {
  const [keyword, server = '', target = '', ...options] = words;
  if (keyword !== 'server' || backend === '' || words.some((word) => /["'\\#$]/.test(word))) return undefined;
  const address = parseAddress(target);
  if (address === undefined || !isIpAddress(address.host)) return undefined;
  const at = options.indexOf('weight');
  const weight = at < 0 ? undefined : Number(options[at + 1]);
  const rest = options.filter((word, i) => word !== 'disabled' && (at < 0 || (i !== at && i !== at + 1)));
  return {
    line: {
      backend,
      server,
      ...address,
      weight,
      state: options.includes('disabled') ? 'maint' : 'ready',
    },
    rest: ['server', server, ...rest].join(' '),
  };
}
