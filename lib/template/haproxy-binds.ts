import { canonicalHost } from '../model/address.ts';
import { type HaproxySection, parseHaproxyConfig } from '../model/haproxy-config.ts';
import { templateFailure } from './helper.ts';

interface Bind {
  readonly address: string;
  /** For example `frontend shard1`. */
  readonly proxy: string;
}

/**
 * Refuses a HAProxy config in which two proxies bind the same address. HAProxy itself accepts it, because it opens its
 * sockets with SO_REUSEPORT, and the kernel then gives each connection to either of the two. Throws `template-failed`.
 */
export function refuseDoubleBinds(text: string): void {
  const owners = new Map<string, string>();
  for (const { address, proxy } of readBinds(text)) {
    const owner = owners.get(address);
    if (owner !== undefined && owner !== proxy) {
      const effect = 'connections would reach either of them at random';
      throw templateFailure(`"${owner}" and "${proxy}" both bind ${address}: ${effect}. Give each its own port.`);
    }
    owners.set(address, proxy);
  }
}

/** The binds of enabled frontends and listens. None where the file has conditions: only HAProxy knows their results. */
function readBinds(text: string): readonly Bind[] {
  const sections = parseHaproxyConfig(text);
  const keywordsOf = ({ lines }: HaproxySection) => lines.map(({ words }) => words[0]);
  if (sections.some((section) => keywordsOf(section).includes('.if'))) return [];
  return sections
    .filter(({ kind }) => kind === 'frontend' || kind === 'listen')
    .filter((section) => !keywordsOf(section).includes('disabled'))
    .flatMap((section) => bindsOf(section));
}

function bindsOf({ kind, name, lines }: HaproxySection): readonly Bind[] {
  return lines.flatMap(({ words: [keyword, addresses = '', ...options], meaning }) => {
    if (keyword !== 'bind' || meaning === 'dependent') return [];
    const proxy = `${kind} ${name}`;
    return addresses
      .split(',')
      .flatMap((text) => socketsOf(text).map((socket) => ({ address: scoped(socket, options), proxy })));
  });
}

/** The sockets of one address, each in one spelling. A range of ports is one socket for each port. */
function socketsOf(text: string): readonly string[] {
  const [, prefix = '', rest = ''] = /^(ipv[46]@|tcp[46]?@|unix@)?(.*)$/s.exec(text) ?? [];
  const [, written = '', first, last = first] = /^(.*):(\d+)(?:-(\d+))?$/.exec(rest) ?? [];
  if (first === undefined || prefix === 'unix@' || rest.startsWith('/')) return [rest];
  const host = showHost(written.replace(/^\[(.*)\]$/, '$1'), prefix.includes('6') ? '[::]' : '*');
  const count = Math.min(Number(last), maxPort) - Number(first) + 1;
  return Array.from({ length: Math.max(1, count) }, (_, i) => `${host}:${Number(first) + i}`);
}

const maxPort = 65_535;

function showHost(host: string, unspecified: string): string {
  if (host === '' || host === '*') return unspecified;
  const canonical = canonicalHost(host);
  if (canonical === '0.0.0.0') return '*';
  if (canonical === 'localhost') return '127.0.0.1';
  return canonical.includes(':') ? `[${canonical}]` : canonical;
}

/** A socket with what makes a different one of it: an interface or a network namespace. */
function scoped(socket: string, options: readonly string[]): string {
  const scopes = ['interface', 'namespace'].flatMap((name) => {
    const at = options.indexOf(name);
    return at < 0 ? [] : [`${name} ${options[at + 1]}`];
  });
  return [socket, ...scopes].join(' ');
}
