import { connect, type Socket } from 'node:net';
import { SwitchmasterError } from '../errors.ts';
import type { Address } from '../model/address.ts';
import type { ProbeResult, ProxyProbeResult } from '../model/probe-result.ts';

/** The path of a unix domain socket, or an address. */
export type Endpoint = Address | string;

/** A look at one twemproxy: a PING through it (which it answers itself), and its stats where they are told. */
export class TwemproxyProbe {
  readonly #address: Address;
  readonly #stats: Endpoint | undefined;
  #servers: TwemproxyServers = new Map();

  constructor(at: { readonly address: Address; readonly stats: Endpoint | undefined }) {
    this.#address = at.address;
    this.#stats = at.stats;
  }

  /** Never throws. */
  async look(options: { readonly timeoutMs: number }): Promise<ProbeResult> {
    return looked(async () => {
      const pong = await converse({ to: this.#address, say: '*1\r\n$4\r\nPING\r\n', until: /\r\n$/ }, options);
      if (!pong.startsWith('+PONG'))
        throw new SwitchmasterError('redis-refused', `twemproxy answered PING with ${pong}`);
      if (this.#stats === undefined) return { kind: 'proxy', version: '', broken: [] };
      const text = await converse({ to: this.#stats, say: '', until: undefined }, options);
      const { version, servers } = readTwemproxyStats(text, this.#servers);
      this.#servers = servers;
      const broken = [...servers].filter(([, { state }]) => state === 'broken').map(([name]) => name);
      return { kind: 'proxy', version, broken: broken.sort() };
    });
  }
}

/** A connection to HAProxy's listener, and its stats where they are told. Never throws. */
export async function lookAtHaproxy(
  at: { readonly address: Address; readonly stats: Endpoint | undefined },
  options: { readonly timeoutMs: number },
): Promise<ProbeResult> {
  return looked(async () => {
    await converse({ to: at.address, say: '', until: 'connected' }, options);
    if (at.stats === undefined) return { kind: 'proxy', version: '', broken: [] };
    return readHaproxyStats(await converse({ to: at.stats, say: 'show info;show stat\n', until: undefined }, options));
  });
}

/** By `pool/server`. */
export type TwemproxyServers = ReadonlyMap<string, TwemproxyServer>;

interface TwemproxyServer {
  readonly responses: number;
  readonly failures: number;
  /** When it was last left out (`auto_eject_hosts`), which a lost connection may be enough for. Microseconds since 1970. */
  readonly ejectedAt: number;
  readonly state: 'broken' | 'well';
}

/**
 * What twemproxy's stats say of its servers, and what they said `before` (nutcracker's nc_stats.h). They are counters: a
 * server is broken from a failure until its next response, and nothing is known of one to which nothing was sent.
 * Whether there is a connection decides only where they do not tell which came last, for an idle one may be closed.
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
    // Counters that fell are those of another process.
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

/** Backends that are DOWN (HAProxy's management.txt, "CSV format"). */
export function readHaproxyStats(text: string): ProxyProbeResult {
  const lines = text.split('\n');
  const header = lines.find((line) => line.startsWith('# pxname')) ?? '';
  const columns = header.slice(2).split(',');
  const rows = lines.slice(lines.indexOf(header) + 1).map((line) => line.split(','));
  const value = (row: readonly string[], column: string) => row[columns.indexOf(column)];
  const down = rows.filter((row) => value(row, 'svname') === 'BACKEND' && value(row, 'status') === 'DOWN');
  const version = lines.find((line) => line.startsWith('Version: '))?.slice('Version: '.length) ?? '';
  return { kind: 'proxy', version, broken: down.map((row) => row[0] ?? '').sort() };
}

async function looked(look: () => Promise<ProbeResult>): Promise<ProbeResult> {
  try {
    return await look();
  } catch (thrown) {
    const silent = SwitchmasterError.from(thrown).code === 'redis-timeout';
    return { kind: 'unreachable', why: silent ? 'silent' : 'refused' };
  }
}

const maxAnswerBytes = 16 * 1024 * 1024;

/** Says one thing and hears the answer: until it matches, until the other end closes, or only that it connects. */
function converse(
  talk: { readonly to: Endpoint; readonly say: string; readonly until: RegExp | 'connected' | undefined },
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket: Socket = typeof talk.to === 'string' ? connect(talk.to) : connect(talk.to.port, talk.to.host);
  const timer = setTimeout(() => reject(new SwitchmasterError('redis-timeout', 'no answer in time')), timeoutMs);
  let heard = '';
  socket.setEncoding('utf8');
  socket.on('connect', () => (talk.until === 'connected' ? resolve('') : socket.write(talk.say)));
  socket.on('data', (text: string) => {
    heard += text;
    if (talk.until instanceof RegExp && talk.until.test(heard)) resolve(heard);
    if (heard.length > maxAnswerBytes) reject(new SwitchmasterError('redis-answer-invalid', 'the answer is too long'));
  });
  socket.on('end', () => (talk.until === undefined ? resolve(heard) : reject(new Error('the connection was closed'))));
  socket.on('error', reject);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}
