import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { toTlsOptions } from '../../client/tls.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { ProbeAccess } from '../../model/probe-access.ts';

export interface Attempt {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Connects and hangs up. Throws `verify-failed`. */
export async function probeTcp(address: Address, attempt: Attempt): Promise<void> {
  const socket = await open(address, {}, attempt);
  socket.destroy();
}

/** GET; any status from 200 to 399 will do. */
export async function probeHttp(url: string, attempt: Attempt): Promise<void> {
  const signal = AbortSignal.any([attempt.signal, AbortSignal.timeout(attempt.timeoutMs)]);
  let status: number;
  try {
    const response = await fetch(url, { signal, redirect: 'manual' });
    await response.body?.cancel();
    status = response.status;
  } catch (cause) {
    attempt.signal.throwIfAborted();
    throw new SwitchmasterError('verify-failed', `GET ${url} is not answered.`, { cause });
  }
  if (status < 200 || status >= 400) throw new SwitchmasterError('verify-failed', `GET ${url} answers ${status}.`);
}

/** PING, after AUTH where a password is given. Throws `verify-failed`. */
export async function probeRedis(address: Address, access: ProbeAccess, attempt: Attempt): Promise<void> {
  const [pong] = await ask({ address, access, attempt, commands: [['PING']] });
  if (pong !== '+PONG') {
    throw new SwitchmasterError('verify-failed', `PING to ${formatAddress(address)} is answered with "${pong}".`);
  }
}

/** The run_id of the Redis process that answers at an address, and its role. Throws `verify-failed`. */
export async function readIdentity(
  address: Address,
  access: ProbeAccess,
  attempt: Attempt,
): Promise<{ readonly runId: string; readonly role: string }> {
  const [server = '', replication = ''] = await ask({
    address,
    access,
    attempt,
    commands: [
      ['INFO', 'server'],
      ['INFO', 'replication'],
    ],
  });
  const runId = /^run_id:(\w+)/m.exec(server)?.[1];
  const role = /^role:(\w+)/m.exec(replication)?.[1];
  if (runId !== undefined && role !== undefined) return { runId, role };
  const message = `INFO to ${formatAddress(address)} is not answered with a run_id: does a proxy refuse it?`;
  throw new SwitchmasterError('verify-failed', message);
}

/*
 * A probe speaks the little of Redis's protocol that it needs itself: one connection that is opened for the question and
 * closed after it is the point, where the client library would reconnect and queue.
 */
async function ask(input: {
  address: Address;
  access: ProbeAccess;
  attempt: Attempt;
  commands: readonly (readonly string[])[];
}): Promise<readonly string[]> {
  const { address, access, attempt, commands } = input;
  const { username, password } = access;
  const auth =
    password === undefined ? [] : [['AUTH', ...(username === undefined ? [] : [username]), password.reveal()]];
  const all = [...auth, ...commands];
  const socket = await open(address, access, attempt);
  const replies = await readReplies({ socket, address, attempt, count: all.length, request: all.map(encode).join('') });
  const refusal = auth.length > 0 && replies[0] !== '+OK' ? replies[0] : undefined;
  if (refusal !== undefined) {
    throw new SwitchmasterError('verify-failed', `${formatAddress(address)} refuses the password: ${refusal}`);
  }
  return replies.slice(auth.length);
}

function open(address: Address, access: ProbeAccess, attempt: Attempt): Promise<Socket> {
  attempt.signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const { tls } = access;
    const socket = tls === undefined ? connect({ ...address }) : connectTls({ ...address, ...toTlsOptions(tls) });
    const settle = watchSocket({ socket, attempt, address, reject });
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      settle();
      resolve(socket);
    });
  });
}

function readReplies(input: {
  socket: Socket;
  address: Address;
  attempt: Attempt;
  count: number;
  request: string;
}): Promise<readonly string[]> {
  const { socket, count } = input;
  return new Promise((resolve, reject) => {
    const settle = watchSocket({ ...input, reject });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const replies = parseReplies(received);
      if (replies.length < count) return;
      settle();
      socket.destroy();
      resolve(replies);
    });
    socket.write(input.request);
  });
}

/** Ends the socket and rejects when it fails, closes, is late, or the daemon stops; until `settle` is called. */
function watchSocket(input: {
  socket: Socket;
  attempt: Attempt;
  address: Address;
  reject: (error: unknown) => void;
}): () => void {
  const { socket, attempt, address, reject } = input;
  const where = formatAddress(address);
  const fail = (what: string, cause?: unknown) => {
    settle();
    socket.destroy();
    reject(new SwitchmasterError('verify-failed', `${where} ${what}.`, { cause }));
  };
  const onError = (error: Error) => fail(`cannot be reached: ${error.message}`, error);
  const onClose = () => fail('closed the connection');
  const onAbort = () => {
    settle();
    socket.destroy();
    reject(attempt.signal.reason);
  };
  const timer = setTimeout(() => fail(`did not answer within ${attempt.timeoutMs} ms`), attempt.timeoutMs);
  socket.on('error', onError);
  socket.on('close', onClose);
  attempt.signal.addEventListener('abort', onAbort, { once: true });
  function settle() {
    clearTimeout(timer);
    socket.off('close', onClose);
    socket.off('error', onError);
    // A late error of a socket that nobody waits for must not end the process.
    socket.on('error', () => undefined);
    attempt.signal.removeEventListener('abort', onAbort);
  }
  return settle;
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** Whole replies only: status, error and integer lines with their sign, and bulk strings as they are. */
function parseReplies(received: string): readonly string[] {
  const replies: string[] = [];
  let at = 0;
  while (at < received.length) {
    const end = received.indexOf('\r\n', at);
    if (end < 0) break;
    const line = received.slice(at, end);
    at = end + 2;
    if (!line.startsWith('$') || line === '$-1') {
      replies.push(line);
      continue;
    }
    const length = Number(line.slice(1));
    if (received.length < at + length + 2) break;
    replies.push(received.slice(at, at + length));
    at += length + 2;
  }
  return replies;
}
