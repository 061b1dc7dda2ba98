import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connectOptions } from '../client/socket-exchange.ts';
import { type Address, type Endpoint, isLoopback } from '../model/address.ts';
import type { ConnectResult } from '../model/crash-proof.ts';

/** A way to connect to a server: from which address of this host. undefined: the host chooses. */
export interface Way {
  readonly to: Endpoint;
  readonly from: string | undefined;
}

/** Connects, and closes the connection at once without sending anything. Never rejects. */
export function tryConnect({ to, from }: Way, { timeoutMs }: { readonly timeoutMs: number }): Promise<ConnectResult> {
  const { promise, resolve } = Promise.withResolvers<ConnectResult>();
  const at = connectOptions(to);
  const socket = connect('path' in at ? at : { ...at, ...(from === undefined ? {} : { localAddress: from }) });
  // After a stall of this process the answer may be there, and Node handles timers before it.
  const timer = setTimeout(() => setImmediate(resolve, 'unclear'), timeoutMs);
  socket.once('connect', () => resolve('accepted'));
  socket.once('error', (error) => resolve(toResult(error)));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.on('error', () => undefined);
    socket.destroy();
  });
}

/** The same on every way at once: refused only if each of them is refused. */
export async function tryConnectAll(
  ways: readonly Way[],
  options: { readonly timeoutMs: number },
): Promise<ConnectResult> {
  const answers = await Promise.all(ways.map((way) => tryConnect(way, options)));
  if (answers.includes('accepted')) return 'accepted';
  return answers.every((answer) => answer === 'refused') ? 'refused' : 'unclear';
}

/** More are rare, and each costs a connection at each attempt. */
const mostWays = 4;
const timeoutMs = 1_000;

/**
 * The ways by which this host reaches `to` now: its own choice, and each of its other addresses from which a connection is
 * accepted. A firewall may refuse one of them alone.
 */
export async function findWays(to: Address): Promise<readonly Way[]> {
  const usual: Way = { to, from: undefined };
  const others = isLoopback(to.host) ? [] : ownHosts(to.host).map((from): Way => ({ to, from }));
  const answers = await Promise.all(others.map((way) => tryConnect(way, { timeoutMs })));
  return [usual, ...others.filter((_, i) => answers[i] === 'accepted').slice(0, mostWays)];
}

/** Without those from an address that this host has lost meanwhile, such as one that moves between hosts. */
export function presentWays(ways: readonly Way[]): readonly Way[] {
  return ways.filter(
    ({ to, from }) => from === undefined || typeof to === 'string' || ownHosts(to.host).includes(from),
  );
}

/** Whether it is an address of this host's interfaces. */
export function isThisHost(host: string): boolean {
  return isLoopback(host) || ownHosts(host).includes(host);
}

/** Addresses of this host's interfaces, of the family of `host`. */
function ownHosts(host: string): readonly string[] {
  const family = host.includes(':') ? 'IPv6' : 'IPv4';
  try {
    const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    return all.filter((one) => !one.internal && one.family === family).map(({ address }) => address);
  } catch {
    // Under systemd's RestrictAddressFamilies without AF_NETLINK.
    return [];
  }
}

/**
 * A reset is the answer of a listener that ended before its process accepted the connection: the kernel had accepted it. A
 * process that is killed leaves such connections.
 */
function toResult(error: Error & { readonly code?: unknown }): ConnectResult {
  if (error.code === 'ECONNRESET') return 'accepted';
  return isRefusal(error) ? 'refused' : 'unclear';
}

/** A hostname may have several addresses: then each of them must refuse. A missing unix domain socket has nobody either. */
function isRefusal(error: Error & { readonly code?: unknown; readonly errors?: unknown }): boolean {
  const errors: readonly unknown[] = Array.isArray(error.errors) ? error.errors : [error];
  return errors.every((one) => {
    const { code, address } = one as { readonly code?: unknown; readonly address?: unknown };
    return code === 'ECONNREFUSED' || (code === 'ENOENT' && typeof address === 'string' && address.startsWith('/'));
  });
}
