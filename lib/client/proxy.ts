import { connect, type Socket } from 'node:net';
import { SwitchmasterError } from '../errors.ts';
import type { Address } from '../model/address.ts';
import type { ProxyVitals, Vitals } from '../model/instance-vitals.ts';

/** The path of a unix domain socket, or an address. */
export type Endpoint = Address | string;

/** A PING through twemproxy (which answers it itself), and its stats where they are told. Never throws. */
export async function lookAtTwemproxy(
  at: { readonly address: Address; readonly stats: Endpoint | undefined },
  options: { readonly timeoutMs: number },
): Promise<Vitals> {
  return looked(async () => {
    const pong = await converse({ to: at.address, say: '*1\r\n$4\r\nPING\r\n', until: /\r\n$/ }, options);
    if (!pong.startsWith('+PONG')) throw new SwitchmasterError('redis-refused', `twemproxy answered PING with ${pong}`);
    if (at.stats === undefined) return { kind: 'proxy', version: '', broken: [] };
    return readTwemproxyStats(await converse({ to: at.stats, say: '', until: undefined }, options));
  });
}

/** A connection to HAProxy's listener, and its stats where they are told. Never throws. */
export async function lookAtHaproxy(
  at: { readonly address: Address; readonly stats: Endpoint | undefined },
  options: { readonly timeoutMs: number },
): Promise<Vitals> {
  return looked(async () => {
    await converse({ to: at.address, say: '', until: 'connected' }, options);
    if (at.stats === undefined) return { kind: 'proxy', version: '', broken: [] };
    return readHaproxyStats(await converse({ to: at.stats, say: 'show info;show stat\n', until: undefined }, options));
  });
}

/**
 * A server that has failed and to which there is no connection now. The counters of a server that was never used stay 0
 * (nutcracker's nc_stats.h).
 */
export function readTwemproxyStats(text: string): ProxyVitals {
  const stats = JSON.parse(text) as Record<string, unknown>;
  const broken: string[] = [];
  for (const pool of Object.values(stats)) {
    for (const [name, server] of Object.entries(typeof pool === 'object' && pool !== null ? pool : {})) {
      if (typeof server !== 'object' || server === null) continue;
      const { server_connections: connections, server_err: errors, server_timedout: timeouts } = server;
      if (connections === 0 && Number(errors ?? 0) + Number(timeouts ?? 0) > 0) broken.push(name);
    }
  }
  return { kind: 'proxy', version: String(stats.version ?? ''), broken: broken.sort() };
}

/** Backends that are DOWN (HAProxy's management.txt, "CSV format"). */
export function readHaproxyStats(text: string): ProxyVitals {
  const lines = text.split('\n');
  const header = lines.find((line) => line.startsWith('# pxname')) ?? '';
  const columns = header.slice(2).split(',');
  const rows = lines.slice(lines.indexOf(header) + 1).map((line) => line.split(','));
  const value = (row: readonly string[], column: string) => row[columns.indexOf(column)];
  const down = rows.filter((row) => value(row, 'svname') === 'BACKEND' && value(row, 'status') === 'DOWN');
  const version = lines.find((line) => line.startsWith('Version: '))?.slice('Version: '.length) ?? '';
  return { kind: 'proxy', version, broken: down.map((row) => row[0] ?? '').sort() };
}

async function looked(look: () => Promise<Vitals>): Promise<Vitals> {
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
