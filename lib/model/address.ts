/** Where a process listens. `host` is an IP address or a hostname, never empty; `port` is 1 to 65535. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, an IPv6 host in brackets. The inverse of {@link parseAddress}. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Reads `host:port` or `[v6]:port`; undefined if the text is neither. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  return toAddress(match?.[1] ?? match?.[2], match?.[3]);
}

/** Makes an address of a host and a port that a server reported; undefined if either cannot be used. */
export function toAddress(host: unknown, port: unknown): Address | undefined {
  const number = typeof port === 'string' ? Number(port) : port;
  return isHost(host) && isPort(number) ? { host, port: number } : undefined;
}

/** True for an address in JSON of Consul's keys. Its host may be any text: each format checks what it writes. */
export function isAddress(value: unknown): value is Address {
  if (typeof value !== 'object' || value === null) return false;
  const { host, port } = value as Record<string, unknown>;
  return typeof host === 'string' && host !== '' && isPort(port);
}

/** True for a hostname or an IP address. Sentinel and Redis Cluster report an unknown host as `` or `?`. */
export function isHost(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 253 && /^[A-Za-z0-9._:%-]+$/.test(value);
}

export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535;
}

/** True for an IPv4 or IPv6 address, false for a hostname. */
export function isIpAddress(host: string): boolean {
  return isIpv4(host) || (host.includes(':') && URL.canParse(`http://[${host.replace(/%.*$/, '')}]`));
}

/** True for an address that no other machine can reach. */
export function isLoopback(host: string): boolean {
  return isDefaultLoopback(host) || (isIpv4(host) && host.startsWith('127.'));
}

/** True for the loopback address that every machine has. Others in 127.0.0.0/8 are set up on purpose. */
export function isDefaultLoopback(host: string): boolean {
  return host === '127.0.0.1' || host === '::1' || host === 'localhost';
}

/** True for the address that a server listens on to accept connections on every interface. */
export function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.host === b.host;
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
