import { connect, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { Endpoint } from '../model/address.ts';
import type { LinkFault } from '../model/link-fault.ts';
import { faultOfError, faultOfReply } from './fault.ts';
import { connectOptions } from './socket-exchange.ts';
import { type ClientTls, toTlsOptions } from './tls.ts';

/** The result of one connection: the first bytes of the server, the error, or that the server ended it or sent nothing. */
type Greeting =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'error'; readonly error: unknown }
  | { readonly kind: 'closed' | 'silent' };

/**
 * A server that refuses everybody sends its reason at once. It may reset the connection when something was sent to it
 * meanwhile, and the reason is lost then.
 */
const listenMs = 100;

/**
 * Finds out by a connection of its own why a server that should speak Redis's protocol cannot be used: Redis ends many
 * connections without a reason, and a client library may lose the reason that it sends. undefined where it answers as
 * Redis does.
 */
export async function diagnose(
  address: Endpoint,
  options: { readonly tls: ClientTls | undefined; readonly timeoutMs: number },
): Promise<LinkFault | undefined> {
  const { tls, timeoutMs } = options;
  const greeting = await greet(address, { tls, timeoutMs });
  if (greeting.kind === 'bytes') return faultOfBytes(greeting.bytes);
  if (greeting.kind === 'error') {
    const fault = faultOfError(greeting.error);
    if (fault !== undefined) return fault;
  }
  if (tls === undefined) {
    // Accepts any certificate: nothing but the handshake counts.
    const secured = await handshake(address, timeoutMs);
    if (secured) return 'tls-expected';
  } else {
    const plain = await greet(address, { tls: undefined, timeoutMs });
    if (plain.kind === 'bytes' && isRedisReply(plain.bytes)) return 'tls-unexpected';
  }
  return greeting.kind === 'silent' ? 'silent' : 'closed';
}

function faultOfBytes(bytes: Buffer): LinkFault | undefined {
  // A TLS alert.
  if (bytes[0] === 0x15) return 'tls-expected';
  if (!isRedisReply(bytes)) return 'other-protocol';
  return bytes[0] === 0x2d ? answerFault(bytes.toString('utf8', 1)) : undefined;
}

/** A server that asks for a password answers well: the client library logs in. */
function answerFault(text: string): LinkFault | undefined {
  const fault = faultOfReply(text);
  return fault === 'password-missing' || fault === 'command-denied' ? undefined : fault;
}

function isRedisReply(bytes: Buffer): boolean {
  return /^[+:$*_%~>,(#=|-]/.test(bytes.toString('latin1', 0, 1)) && bytes.includes('\r\n');
}

function greet(
  address: Endpoint,
  { tls, timeoutMs }: { readonly tls: ClientTls | undefined; readonly timeoutMs: number },
): Promise<Greeting> {
  const at = connectOptions(address);
  const socket = tls === undefined ? connect(at) : connectTls({ ...at, ...toTlsOptions(tls) });
  const up = tls === undefined ? 'connect' : 'secureConnect';
  return watch(socket, timeoutMs, (finish) => {
    socket.once('data', (bytes) => finish({ kind: 'bytes', bytes }));
    let timer: NodeJS.Timeout | undefined;
    socket.once(up, () => {
      timer = setTimeout(() => socket.write('PING\r\n'), listenMs);
    });
    socket.once('close', () => clearTimeout(timer));
  });
}

/**
 * One for all handshakes, without root certificates: a thousand servers may be silent at once, and a context of each takes 23 kB and
 * 0.3 ms.
 */
let unverified: SecureContext | undefined;

async function handshake(address: Endpoint, timeoutMs: number): Promise<boolean> {
  unverified ??= createSecureContext({ ca: [] });
  const options = { rejectUnauthorized: false, secureContext: unverified };
  const socket = connectTls({ ...connectOptions(address), ...options });
  const greeting = await watch(socket, timeoutMs, (finish) => {
    socket.once('secureConnect', () => finish({ kind: 'bytes', bytes: Buffer.alloc(0) }));
  });
  // A server that requires a client certificate speaks TLS too.
  if (greeting.kind === 'error') return /ALERT/.test(String((greeting.error as { code?: unknown }).code));
  return greeting.kind === 'bytes';
}

async function watch(
  socket: Socket,
  timeoutMs: number,
  listen: (finish: (greeting: Greeting) => void) => void,
): Promise<Greeting> {
  const { promise, resolve } = Promise.withResolvers<Greeting>();
  const timer = setTimeout(() => resolve({ kind: 'silent' }), timeoutMs);
  socket.on('error', (error) => resolve({ kind: 'error', error }));
  socket.on('close', () => resolve({ kind: 'closed' }));
  socket.on('end', () => resolve({ kind: 'closed' }));
  listen(resolve);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
