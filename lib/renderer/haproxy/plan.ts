import { isIpAddress, parseAddress } from '../../model/address.ts';

/** One thing that HAProxy's runtime API can be told of a server. */
export interface ServerChange {
  readonly backend: string;
  readonly server: string;
  /** An IP address and a port; undefined where it stays. */
  readonly move: { readonly host: string; readonly port: number } | undefined;
  readonly weight: number | undefined;
  readonly state: 'ready' | 'maint' | undefined;
}

/** A server as a config has it. */
export interface ServerLine {
  readonly backend: string;
  readonly server: string;
  readonly host: string;
  readonly port: number;
  readonly weight: number | undefined;
  readonly state: 'ready' | 'maint';
}

export type HaproxyPlan =
  /** Everything that differs can be told to the running process. */
  | { readonly kind: 'runtime'; readonly changes: readonly ServerChange[]; readonly expected: readonly ServerLine[] }
  /**
   * A reload is needed. `changes` are told to the old process first, and `gone` servers are taken from it: its sessions
   * outlive the reload, and none may stay on a demoted master.
   */
  | { readonly kind: 'reload'; readonly changes: readonly ServerChange[]; readonly gone: readonly ServerName[] };

export interface ServerName {
  readonly backend: string;
  readonly server: string;
}

interface ParsedConfig {
  /** The config with what the runtime API can change taken out of its server lines. */
  readonly skeleton: string;
  readonly servers: ReadonlyMap<string, ServerLine>;
}

/** Compares the config that HAProxy runs with a new one. Pure. */
export function planHaproxy(before: string, after: string): HaproxyPlan {
  const [old, wanted] = [parseConfig(before), parseConfig(after)];
  const changes: ServerChange[] = [];
  for (const [id, line] of wanted.servers) {
    const was = old.servers.get(id);
    const change = was === undefined ? undefined : compareServers(was, line);
    if (change !== undefined) changes.push(change);
  }
  if (old.skeleton === wanted.skeleton) return { kind: 'runtime', changes, expected: [...wanted.servers.values()] };
  const gone = [...old.servers].filter(([id]) => !wanted.servers.has(id)).map(([, server]) => server);
  return { kind: 'reload', changes, gone };
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
    // A second server of the same name is HAProxy's to refuse; here it only must not pass for a change.
    if (servers.has(id)) return line;
    servers.set(id, parsed.line);
    return parsed.rest;
  });
  return { skeleton: skeleton.join('\n'), servers };
}

/** Backends, and the sections that are backends too. */
function sectionName(words: readonly string[]): string {
  const [kind = '', name = ''] = words;
  return kind === 'backend' || kind === 'listen' ? name : '';
}

/** Only a literal IP address with a port can be moved at runtime, and only a line without quotes is read here. */
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
