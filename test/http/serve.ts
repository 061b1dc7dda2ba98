import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import { type EventStreamOptions, EventStreams } from '../../lib/http/events.ts';
import type { HostOptions } from '../../lib/http/origin.ts';
import { makeServer } from '../../lib/http/server.ts';
import type { Views } from '../../lib/http/views.ts';
import { exampleViews } from './views.ts';

/** The token of the example server. */
export const exampleToken = 'correct horse battery staple'.replaceAll(' ', '-');

export interface Served {
  readonly server: FastifyInstance;
  readonly streams: EventStreams;
  /** What the server reported as its own defects. */
  readonly defects: unknown[];
}

interface ServeOptions extends EventStreamOptions {
  readonly hosts?: HostOptions;
  readonly orders?: 'off';
  readonly requestTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
  readonly tls?: TlsOptions;
  readonly maxConnectionsPerClient?: number;
}

/** The API over fixed views, closed with the test. */
export function serve(t: Test, views: Views = exampleViews(), options: ServeOptions = {}): Served {
  const { hosts, orders, requestTimeoutMs, answerTimeoutMs, tls, maxConnectionsPerClient, ...events } = options;
  const defects: unknown[] = [];
  const streams = new EventStreams(views.journal, events);
  const server = makeServer({
    views,
    streams,
    token: orders === 'off' ? undefined : exampleToken,
    version: '1.2.3',
    ...hosts,
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }),
    ...(tls === undefined ? {} : { tls }),
    ...(maxConnectionsPerClient === undefined ? {} : { maxConnectionsPerClient }),
    onDefect: (error) => defects.push(error),
  });
  t.teardown(() => server.close());
  return { server, streams, defects };
}

/** Listens on a free port of this machine. */
export async function listen(server: FastifyInstance): Promise<number> {
  await server.listen({ host: '127.0.0.1', port: 0 });
  return (server.server.address() as AddressInfo).port;
}
