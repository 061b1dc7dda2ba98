import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../model/address.ts';
import { type ClientTls, toTlsOptions } from './tls.ts';

export interface SocketExchange {
  readonly to: Endpoint;
  readonly tls?: ClientTls | undefined;
  /** Written as soon as the connection is up. */
  readonly request?: string;
  /** When the answer is complete: once connected, once the server closes, or once the received text satisfies a test. */
  readonly until: 'connected' | 'closed' | ((received: string) => boolean);
  /** For the whole exchange. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** `latin1` has one character a byte, for protocols that count bytes. Default `utf8`. */
  readonly encoding?: 'utf8' | 'latin1';
}

/** Why an exchange failed. The message is a predicate: "did not answer within 200 ms". */
export class SocketExchangeError extends Error {
  readonly reason: 'unreachable' | 'timeout' | 'closed' | 'too-long';

  constructor(reason: SocketExchangeError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The endpoint as Node's `connect` takes it. */
export function connectOptions(
  to: Endpoint,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  return typeof to === 'string' ? { path: to } : { host: to.host, port: to.port };
}

/** Characters, not bytes. The largest known answer is HAProxy's `show stat` with some thousand servers: about 1 MB. */
const maxAnswerLength = 16 * 1024 * 1024;

/**
 * Opens a connection, writes the request, reads the answer and closes the connection. Rejects with a
 * SocketExchangeError, or with the signal's reason.
 */
export async function exchangeOverSocket(exchange: SocketExchange): Promise<string> {
  const { signal, timeoutMs, request, until } = exchange;
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = open(exchange);
  const fail = (reason: SocketExchangeError['reason'], message: string, cause?: unknown): void =>
    reject(new SocketExchangeError(reason, message, { cause }));
  const onAbort = (): void => reject(signal?.reason);
  const timer = setTimeout(() => fail('timeout', `did not answer within ${timeoutMs} ms`), timeoutMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  let received = '';
  socket.once(exchange.tls === undefined ? 'connect' : 'secureConnect', () => {
    if (until === 'connected') resolve('');
    else if (request !== undefined) socket.write(request);
  });
  socket.on('data', (text: string) => {
    received += text;
    if (typeof until === 'function' && until(received)) resolve(received);
    else if (received.length > maxAnswerLength) fail('too-long', 'answered with too much text');
  });
  socket.on('end', () => (until === 'closed' ? resolve(received) : fail('closed', 'closed the connection')));
  socket.on('close', () => fail('closed', 'closed the connection'));
  socket.on('error', (error) => fail('unreachable', `cannot be reached: ${error.message}`, error));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

function open({ to, tls, encoding = 'utf8' }: SocketExchange): Socket {
  const at = connectOptions(to);
  return (tls === undefined ? connect(at) : connectTls({ ...at, ...toTlsOptions(tls) })).setEncoding(encoding);
}
