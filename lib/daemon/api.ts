import type { ApiConfig } from '../config/model.ts';
import { revealServerTls } from '../config/reveal.ts';
import { EventStreams } from '../http/events.ts';
import { makeServer, type ServerOptions } from '../http/server.ts';
import { type Listener, Listening } from '../listening.ts';
import { formatAddress } from '../model/address.ts';
import { type Part, type Readiness, toReadiness } from '../part.ts';
import type { Log } from '../telemetry/log.ts';

export interface ApiPartOptions extends Omit<ServerOptions, 'tls' | 'onDefect' | 'streams' | 'token'> {
  readonly api: ApiConfig;
  readonly log: Log;
}

interface Bound {
  readonly address: string;
}

interface ApiServer extends Listener<Bound> {
  readonly streams: EventStreams;
}

/** The HTTP API. If its address is taken, it tries again until the address is free. */
export class ApiPart implements Part {
  readonly name = 'api';
  readonly #options: ApiPartOptions;
  readonly #listening: Listening<Bound, ApiServer>;

  constructor(options: ApiPartOptions) {
    this.#options = options;
    const { api, log } = options;
    this.#listening = new Listening({
      makeServer: () => this.#makeServer(),
      onListening: ({ address: url }) => log.info({ url }, 'API listening'),
      onRefused: (why) => log.error({ listen: formatAddress(api.listen), why }, 'API cannot listen'),
    });
  }

  /** The number of readers of the event stream. */
  get eventStreams(): number {
    return this.#listening.server?.streams.size ?? 0;
  }

  start(): Promise<void> {
    return this.#listening.start();
  }

  stop(): Promise<void> {
    return this.#listening.stop();
  }

  ready(): Readiness {
    return toReadiness(this.#listening.missing);
  }

  state(): unknown {
    return this.#listening.state;
  }

  #makeServer(): ApiServer {
    const { api, log, ...rest } = this.#options;
    const { listen, allowedHosts, tls } = api;
    const streams = new EventStreams(rest.views.journal);
    const server = makeServer({
      ...rest,
      streams,
      listenHost: listen.host,
      allowedHosts,
      token: api.token?.reveal(),
      onDefect: (error, request) => log.error({ error, ...request }, 'request failed'),
      ...(tls === undefined ? {} : { tls: revealServerTls(tls) }),
    });
    return {
      streams,
      listen: async () => ({ address: await server.listen({ host: listen.host, port: listen.port }) }),
      close: () => server.close(),
    };
  }
}
