import { SwitchmasterError } from '../errors.ts';
import type { Endpoint } from '../model/address.ts';
import type { ProxyProbeResult, Unanswered } from '../model/probe-result.ts';
import { faultOfError } from './fault.ts';
import { exchangeOverSocket, type SocketExchange, SocketExchangeError } from './socket-exchange.ts';

/** Where a proxy listens, and where it serves its statistics; undefined where the config names no such place. */
export interface ProxyEndpoints {
  readonly address: Endpoint;
  readonly stats: Endpoint | undefined;
}

/** Probes one twemproxy: a PING, which it answers itself, and its statistics where the config names them. */
export class TwemproxyProbe {
  readonly #at: ProxyEndpoints;
  #servers: TwemproxyServers = new Map();

  constructor(at: ProxyEndpoints) {
    this.#at = at;
  }

  /** Never rejects. */
  async probe({ timeoutMs }: { readonly timeoutMs: number }): Promise<Unanswered | ProxyProbeResult> {
    const { address, stats } = this.#at;
    return settle(address, async () => {
      const isComplete = (received: string): boolean => received.endsWith('\r\n');
      const request = '*1\r\n$4\r\nPING\r\n';
      const pong = await exchangeOverSocket({ to: address, request, until: isComplete, timeoutMs });
      if (!pong.startsWith('+PONG'))
        throw new SwitchmasterError('redis-refused', `twemproxy answered PING with ${pong}`);
      if (stats === undefined) return { kind: 'proxy', version: '', broken: [] };
      return readStats({ to: stats, until: 'closed', timeoutMs }, (text) => this.#read(text));
    });
  }

  #read(text: string): ProxyProbeResult {
    const { version, servers } = readTwemproxyStats(text, this.#servers);
    this.#servers = servers;
    const broken = [...servers].filter(([, { state }]) => state === 'broken').map(([name]) => name);
    return { kind: 'proxy', version, broken: broken.sort() };
  }
}

/** Connects to HAProxy's listener, and reads its statistics where the config names them. Never rejects. */
export async function probeHaproxy(
  { address, stats }: ProxyEndpoints,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<Unanswered | ProxyProbeResult> {
  return settle(address, async () => {
    await exchangeOverSocket({ to: address, until: 'connected', timeoutMs });
    if (stats === undefined) return { kind: 'proxy', version: '', broken: [] };
    const request = 'show info;show stat\n';
    return readStats({ to: stats, request, until: 'closed', timeoutMs }, readHaproxyStats);
  });
}

/**
 * A proxy that answers serves its clients, whatever is at the place of its statistics: a socket that a former process left, or
 * another program.
 */
async function readStats(
  exchange: SocketExchange,
  read: (text: string) => ProxyProbeResult,
): Promise<ProxyProbeResult> {
  try {
    return read(await exchangeOverSocket(exchange));
  } catch {
    return { kind: 'proxy', version: '', broken: [], stats: 'unreadable' };
  }
}

/** By `pool/server`. */
export type TwemproxyServers = ReadonlyMap<string, TwemproxyServer>;

interface TwemproxyServer {
  readonly responses: number;
  readonly failures: number;
  /** When twemproxy last ejected it (`auto_eject_hosts`), for which one lost connection can do. Microseconds since 1970. */
  readonly ejectedAt: number;
  readonly state: 'broken' | 'well';
}

/**
 * Reads twemproxy's statistics (nutcracker's nc_stats.h), and compares them with those read `before`. They are counters:
 * a server is broken from a failure until its next response. A server to which twemproxy sent nothing counts as well.
 * Where the counters do not show which came last, the number of connections decides; alone it proves nothing, because
 * twemproxy may close an idle connection.
 */
export function readTwemproxyStats(
  text: string,
  before: TwemproxyServers,
): { readonly version: string; readonly servers: TwemproxyServers } {
  const stats = JSON.parse(text) as Record<string, unknown>;
  const servers = new Map<string, TwemproxyServer>();
  for (const [pool, members] of Object.entries(stats).filter(isMap)) {
    for (const [server, counters] of Object.entries(members).filter(isMap)) {
      const name = `${pool}/${server}`;
      servers.set(name, readTwemproxyServer(counters, before.get(name)));
    }
  }
  return { version: String(stats.version ?? ''), servers };
}

function readTwemproxyServer(
  counters: Readonly<Record<string, unknown>>,
  before: TwemproxyServer | undefined,
): TwemproxyServer {
  const count = (name: string): number => Number(counters[name] ?? 0);
  const responses = count('responses');
  const failures = count('server_err') + count('server_timedout');
  const ejectedAt = count('server_ejected_at');
  const unlinked = count('server_connections') === 0 ? 'broken' : 'well';
  const state = (): TwemproxyServer['state'] => {
    // Lower counters than before belong to another process.
    if (before === undefined || responses < before.responses || failures < before.failures) {
      return failures + ejectedAt > 0 ? unlinked : 'well';
    }
    const failed = failures > before.failures || ejectedAt > before.ejectedAt;
    if (responses > before.responses) return failed ? unlinked : 'well';
    return failed ? 'broken' : before.state;
  };
  return { responses, failures, ejectedAt, state: state() };
}

function isMap(entry: [string, unknown]): entry is [string, Record<string, unknown>] {
  return typeof entry[1] === 'object' && entry[1] !== null;
}

/** Backends that are DOWN (HAProxy's management.txt, "CSV format"). Throws where it is no such text. */
export function readHaproxyStats(text: string): ProxyProbeResult {
  const lines = text.split('\n');
  const header = lines.find((line) => line.startsWith('# pxname'));
  if (header === undefined) throw new Error('there is no line "# pxname"');
  const columns = header.slice(2).split(',');
  const rows = lines.slice(lines.indexOf(header) + 1).map((line) => line.split(','));
  const value = (row: readonly string[], column: string) => row[columns.indexOf(column)];
  const down = rows.filter((row) => value(row, 'svname') === 'BACKEND' && value(row, 'status') === 'DOWN');
  const version = lines.find((line) => line.startsWith('Version: '))?.slice('Version: '.length) ?? '';
  return { kind: 'proxy', version, broken: down.map((row) => row[0] ?? '').sort() };
}

async function settle(
  address: Endpoint,
  probe: () => Promise<ProxyProbeResult>,
): Promise<Unanswered | ProxyProbeResult> {
  try {
    return await probe();
  } catch (thrown) {
    const timedOut = thrown instanceof SocketExchangeError && thrown.reason === 'timeout';
    const cause = (thrown as { readonly cause?: { readonly address?: unknown } }).cause;
    // The socket of the statistics may fail alone.
    const fault = typeof address === 'string' && cause?.address === address ? faultOfError(cause) : undefined;
    const why = timedOut || fault === 'silent' ? 'timeout' : 'refused';
    return { kind: 'unreachable', why, ...(fault === undefined ? {} : { fault }) };
  }
}
