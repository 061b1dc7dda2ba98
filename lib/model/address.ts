import { SharedValues } from './shared-values.ts';

/** Where a process listens. `host` is an IP address or a hostname, never empty; `port` is 1 to 65535. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, an IPv6 host in brackets. The inverse of {@link parseAddress}. */
export function formatAddress(address: Address): string {
  return texts.get(address) ?? format(address);
}

function format({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Ten thousand masters of one replica each have 20,000. */
const shared = new SharedValues<Address>(20_000);
/** The texts of the shared addresses. */
const texts = new WeakMap<Address, string>();

/** The same address as one frozen object, whose text is made once. */
export function shareAddress({ host, port }: Address): Address {
  const text = format({ host, port });
  if (host.length > longestHost) return { host, port };
  return shared.get(text, () => {
    const address = Object.freeze({ host, port });
    texts.set(address, text);
    return address;
  });
}

/** An address, or the absolute path of a unix domain socket. */
export type Endpoint = Address | string;

export function formatEndpoint(endpoint: Endpoint): string {
  return typeof endpoint === 'string' ? endpoint : formatAddress(endpoint);
}

/** Reads `host:port` or `[v6]:port`; undefined if the text is neither. */
export function parseAddress(text: string): Address | undefined {
  const [, v6, host, port] = /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  return v6 !== undefined && !isIpAddress(v6) ? undefined : toAddress(v6 ?? host, port);
}

/**
 * Makes an address of a host and a port that a server reported, the host in one spelling ({@link canonicalHost});
 * undefined if either cannot be used.
 */
export function toAddress(host: unknown, port: unknown): Address | undefined {
  const number = typeof port === 'string' ? Number(port) : port;
  return isHost(host) && isPort(number) ? shareAddress({ host: canonicalHost(host), port: number }) : undefined;
}

/**
 * One spelling for hosts that differ in letter case, in a trailing dot, or in how an IPv6 address is written (RFC 5952).
 * An IPv4 address that is mapped into IPv6 (`::ffff:10.0.0.5`) becomes the IPv4 address, and so do the numbers that mean
 * the own host to every resolver (`127.1`, `0x7f.1`, `0`).
 */
export function canonicalHost(host: string): string {
  if (!host.includes(':')) return ownHostNumber(host) ?? host.toLowerCase().replace(/(?<=.)\.$/, '');
  const [number = '', zone] = host.split('%', 2);
  if (!URL.canParse(`http://[${number}]`)) return host;
  const short = new URL(`http://[${number}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return zone === undefined ? short : `${short}%${zone}`;
  return mapped
    .slice(1)
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}

/** The usual form of an IPv4 address of the own host that is written as inet_aton(3) accepts it; undefined for others. */
function ownHostNumber(host: string): string | undefined {
  if (isIpv4(host) && !/(?:^|\.)0\d/.test(host)) return undefined;
  const address = ipv4Of(host);
  return address !== undefined && (defaultLoopback.has(address) || address === '0.0.0.0') ? address : undefined;
}

/**
 * The IPv4 address that inet_aton(3) reads: one to four numbers, decimal, octal after `0` or hexadecimal after `0x`, of
 * which the last one fills the remaining bytes.
 */
function ipv4Of(host: string): string | undefined {
  if (!/^(?:0x[0-9a-f]{0,8}|\d{1,12})(?:\.(?:0x[0-9a-f]{0,8}|\d{1,12})){0,3}$/i.test(host)) return undefined;
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** True for an address in JSON of Consul's keys. Its host may be any text: each format checks what it writes. */
export function isAddress(value: unknown): value is Address {
  if (typeof value !== 'object' || value === null) return false;
  const { host, port } = value as Record<string, unknown>;
  return typeof host === 'string' && host !== '' && isPort(port);
}

/** Of a name in DNS. */
const longestHost = 253;

/** True for a hostname or an IP address. Sentinel and Redis Cluster report an unknown host as `` or `?`. */
export function isHost(value: unknown): value is string {
  return typeof value === 'string' && value.length <= longestHost && /^[A-Za-z0-9._:%-]+$/.test(value);
}

export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}

/** True for an IPv4 or IPv6 address, false for a hostname. */
export function isIpAddress(host: string): boolean {
  return isIpv4(host) || (host.includes(':') && URL.canParse(`http://[${withoutZone(host)}]`));
}

/** True for an address that no other machine can reach. */
export function isLoopback(host: string): boolean {
  return isDefaultLoopback(host) || ipv4Of(host)?.startsWith('127.') === true;
}

/** True for a loopback address or name that every machine has (`*.localhost` by RFC 6761). Others in 127.0.0.0/8 are set up on purpose. */
export function isDefaultLoopback(host: string): boolean {
  const canonical = withoutZone(canonicalHost(host));
  return defaultLoopback.has(canonical) || canonical.endsWith('.localhost');
}

/**
 * Names and addresses of one machine's loopback interface, from /etc/hosts of the distributions. Debian gives a machine's
 * own name the address 127.0.1.1.
 */
const defaultLoopback: ReadonlySet<string> = new Set([
  '127.0.0.1',
  '127.0.1.1',
  '::1',
  'localhost',
  'localhost.localdomain',
  'localhost4',
  'localhost4.localdomain4',
  'localhost6',
  'localhost6.localdomain6',
  'ip6-localhost',
  'ip6-loopback',
]);

/** True for the address that a server listens on to accept connections on every interface. */
export function isUnspecified(host: string): boolean {
  const canonical = withoutZone(canonicalHost(host));
  return canonical === '0.0.0.0' || canonical === '::';
}

/**
 * True for a host that means nothing to other machines: they need an address of this node instead. The zone of a link-local
 * address (`fe80::1%eth0`) is the name of an interface of this machine.
 */
export function isNodeLocal(host: string): boolean {
  return isDefaultLoopback(host) || isUnspecified(host) || withoutZone(host) !== host;
}

function withoutZone(host: string): string {
  return host.includes(':') ? host.replace(/%.*$/, '') : host;
}

/** Each address once, in the order of the first ones. */
export function distinctAddresses(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
}

/** True for one port at one host. Other names of the host count as another: only the process itself can prove them. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && (a.host === b.host || canonicalHost(a.host) === canonicalHost(b.host));
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return typeof a === 'string' || typeof b === 'string' ? a === b : sameAddress(a, b);
}

export function isIn(list: readonly Address[], address: Address): boolean {
  return list.some((one) => sameAddress(one, address));
}

/** A total order, so that lists are equal whatever order they were observed in. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.host !== b.host) return a.host < b.host ? -1 : 1;
  return a.port - b.port;
}

function isIpv4(host: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) && host.split('.').every((byte) => Number(byte) <= 255);
}
