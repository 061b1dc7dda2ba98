import { canonicalHost } from '../model/address.ts';
import { type HaproxySection, parseHaproxyConfig } from '../model/haproxy-config.ts';

interface Bind {
  readonly socket: Socket;
  /** An interface or a network namespace, which makes a different socket of an address. */
  readonly scope: string;
  readonly options: readonly string[];
  /** For example `frontend shard1`. */
  readonly proxy: string;
  /** Its place among all binds of the config. */
  readonly order: number;
}

/** Sockets of an address. `ports` is undefined for the path of a unix socket, and for what has no number. */
interface Socket {
  readonly host: string;
  readonly ports: Ports | undefined;
}

/** From the first to the last one. */
interface Ports {
  readonly first: number;
  readonly last: number;
}

/**
 * A sentence about two proxies of a HAProxy config that bind the same address. HAProxy itself accepts it, because it opens its
 * sockets with SO_REUSEPORT, and the kernel then gives each connection to either of the two.
 */
export function findDoubleBind(text: string): string | undefined {
  const groups = Map.groupBy(readBinds(text), ({ socket: { host, ports }, scope }) =>
    [ports === undefined ? 'path' : 'ports', host, scope].join('\n'),
  );
  for (const group of groups.values()) {
    const found = findShared(group);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Binds of one host. As long as no two proxies share a port, only the bind that has reached furthest can meet the next one. */
function findShared(binds: readonly Bind[]): string | undefined {
  let furthest: Bind | undefined;
  for (const bind of binds.toSorted(byFirstPort)) {
    const shared = furthest === undefined ? undefined : sharedPorts(furthest, bind);
    if (furthest !== undefined && shared !== undefined && furthest.proxy !== bind.proxy) {
      const [one, other] = [furthest, bind].toSorted((a, b) => a.order - b.order).map(({ proxy }) => proxy);
      const effect = 'connections would reach either of them at random';
      const address = show(bind, { first: shared.first, last: shared.first });
      return `"${one}" and "${other}" both listen at ${address}: ${effect}. Give each its own port.`;
    }
    if (furthest === undefined || portsOf(bind).last > portsOf(furthest).last) furthest = bind;
  }
  return undefined;
}

/**
 * Sentences about a proxy that binds a port on one address while another proxy binds it on all: HAProxy accepts it, and
 * connections to that address reach the first one alone.
 */
export function describeOverlaps(text: string): readonly string[] {
  const binds = readBinds(text).filter(({ socket }) => socket.ports !== undefined);
  const pairs = [...Map.groupBy(binds, ({ scope }) => scope).values()].flatMap(findOverlaps);
  const sentences = pairs
    .toSorted((a, b) => a.wide.order - b.wide.order || a.one.order - b.one.order)
    .map(({ wide, one, shared }) => {
      const [all, address] = [show(wide, shared), show(one, shared)];
      return `"${wide.proxy}" binds ${all} and "${one.proxy}" binds ${address}: connections to that address reach only "${one.proxy}". Give each its own port.`;
    });
  return [...new Set(sentences)];
}

interface Overlap {
  readonly wide: Bind;
  readonly one: Bind;
  readonly shared: Ports;
}

/** Only binds whose ports begin before and end later are compared, and of two one must be wide. */
function findOverlaps(binds: readonly Bind[]): readonly Overlap[] {
  const found: Overlap[] = [];
  const compare = (wide: Bind, one: Bind) => {
    const shared = wide.proxy === one.proxy || !covers(wide, one) ? undefined : sharedPorts(wide, one);
    if (shared !== undefined) found.push({ wide, one, shared });
  };
  const open = { wide: [] as Bind[], narrow: [] as Bind[], end: Number.POSITIVE_INFINITY };
  for (const bind of binds.toSorted(byFirstPort)) {
    const { first, last } = portsOf(bind);
    if (open.end < first) {
      const isOpen = (one: Bind) => portsOf(one).last >= first;
      open.wide = open.wide.filter(isOpen);
      open.narrow = open.narrow.filter(isOpen);
      open.end = [...open.wide, ...open.narrow].reduce((end, one) => Math.min(end, portsOf(one).last), last);
    }
    for (const wide of open.wide) compare(wide, bind);
    if (isWide(bind)) for (const one of [...open.wide, ...open.narrow]) compare(bind, one);
    open[isWide(bind) ? 'wide' : 'narrow'].push(bind);
    open.end = Math.min(open.end, last);
  }
  return found;
}

function byFirstPort(a: Bind, b: Bind): number {
  return portsOf(a).first - portsOf(b).first || a.order - b.order;
}

function portsOf({ socket: { ports = onePath } }: Bind): Ports {
  return ports;
}

const onePath: Ports = { first: 0, last: 0 };

function sharedPorts(a: Bind, b: Bind): Ports | undefined {
  const first = Math.max(portsOf(a).first, portsOf(b).first);
  const last = Math.min(portsOf(a).last, portsOf(b).last);
  return first > last ? undefined : { first, last };
}

function show({ socket: { host, ports }, scope }: Bind, { first, last }: Ports): string {
  const port = ports === undefined ? '' : `:${first === last ? first : `${first}-${last}`}`;
  return `${host}${port}${scope}`;
}

function isWide({ socket: { host } }: Bind): boolean {
  return host === '*' || host === '[::]';
}

/** `[::]` takes IPv4 too, unless it is set not to. */
function covers(wide: Bind, { socket: { host } }: Bind): boolean {
  if (host === wide.socket.host) return false;
  if (wide.socket.host === '*') return host !== '[::]' && !host.startsWith('[');
  return host.startsWith('[') || !wide.options.includes('v6only');
}

/** The binds of sections that are enabled for certain: only HAProxy knows the results of conditions. */
function readBinds(text: string): readonly Bind[] {
  return parseHaproxyConfig(text)
    .filter(({ lines }) => !lines.some(({ words }) => words[0] === 'disabled'))
    .flatMap((section) => bindsOf(section))
    .map((bind, order) => ({ ...bind, order }));
}

function bindsOf({ kind, name, lines }: HaproxySection): readonly Omit<Bind, 'order'>[] {
  return lines.flatMap(({ words, meaning }) => {
    const [addresses, ...options] = meaning === 'dependent' ? [] : listenerOf(kind, words);
    if (addresses === undefined) return [];
    const proxy = `${kind} ${name}`.trim();
    const scope = scopeOf(options);
    return addresses.split(',').map((text) => ({ socket: socketOf(text), scope, options, proxy }));
  });
}

/** The addresses and options of a line that makes HAProxy listen. */
function listenerOf(kind: string, [keyword, ...rest]: readonly string[]): readonly string[] {
  if (kind === 'global') return keyword === 'stats' && rest[0] === 'socket' ? rest.slice(1) : [];
  return keyword === 'bind' ? rest : [];
}

/** The sockets of one address, in one spelling of its host. */
function socketOf(text: string): Socket {
  const [, prefix = '', rest = ''] = /^(ipv[46]@|tcp[46]?@|unix@)?(.*)$/s.exec(text) ?? [];
  const [, written = '', first, last = first] = /^(.*):(\d+)(?:-(\d+))?$/.exec(rest) ?? [];
  if (first === undefined || prefix === 'unix@' || rest.startsWith('/')) return { host: rest, ports: undefined };
  const host = showHost(written.replace(/^\[(.*)\]$/, '$1'), prefix.includes('6') ? '[::]' : '*');
  return { host, ports: { first: Number(first), last: Math.max(Number(first), Math.min(Number(last), maxPort)) } };
}

const maxPort = 65_535;

function showHost(host: string, unspecified: string): string {
  if (host === '' || host === '*') return unspecified;
  const canonical = canonicalHost(host);
  if (canonical === '0.0.0.0') return '*';
  if (canonical === 'localhost') return '127.0.0.1';
  return canonical.includes(':') ? `[${canonical}]` : canonical;
}

function scopeOf(options: readonly string[]): string {
  const scopes = ['interface', 'namespace'].flatMap((name) => {
    const at = options.indexOf(name);
    return at < 0 ? [] : [` ${name} ${options[at + 1]}`];
  });
  return scopes.join('');
}
