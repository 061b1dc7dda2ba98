import { createHash } from 'node:crypto';
import { hostname, machine, release, type } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../client/consul.ts';
import type { EndpointConfig } from '../config/model.ts';
import { revealServerTls } from '../config/reveal.ts';
import type { Decisions } from '../consul/decisions.ts';
import type { CatalogWatches } from '../consul/watches.ts';
import { type Handover, Listening } from '../listening.ts';
import type { RunReport } from '../loop/outcome.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { Naming } from '../model/naming.ts';
import type { SentinelView } from '../model/sentinel.ts';
import { type Part, type Readiness, type StopOptions, toReadiness } from '../part.ts';
import type { Log } from '../telemetry/log.ts';
import { Access } from './access.ts';
import { Knowledge } from './knowledge.ts';
import type { ClientFacts, EndpointFacts } from './plan/information.ts';
import type { EndpointMeta } from './plan/view.ts';
import { EndpointRegistration } from './registration.ts';
import { EndpointServer, type EndpointServerOptions } from './server.ts';

export interface EndpointPartOptions {
  readonly settings: EndpointConfig;
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  /** The decisions of this node's bridge. */
  readonly decisions: Decisions;
  readonly version: string;
  /** What the Sentinels say of a master, on a node with a bridge. Default: nothing. */
  readonly sentinels?: (name: string) => readonly SentinelView[];
  /** Orders a planned failover at this node's bridge. */
  readonly failOver: (name: string) => Promise<unknown>;
  readonly onReport: (report: RunReport) => void;
  readonly handover: EndpointHandover;
  readonly log: Log;
}

interface Bound {
  readonly port: number;
}

/** Keeps the endpoint's server across a reload. */
export type EndpointHandover = Handover<Bound, EndpointServer>;

/** Sentinels read INFO every 10 s. */
const sameRebootMs = 15_000;

/** The part for the section `sentinelEndpoint`: answers Sentinel-aware clients of this node from the records. */
export class EndpointPart implements Part {
  readonly name = 'endpoint';
  readonly #options: EndpointPartOptions;
  readonly #knowledge: Knowledge;
  readonly #listening: Listening<Bound, EndpointServer>;
  readonly #startedMs = performance.now();
  #registration: EndpointRegistration | undefined;
  readonly #reboots = new Map<string, number>();

  constructor(options: EndpointPartOptions) {
    this.#options = options;
    const { settings, naming, watches, decisions, handover, log } = options;
    this.#listening = new Listening({
      makeServer: () => new EndpointServer(this.#serverOptions()),
      succession: {
        handover,
        adopt: async (former) => former.become(this.#serverOptions()),
        release: () => this.#knowledge.stop(),
      },
      onListening: ({ port }) => this.#onListening(port),
      onRefused: (why) => log.error({ listen: formatAddress(settings.listen), why }, 'sentinel endpoint cannot listen'),
    });
    this.#knowledge = new Knowledge({
      watches,
      decisions,
      naming,
      own: () => this.#meta,
      onMessages: (messages) => this.#listening.server?.publish(messages),
    });
  }

  /** The port that clients connect to; undefined while there is none. */
  get port(): number | undefined {
    const { state } = this.#listening;
    return state.kind === 'listening' ? state.port : undefined;
  }

  /** Passes on a Sentinel's `+reboot`. Every Sentinel reports the same start, within seconds of each other. */
  reportReboot(payload: string): void {
    const nowMs = performance.now();
    for (const [known, atMs] of this.#reboots) if (nowMs - atMs > sameRebootMs) this.#reboots.delete(known);
    if (this.#reboots.has(payload)) return;
    this.#reboots.set(payload, nowMs);
    this.#listening.server?.publish([{ channel: '+reboot', payload }]);
  }

  async start(): Promise<void> {
    this.#knowledge.start();
    await this.#listening.start();
  }

  async stop({ cause }: StopOptions): Promise<void> {
    // The service goes first, so that no other endpoint names this one any more.
    await this.#registration?.stop(cause);
    // After a reload, the server answers from this knowledge until the next part takes it, also when the watches have ended.
    this.#knowledge.expire();
    await this.#listening.stop(cause);
  }

  /** Ready when it listens and the records were read once. */
  ready(): Readiness {
    const missing = [...this.#listening.missing, ...(this.#knowledge.view === undefined ? ['records in Consul'] : [])];
    return toReadiness(missing);
  }

  state(): unknown {
    const { state, server } = this.#listening;
    const { connections, subscribers } = server?.facts ?? noClients;
    return { id: this.#id, ...state, connections, subscribers, consul: this.#knowledge.consul };
  }

  /** Without a port of its own in the config it has one only when it listens. */
  get #id(): string {
    const { settings, naming } = this.#options;
    const { listen, announce } = settings;
    const address = announce ?? { host: listen.host, port: this.port ?? listen.port };
    return makeId([hostname(), formatAddress(address), naming.environment ?? '']);
  }

  get #meta(): EndpointMeta {
    const { settings, naming } = this.#options;
    return {
      id: this.#id,
      environment: naming.environment ?? '',
      transport: settings.tls === undefined ? 'tcp' : 'tls',
    };
  }

  #onListening(port: number): void {
    const { settings, log } = this.#options;
    const listening = { host: settings.listen.host, port };
    log.info({ listen: formatAddress(listening) }, 'sentinel endpoint listening');
    this.#register(settings.announce ?? listening, listening);
  }

  #register(address: Address, listen: Address): void {
    const { client, naming, onReport } = this.#options;
    this.#registration = new EndpointRegistration({ client, naming, meta: this.#meta, address, listen, onReport });
    this.#registration.start();
  }

  #serverOptions(): EndpointServerOptions {
    const { settings, log, failOver } = this.#options;
    const { listen, maxConnections, idleMs, tls, reader, operator } = settings;
    const reveal = (user: EndpointConfig['operator']) =>
      user === undefined ? undefined : { username: user.username, password: user.password.reveal() };
    const [reading, ordering] = [reveal(reader), reveal(operator)];
    return {
      listen,
      maxConnections,
      idleMs,
      ...(tls === undefined ? {} : { tls: revealServerTls(tls) }),
      onDrop: (drop) => log.warn(drop, 'sentinel endpoint dropped a connection'),
      context: {
        id: () => this.#id,
        access: new Access({
          ...(reading === undefined ? {} : { reader: reading }),
          ...(ordering === undefined ? {} : { operator: ordering }),
        }),
        view: () => this.#knowledge.view,
        sentinels: this.#options.sentinels ?? (() => []),
        isCurrent: () => this.#knowledge.consul === 'current',
        failOver: ordering === undefined ? undefined : failOver,
        facts: () => this.#facts(),
      },
    };
  }

  #facts(): EndpointFacts {
    const { consul, staleSince } = this.#knowledge;
    const { version, settings } = this.#options;
    return {
      version,
      id: this.#id,
      port: this.port ?? 0,
      maxConnections: settings.maxConnections,
      consul,
      staleSince,
      clients: this.#listening.server?.facts ?? noClients,
      process: {
        id: process.pid,
        executable: process.execPath,
        system: `${type()} ${release()} ${machine()}`,
        nowMs: performance.timeOrigin + performance.now(),
        uptimeS: Math.floor((performance.now() - this.#startedMs) / 1_000),
        usedUs: process.cpuUsage(),
      },
    };
  }
}

const noClients: ClientFacts = {
  connections: 0,
  subscribers: 0,
  tracking: 0,
  accepted: 0,
  refused: 0,
  commands: 0,
  channels: 0,
  patterns: 0,
};

/** 40 hexadecimal digits that stay the same when the daemon starts again. */
function makeId(parts: readonly string[]): string {
  return createHash('sha1').update(parts.join('\n')).digest('hex');
}
