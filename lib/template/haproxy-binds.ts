import { canonicalHost } from '../model/address.ts';
import { type HaproxySection, parseHaproxyConfig } from '../model/haproxy-config.ts';

interface Bind {
  readonly address: string;
  readonly socket: Socket;
  /** An interface or a network namespace, which makes a different socket of an address. */
  readonly scope: string;
  readonly options: readonly string[];
  /** For example `frontend shard1`. */
  readonly proxy: string;
}

/**
 * A sentence about two proxies of a HAProxy config that bind the same address. HAProxy itself accepts it, because it opens its
 * sockets with SO_REUSEPORT, and the kernel then gives each connection to either of the two.
 */
export function findDoubleBind(text: string): string | undefined {
  const owners = new Map<string, string>();
  for (const { address, proxy } of readBinds(text)) {
    const owner = owners.get(address);
    if (owner !== undefined && owner !== proxy) {
      const effect = 'connections would reach either of them at random';
      return `"${owner}" and "${proxy}" both listen at ${address}: ${effect}. Give each its own port.`;
    }
    owners.set(address, proxy);
  }
  return undefined;
}

/**
 * Sentences about a proxy that binds a port on one address while another proxy binds it on all: HAProxy accepts it, and
 * connections to that address reach the first one alone.
 */
export function describeOverlaps(text: string): readonly string[] {
  const binds = readBinds(text);
  const byPort = Map.groupBy(binds, ({ socket, scope }) => `${socket.port} ${scope}`);
  const sentences = binds
    .filter(isWide)
    .flatMap((wide) =>
      (byPort.get(`${wide.socket.port} ${wide.scope}`) ?? [])
        .filter((one) => one.proxy !== wide.proxy && covers(wide, one))
        .map(
          ({ proxy, address }) =>
            `"${wide.proxy}" binds ${wide.address} and "${proxy}" binds ${address}: connections to that address reach only "${proxy}". Give each its own port.`,
        ),
    );
  return [...new Set(sentences)];
}

function isWide({ socket: { host, port } }: Bind): boolean {
  return port !== undefined && (host === '*' || host === '[::]');
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
    .flatMap((section) => bindsOf(section));
}

function bindsOf({ kind, name, lines }: HaproxySection): readonly Bind[] {
  return lines.flatMap(({ words, meaning }) => {
    const [addresses, ...options] = meaning === 'dependent' ? [] : listenerOf(kind, words);
    if (addresses === undefined) return [];
    const proxy = `${kind} ${name}`.trim();
    const scope = scopeOf(options);
    const show = ({ host, port }: Socket) => `${host}${port === undefined ? '' : `:${port}`}${scope}`;
    return addresses
      .split(',')
      .flatMap((text) => socketsOf(text).map((socket) => ({ address: show(socket), socket, scope, options, proxy })));
  });
}

/** The addresses and options of a line that makes HAProxy listen. */
function listenerOf(kind: string, [keyword, ...rest]: readonly string[]): readonly string[] {
  if (kind === 'global') return keyword === 'stats' && rest[0] === 'socket' ? rest.slice(1) : [];
  return keyword === 'bind' ? rest : [];
}

/** `port` is undefined for the path of a unix socket, and for what has no number. */
interface Socket {
  readonly host: string;
  readonly port: number | undefined;
}

/** The sockets of one address, each in one spelling. A range of ports is one socket for each port. */
function socketsOf(text: string): readonly Socket[] {
  const [, prefix = '', rest = ''] = /^(ipv[46]@|tcp[46]?@|unix@)?(.*)$/s.exec(text) ?? [];
  const [, written = '', first, last = first] = /^(.*):(\d+)(?:-(\d+))?$/.exec(rest) ?? [];
  if (first === undefined || prefix === 'unix@' || rest.startsWith('/')) return [{ host: rest, port: undefined }];
  const host = showHost(written.replace(/^\[(.*)\]$/, '$1'), prefix.includes('6') ? '[::]' : '*');
  const count = Math.min(Number(last), maxPort) - Number(first) + 1;
  return Array.from({ length: Math.max(1, count) }, (_, i) => ({ host, port: Number(first) + i }));
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
