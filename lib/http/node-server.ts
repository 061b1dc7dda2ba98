import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import type { TlsOptions } from 'node:tls';
import { ticks } from '../ticks.ts';
import { limitConnections } from './connections.ts';
import { answerExpectation } from './unparsed.ts';

export interface NodeServerOptions {
  readonly tls?: TlsOptions;
  /** How long a request may take to arrive, with its body. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** How many connections one address (IPv6: one /64 network) may have. Default 500: all clients behind one proxy share its address. */
  readonly maxConnectionsPerClient?: number;
}

export type NodeServer = http.Server | https.Server;

/** Node's server of the API, not listening yet, with the limits of what never reaches a route. */
export function makeNodeServer(answer: RequestListener, options: NodeServerOptions): NodeServer {
  const { tls, requestTimeoutMs = 10_000, maxConnectionsPerClient = 500 } = options;
  const nodeOptions = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: 30_000,
    // By default, Node looks for late requests every 30 s only, and answers a missing Host itself, without the security headers.
    connectionsCheckingInterval: Math.min(requestTimeoutMs, 1_000),
    requireHostHeader: false,
  };
  const server =
    tls === undefined
      ? http.createServer(nodeOptions, answer)
      : https.createServer({ ...nodeOptions, ...tls, handshakeTimeout: requestTimeoutMs }, answer);
  server.on('checkExpectation', answerExpectation);
  // Node looks every second from now on: in the same turn as all else that this process repeats.
  server.on('listening', () => ticks.restart());
  limitConnections(server, maxConnectionsPerClient);
  return server;
}
