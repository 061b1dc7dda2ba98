import { connect, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../model/address.ts';
import { connectOptions } from './socket-exchange.ts';
import { type ClientTls, toTlsOptions } from './tls.ts';

/** Keeps idle connections in the tables of routers and firewalls, and detects dead ones. */
const keepAliveMs = 10_000;

/** All sockets read into it: otherwise Node.js takes 64 kB for each chunk, and gives most of it back. */
const received = Buffer.allocUnsafeSlow(65_536);

/** `onChunk` gets what arrives. The chunk changes after the call. */
export function openSocket(address: Endpoint, tls: ClientTls | undefined, onChunk: (chunk: Buffer) => void): Socket {
  const callback = (bytes: number) => {
    onChunk(received.subarray(0, bytes));
    return true;
  };
  const options = { ...connectOptions(address), onread: { buffer: received, callback } };
  const open = () => (tls === undefined ? connect(options) : connectTls({ ...options, ...toTlsOptions(tls) }));
  // Before it is connected, the socket of a TLS connection takes no option.
  const socket = openOrFail(open);
  return socket.once('connect', () => socket.setNoDelay(true).setKeepAlive(true, keepAliveMs));
}

/**
 * What Node.js refuses is an error of the connection: a certificate without its key, or a host with a null byte, which a record that
 * somebody edited may have.
 */
function openOrFail(open: () => Socket): Socket {
  try {
    return open();
  } catch (thrown) {
    return new Socket().destroy(thrown as Error);
  }
}

/** What was written is still sent, unless the server does not read. */
export function endSocket(socket: Socket): void {
  if (socket.connecting || socket.writableLength > 0) socket.destroy();
  else socket.destroySoon();
}

export function connectTimedOut(): Error {
  return Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT', syscall: 'connect' });
}
