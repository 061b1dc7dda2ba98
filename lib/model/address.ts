/** Where a process listens. `host` is an IP address or a hostname, never empty; `port` is 1 to 65535. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, an IPv6 host in brackets. The inverse of {@link parseAddress}. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** Reads `host:port` or `[v6]:port`; undefined where it is neither. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const host = match[1] ?? match[2];
  const port = Number(match[3]);
  return host !== undefined && isPort(port) ? { host, port } : undefined;
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.host === b.host;
}

export function isIn(list: readonly Address[], address: Address): boolean {
  return list.some((one) => sameAddress(one, address));
}

/** A total order, so that lists come out the same whatever order they were observed in. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.host !== b.host) return a.host < b.host ? -1 : 1;
  return a.port - b.port;
}
