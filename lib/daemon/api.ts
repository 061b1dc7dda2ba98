import type { ApiConfig } from '../config/model.ts';
import { revealServerTls } from '../config/reveal.ts';
import { ApiListener, type ApiListenerOptions } from '../http/listener.ts';
import { type Handover, Listening } from '../listening.ts';
import { formatAddress } from '../model/address.ts';
import { type Part, type Readiness, type StopOptions, toReadiness } from '../part.ts';
import type { Log } from '../telemetry/log.ts';

export interface ApiPartOptions extends Pick<ApiListenerOptions, 'views' | 'version'> {
  readonly api: ApiConfig;
  readonly handover: ApiHandover;
  readonly log: Log;
}

interface Bound {
  readonly address: string;
}

/** Keeps the API's server across a reload. */
export type ApiHandover = Handover<Bound, ApiListener>;

/** The HTTP API. If its address is taken, it tries again until the address is free. */
export class ApiPart implements Part {
  readonly name = 'api';
  readonly #listening: Listening<Bound, ApiListener>;

  constructor(options: ApiPartOptions) {
    const { api, handover, log } = options;
    const settings = toListenerOptions(options);
    this.#listening = new Listening({
      makeServer: () => new ApiListener(settings),
      succession: { handover, adopt: (former) => former.become(settings) },
      onListening: ({ address: url }) => log.info({ url }, 'API listening'),
      onRefused: (why) => log.error({ listen: formatAddress(api.listen), why }, 'API cannot listen'),
    });
  }

  /** The number of readers of the event stream. */
  get eventStreams(): number {
    return this.#listening.server?.eventStreams ?? 0;
  }

  start(): Promise<void> {
    return this.#listening.start();
  }

  stop({ cause }: Pick<StopOptions, 'cause'>): Promise<void> {
    return this.#listening.stop(cause);
  }

  ready(): Readiness {
    return toReadiness(this.#listening.missing);
  }

  state(): unknown {
    return this.#listening.state;
  }
}

function toListenerOptions({ api, views, version, log }: ApiPartOptions): ApiListenerOptions {
  const { listen, allowedHosts, tls } = api;
  return {
    views,
    version,
    listen,
    allowedHosts,
    token: api.token?.reveal(),
    onDefect: (error, request) => log.error({ error, ...request }, 'request failed'),
    ...(tls === undefined ? {} : { tls: revealServerTls(tls) }),
  };
}
