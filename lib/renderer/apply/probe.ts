import { faultOfError } from '../../client/fault.ts';
import { exchangeOverSocket, type SocketExchange, SocketExchangeError } from '../../client/socket-exchange.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Endpoint, formatEndpoint } from '../../model/address.ts';
import { explainFault } from '../../model/link-fault.ts';
import type { ProbeAccess } from '../../model/probe-access.ts';

export interface Attempt {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Connects and disconnects. Throws `verify-failed`. */
export async function probeTcp(address: Endpoint, attempt: Attempt): Promise<void> {
  await exchange({ to: address, until: 'connected', ...attempt });
}

/** GET. Any status from 200 to 399 is a success. Throws `verify-failed`. */
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
export async function probeRedis(address: Endpoint, access: ProbeAccess, attempt: Attempt): Promise<void> {
  const [pong] = await ask({ address, access, attempt, commands: [['PING']] });
  if (pong !== '+PONG') {
    throw new SwitchmasterError('verify-failed', `PING to ${formatEndpoint(address)} is answered with "${pong}".`);
  }
}

/** The run_id and role of the Redis process that answers at an address. Throws `verify-failed`. */
export async function readIdentity(
  address: Endpoint,
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
  const message = `INFO to ${formatEndpoint(address)} is not answered with a run_id: does a proxy refuse it?`;
  throw new SwitchmasterError('verify-failed', message);
}

/*
 * A probe uses the few parts of Redis's protocol that it needs itself: it must open one connection for the request and
 * close it afterwards, where the client library reconnects and queues.
 */
async function ask(input: {
  address: Endpoint;
  access: ProbeAccess;
  attempt: Attempt;
  commands: readonly (readonly string[])[];
}): Promise<readonly string[]> {
  const { address, access, attempt, commands } = input;
  const { username, password, tls } = access;
  const auth =
    password === undefined ? [] : [['AUTH', ...(username === undefined ? [] : [username]), password.reveal()]];
  const all = [...auth, ...commands];
  const request = all.map(encode).join('');
  const isComplete = (received: string): boolean => parseReplies(received).length >= all.length;
  const answer = await exchange({ to: address, tls, request, until: isComplete, encoding: 'latin1', ...attempt });
  const replies = parseReplies(answer);
  const refusal = auth.length > 0 && replies[0] !== '+OK' ? replies[0] : undefined;
  if (refusal !== undefined) {
    throw new SwitchmasterError('verify-failed', `${formatEndpoint(address)} refuses the password: ${refusal}`);
  }
  return replies.slice(auth.length);
}

async function exchange(over: SocketExchange): Promise<string> {
  try {
    return await exchangeOverSocket(over);
  } catch (thrown) {
    if (!(thrown instanceof SocketExchangeError)) throw thrown;
    const fault = typeof over.to === 'string' ? faultOfError(thrown.cause ?? {}) : undefined;
    const why = fault === undefined ? thrown.message : `cannot be reached: the server ${explainFault(fault)}`;
    const message = `${formatEndpoint(over.to)} ${why}.`;
    throw new SwitchmasterError('verify-failed', message, { cause: thrown });
  }
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/**
 * Complete replies only: lines with their first character, the content of strings, and of others the first line. RESP3 as
 * well: a proxy may answer in it although nobody asked. Its pushes and attributes answer nothing.
 */
function parseReplies(received: string): readonly string[] {
  const replies: string[] = [];
  for (let reply = parseReply(received, 0); reply !== undefined; reply = parseReply(received, reply.end)) {
    if (reply.kind === 'answer') replies.push(reply.text);
  }
  return replies;
}

interface ParsedReply {
  readonly kind: 'answer' | 'push';
  readonly text: string;
  /** Where the next reply begins. */
  readonly end: number;
}

/** Deeper than any server nests. */
const maxDepth = 16;

/** undefined where it is not complete yet. */
function parseReply(received: string, at: number, depth = 0): ParsedReply | undefined {
  const lineEnd = received.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const text = received.slice(at, lineEnd);
  const start = lineEnd + 2;
  const [, type = '', digits] = /^([$=!*~>%|])(\d+)$/.exec(text) ?? [];
  if (type === '' || depth > maxDepth) return { kind: 'answer', text, end: start };
  const count = Number(digits);
  if ('*~>%|'.includes(type)) {
    let end: number | undefined = start;
    const items = '%|'.includes(type) ? count * 2 : count;
    for (let i = 0; i < items && end !== undefined; i += 1) end = parseReply(received, end, depth + 1)?.end;
    return end === undefined ? undefined : { kind: '>|'.includes(type) ? 'push' : 'answer', text, end };
  }
  const end = start + count + 2;
  if (received.length < end) return undefined;
  // A verbatim string begins with its format: `txt:`.
  const content = received.slice(type === '=' ? start + 4 : start, end - 2);
  return { kind: 'answer', text: type === '!' ? `-${content}` : content, end };
}
