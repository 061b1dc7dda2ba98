import type { FastifyInstance } from 'fastify';
import { type Backoff, makeBackoff } from '../backoff.ts';
import type { ApiConfig } from '../config/model.ts';
import { revealServerTls } from '../config/reveal.ts';
import { SwitchmasterError } from '../errors.ts';
import { EventStreams } from '../http/events.ts';
import { makeServer, type ServerOptions } from '../http/server.ts';
import { formatAddress } from '../model/address.ts';
import type { Part, Readiness } from '../part.ts';
import type { Log } from '../telemetry/log.ts';

export interface ApiPartOptions extends Omit<ServerOptions, 'tls' | 'onDefect' | 'streams' | 'token'> {
  readonly api: ApiConfig;
  readonly log: Log;
}

/** The HTTP API. If its address is taken, it tries again until the address is free. */
export class ApiPart implements Part {
  readonly name = 'api';
  readonly #options: ApiPartOptions;
  readonly #backoff: Backoff = makeBackoff({ initialMs: 250, maxMs: 10_000 });
  #server: FastifyInstance | undefined;
  #streams: EventStreams | undefined;
  #retry: NodeJS.Timeout | undefined;
  #state: { kind: 'closed' } | { kind: 'listening'; address: string } | { kind: 'refused'; why: string } = {
    kind: 'closed',
  };

  constructor(options: ApiPartOptions) {
    this.#options = options;
  }

  /** The number of readers of the event stream. */
  get eventStreams(): number {
    return this.#streams?.size ?? 0;
  }

  async start(): Promise<void> {
    const { api, log } = this.#options;
    const server = this.#make();
    this.#server = server;
    try {
      const url = await server.listen({ host: api.listen.host, port: api.listen.port });
      this.#state = { kind: 'listening', address: url };
      log.info({ url }, 'API listening');
    } catch (thrown) {
      const { message } = SwitchmasterError.from(thrown);
      if (this.#state.kind !== 'refused')
        log.error({ listen: formatAddress(api.listen), why: message }, 'API cannot listen');
      this.#state = { kind: 'refused', why: message };
      this.#server = undefined;
      await server.close();
      this.#retry = setTimeout(() => void this.start(), this.#backoff.nextMs());
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.#retry);
    await this.#server?.close();
    this.#state = { kind: 'closed' };
  }

  ready(): Readiness {
    if (this.#state.kind !== 'refused') return { ready: true };
    return { ready: false, missing: [`cannot listen: ${this.#state.why}`] };
  }

  state(): unknown {
    return this.#state;
  }

  #make(): FastifyInstance {
    const { api, log, ...rest } = this.#options;
    const { tls } = api;
    const streams = new EventStreams(rest.views.journal);
    this.#streams = streams;
    return makeServer({
      ...rest,
      streams,
      listenHost: api.listen.host,
      allowedHosts: api.allowedHosts,
      token: api.token?.reveal(),
      onDefect: (error, request) => log.error({ error, ...request }, 'request failed'),
      ...(tls === undefined ? {} : { tls: revealServerTls(tls) }),
    });
  }
}
