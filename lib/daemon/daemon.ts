import { hostname } from 'node:os';
import { Operator } from '../bridge/failover/operator.ts';
import { BridgePart } from '../bridge/part.ts';
import { buildClusters } from '../cluster/part.ts';
import { matchesAny } from '../config/glob.ts';
import type { Config, SentinelConfig } from '../config/model.ts';
import { revealAccess } from '../config/reveal.ts';
import { findWarnings } from '../config/warnings.ts';
import { ConsulPart } from '../consul/part.ts';
import { SwitchmasterError } from '../errors.ts';
import type { Views } from '../http/views.ts';
import type { RunReport } from '../loop/outcome.ts';
import { redactReport } from '../loop/redacted-outcome.ts';
import { formatAddress } from '../model/address.ts';
import { recordPrefix } from '../model/naming.ts';
import { Redactor } from '../model/redaction.ts';
import { ProvisioningPart } from '../provisioner/part.ts';
import { buildRegistrar } from '../registrar/part.ts';
import { DecidedWatches, Decisions } from '../renderer/decisions.ts';
import { RendererPart } from '../renderer/part.ts';
import { makeProgramLog } from '../renderer/program-log.ts';
import type { Log } from '../telemetry/log.ts';
import type { MetricsView } from '../telemetry/metrics.ts';
import { ApiPart } from './api.ts';
import { Assembly, type Blueprint } from './assembly.ts';
import { readMeasures } from './measures.ts';
import { type Observers, openObservers } from './observers.ts';
import { secretsOf } from './secrets.ts';
import { settingsHash } from './settings-hash.ts';
import { unionViews } from './views.ts';

export interface DaemonOptions {
  readonly config: Config;
  readonly log: Log;
  readonly version: string;
}

/** Who signs records. */
const bridgeId = `${hostname()}/${process.pid}`;

/** How long the parts may finish what is in flight. */
const graceMs = 10_000;

/**
 * The composition root: it builds the parts that a config asks for, in the order in which they need each other, and
 * stops them in reverse. Nothing that happens in the world makes it throw.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #assembly: Assembly;
  #observers: Observers | undefined;
  #config: Config;
  #consul: ConsulPart | undefined;
  readonly #decisions = new Decisions();
  readonly #operator = new Operator({
    bridge: () => this.#assembly.parts.find((part) => part instanceof BridgePart),
    onReport: (report) => this.observe(report),
    onStep: (report) => this.#observers?.tell(redactReport(report, this.#redactor)),
  });
  #registers = false;
  /** The config's own secrets: whatever a server or a program says of them is told without. */
  readonly #redactor = new Redactor();

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#assembly = new Assembly(options.log);
  }

  async start(): Promise<void> {
    const { log, version } = this.#options;
    log.info({ version, node: process.version, pid: process.pid }, 'starting');
    this.#observers = await openObservers({
      journal: this.#config.journal,
      log,
      version,
      view: () => this.#measure(),
    });
    await this.#become(this.#config);
  }

  /** Takes over another config: only the parts whose settings changed are built anew. */
  async reload(config: Config): Promise<void> {
    if (settingsHash(config.journal) !== settingsHash(this.#config.journal)) {
      this.#options.log.warn('the journal keeps its settings until a restart');
    }
    this.#config = config;
    this.#options.log.level = config.log.level;
    await this.#become(config);
    this.#options.log.info('config reloaded');
  }

  async stop(): Promise<void> {
    this.#options.log.info('stopping');
    await this.#assembly.stop({ graceMs });
    await this.#observers?.close();
    this.#options.log.info('stopped');
  }

  /** What every part knows, into the log. */
  logState(): void {
    const parts = this.#assembly.parts.map((part) => ({ part: part.name, ready: part.ready(), state: part.state?.() }));
    this.#options.log.info({ version: this.#options.version, parts }, 'state');
  }

  /** Hands on to supervised programs a signal that means nothing to the daemon itself. */
  forward(signal: NodeJS.Signals): void {
    for (const part of this.#assembly.parts) part.forward?.(signal);
  }

  async #become(config: Config): Promise<void> {
    this.#redactor.learn(secretsOf(config));
    await this.#assembly.become(this.#blueprints(config), { graceMs });
    for (const { path, message, hint } of findWarnings(config))
      this.#options.log.warn({ path, why: message, hint }, 'config warning');
    const { register, sentinel, cluster, templates } = config;
    if (register === undefined && sentinel === undefined && cluster.length + templates.length === 0) {
      this.#options.log.warn('nothing to do: the config has neither register, sentinel, cluster nor templates');
    }
  }

  /** In the order of starting. The API comes first, so that it can say what is missing. */
  #blueprints(config: Config): readonly Blueprint[] {
    const { log, version } = this.#options;
    const blueprints: Blueprint[] = [];
    const { api } = config;
    if (api !== undefined) {
      blueprints.push({
        name: 'api',
        settingsHash: settingsHash(api),
        build: () => new ApiPart({ api, views: this.#views(), version, log: log.child({ part: 'api' }) }),
      });
    }
    blueprints.push({
      name: 'consul',
      settingsHash: settingsHash(config.consul),
      build: () => {
        const log = this.#options.log.child({ part: 'consul' });
        this.#consul = new ConsulPart(config.consul, {
          onReach: (reach) =>
            reach.kind === 'back' ? log.info('consul read again') : log.warn({ error: reach.error }, 'consul not read'),
        });
        return this.#consul;
      },
    });
    if (config.sentinel !== undefined) {
      const { sentinel, environment, consul } = config;
      blueprints.push({
        name: 'bridge',
        settingsHash: settingsHash({ sentinel, environment, consul }),
        build: () => this.#buildBridge(sentinel, environment),
      });
    }
    if (config.sentinel?.provision === true) {
      const { sentinel, environment, consul } = config;
      blueprints.push({
        name: 'provisioner',
        settingsHash: settingsHash({ sentinel, environment, consul }),
        build: () => this.#buildProvisioner(sentinel, environment),
      });
    }
    if (config.cluster.length > 0) {
      const { cluster, environment, consul } = config;
      blueprints.push({
        name: 'cluster',
        settingsHash: settingsHash({ cluster, environment, consul }),
        build: () => buildClusters(cluster, { ...this.#shared(), naming: { environment }, bridgeId }),
      });
    }
    // A section that a reload took away has left its instances registered: they are removed for as long as this runs.
    if (config.register !== undefined) this.#registers = true;
    if (this.#registers) {
      const { register = { instances: [], discoveries: [] }, environment, consul } = config;
      blueprints.push({
        name: 'registrar',
        settingsHash: settingsHash({ register, environment, consul }),
        build: () => buildRegistrar(register, { ...this.#shared(), naming: { environment } }),
      });
    }
    if (config.templates.length > 0) {
      const { templates: specs, environment, consul } = config;
      blueprints.push({
        name: 'renderer',
        settingsHash: settingsHash({ specs, environment, consul }),
        build: () => {
          const { watches: pushed, client } = this.#requireConsul();
          const rolling = { client, holder: hostname() };
          const prefix = recordPrefix({ environment });
          const watches = new DecidedWatches({ watches: pushed, decisions: this.#decisions, prefix });
          const onReport = (report: RunReport) => this.observe(report);
          const secrets = secretsOf(config);
          const onProgram = makeProgramLog(this.#options.log.child({ part: 'renderer' }));
          return new RendererPart({ specs, environment, watches, secrets, rolling, onReport, onProgram });
        },
      });
    }
    return blueprints;
  }

  #buildBridge(sentinel: SentinelConfig, environment: string | undefined): BridgePart {
    const { client, watches } = this.#requireConsul();
    const log = this.#options.log.child({ part: 'bridge' });
    return new BridgePart({
      client,
      watches,
      naming: { environment },
      bridgeId,
      sentinels: sentinel.addresses,
      ...(sentinel.service === undefined ? {} : { sentinelService: sentinel.service }),
      sentinelAccess: revealAccess(sentinel.access),
      redisAccess: revealAccess(sentinel.redis),
      matches: (name) => matchesAny(sentinel.masters, name),
      resyncMs: sentinel.resyncMs,
      roleDeadlineMs: sentinel.roleDeadlineMs,
      rebaseAfterMs: sentinel.rebaseAfterMs,
      follow: sentinel.follow,
      fence: sentinel.fence,
      onDecision: (record) => this.#decisions.announce(record),
      onReport: (report) => this.observe(report),
      onLink: ({ sentinel: address, up, error }) => {
        const fields = { sentinel: formatAddress(address), ...(error === undefined ? {} : { error }) };
        if (up && error === undefined) log.info(fields, 'sentinel connected');
        else log.warn(fields, up ? 'sentinel not read' : 'sentinel lost');
      },
    });
  }

  #buildProvisioner(sentinel: SentinelConfig, environment: string | undefined): ProvisioningPart {
    return new ProvisioningPart({
      ...this.#shared(),
      naming: { environment },
      sentinels: () => {
        const bridge = this.#assembly.parts.find((part) => part instanceof BridgePart);
        const byId = new Map((bridge?.sentinels ?? []).map(({ id, address }) => [id, address]));
        return [...byId.values()];
      },
      sentinelAccess: revealAccess(sentinel.access),
      redisAccess: revealAccess(sentinel.redis),
      matches: (name) => matchesAny(sentinel.masters, name),
      resyncMs: sentinel.resyncMs,
    });
  }

  #shared() {
    const { client, watches } = this.#requireConsul();
    return { client, watches, onReport: (report: RunReport) => this.observe(report) };
  }

  #requireConsul(): ConsulPart {
    if (this.#consul === undefined) throw new SwitchmasterError('internal', 'the connection to Consul was not built');
    return this.#consul;
  }

  #requireObservers(): Observers {
    if (this.#observers === undefined) throw new SwitchmasterError('internal', 'the daemon was not started');
    return this.#observers;
  }

  #views(): Views {
    const { journal, metrics, lastOutcomes } = this.#requireObservers();
    const masterControls = this.#operator;
    return unionViews({ assembly: this.#assembly, masterControls, outcomes: lastOutcomes, journal, metrics });
  }

  #measure(): MetricsView {
    const { lastOutcomes } = this.#requireObservers();
    const api = this.#assembly.parts.find((part) => part instanceof ApiPart);
    const watches = this.#consul?.watches.size ?? 0;
    return readMeasures({ views: this.#views(), lastOutcomes, watches, eventStreams: api?.eventStreams ?? 0 });
  }

  /** What every loop reports to. */
  observe(report: RunReport): void {
    this.#observers?.observe(redactReport(report, this.#redactor));
  }
}
