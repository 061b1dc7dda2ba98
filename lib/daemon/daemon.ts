import { hostname } from 'node:os';
import { BridgePart } from '../bridge/part.ts';
import { ClusterPart } from '../cluster/part.ts';
import type { Config } from '../config/model.ts';
import { Decisions } from '../consul/decisions.ts';
import { ConsulPart } from '../consul/part.ts';
import { EndpointPart } from '../endpoint/part.ts';
import { SwitchmasterError } from '../errors.ts';
import type { Views } from '../http/views.ts';
import type { RunReport } from '../loop/outcome.ts';
import { redactReport } from '../loop/redacted-outcome.ts';
import { MaintenanceMemory } from '../maintenance/memory.ts';
import { MaintenancePart } from '../maintenance/part.ts';
import type { Health } from '../model/health.ts';
import { Redactor } from '../model/redaction.ts';
import type { ReloadCause } from '../part.ts';
import { ProvisioningPart } from '../provisioner/part.ts';
import { RegistrarPart } from '../registrar/part.ts';
import type { Log } from '../telemetry/log.ts';
import type { MetricsView } from '../telemetry/metrics.ts';
import { ApiPart } from './api.ts';
import { Assembly } from './assembly.ts';
import { draftParts } from './blueprints.ts';
import { Conditions } from './conditions.ts';
import { reportConfig } from './config-report.ts';
import type { ConsulChange } from './consul-condition.ts';
import { logConsulChange, reportConsulChange } from './consul-report.ts';
import { Handovers } from './handovers.ts';
import { readMeasures } from './measures.ts';
import { type Observers, openObservers } from './observers.ts';
import { Operator } from './operator.ts';
import type { PartContext } from './part-context.ts';
import { keepPidFile, removePidFile } from './pid-file.ts';
import { secretsOf } from './secrets.ts';
import { settingsHash } from './settings-hash.ts';
import { unionViews } from './views.ts';

export interface DaemonOptions {
  readonly config: Config;
  readonly log: Log;
  /** How many log lines were lost since the start. Default: none. */
  readonly logLinesLost?: () => number;
  readonly version: string;
}

/** The name that signs records. */
const bridgeId = `${hostname()}/${process.pid}`;

/** How long the parts may finish what is in flight, all together. */
const graceMs = 10_000;

/**
 * The composition root. It builds the parts that a config asks for, starts them in the order in which they need each
 * other, and stops them in reverse. A server or a part that fails never makes it throw.
 */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #assembly: Assembly;
  readonly #decisions = new Decisions();
  readonly #maintenance = new MaintenanceMemory();
  readonly #handovers = new Handovers();
  readonly #operator = new Operator({
    bridge: () => this.#assembly.find(BridgePart),
    clusters: () => this.#assembly.find(ClusterPart),
    maintenance: () => this.#requireMaintenance(),
    onReport: (report) => this.#observe(report),
    onStep: (report) => this.#observers?.observeStep(redactReport(report, this.#redactor)),
  });
  /** Removes the config's secrets from what servers and programs report. */
  readonly #redactor = new Redactor();
  readonly #conditions = new Conditions({ onConsulChange: (change) => this.#reportConsul(change) });
  #observers: Observers | undefined;
  #config: Config;
  #hasRegistered = false;
  #reloading: Promise<void> = Promise.resolve();
  #isStopping = false;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#assembly = new Assembly(options.log);
  }

  async start(): Promise<void> {
    const { log, version } = this.#options;
    log.info({ version, node: process.version, pid: process.pid }, 'starting');
    await keepPidFile(this.#config.pidFile, this.#options.log);
    this.#observers = await openObservers({
      journal: this.#config.journal,
      conditions: this.#conditions,
      log,
      version,
      view: () => this.#measure(),
    });
    await this.#become(this.#config);
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  /** Rebuilds only the parts whose settings changed. One call at a time. Does nothing after a call of `stop`. */
  async reload(config: Config, cause: ReloadCause = 'order'): Promise<void> {
    if (this.#isStopping) return;
    this.#reloading = this.#takeConfig(config, cause);
    await this.#reloading;
  }

  /** Reports a config on disk that cannot be used. The running one stays. */
  refuse(error: SwitchmasterError): void {
    this.#conditions.configRefused(error);
    this.#options.log.error({ error }, 'config refused; the running one stays');
  }

  /** Waits for the reload under way first: a part that it replaces has left its registrations to its successor. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#options.log.info('stopping');
    await this.#reloading.catch(() => undefined);
    await this.#assembly.stop({ graceMs });
    await this.#observers?.close();
    if (this.#config.pidFile !== undefined) await removePidFile(this.#config.pidFile);
    this.#options.log.info('stopped');
  }

  /** Whether all is well, and why not. Call it after `start`. */
  health(): Health {
    return this.#views().health.read();
  }

  /** Writes the state of every part to the log. */
  logState(): void {
    const parts = this.#assembly.parts.map((part) => ({ part: part.name, ready: part.ready(), state: part.state?.() }));
    this.#options.log.info({ version: this.#options.version, parts }, 'state');
  }

  /** Passes a signal on to supervised programs. */
  forward(signal: NodeJS.Signals): void {
    for (const part of this.#assembly.parts) part.forward?.(signal);
  }

  async #takeConfig(config: Config, cause: ReloadCause): Promise<void> {
    if (settingsHash(config.journal) !== settingsHash(this.#config.journal)) {
      this.#options.log.warn('the journal keeps its settings until a restart');
    }
    const { pidFile } = this.#config;
    this.#config = config;
    if (config.pidFile !== pidFile) {
      if (pidFile !== undefined) await removePidFile(pidFile);
      await keepPidFile(config.pidFile, this.#options.log);
    }
    this.#conditions.configTaken();
    this.#options.log.level = config.log.level;
    await this.#become(config, cause);
    this.#options.log.info('config reloaded');
  }

  async #become(config: Config, cause: ReloadCause = 'order'): Promise<void> {
    this.#redactor.learn(secretsOf(config));
    this.#hasRegistered ||= config.register !== undefined;
    await this.#assembly.become(draftParts(config, this.#context()), { graceMs, cause });
    await this.#handovers.closeLeft();
    reportConfig(config, this.#options.log);
  }

  #context(): PartContext {
    const { version, log } = this.#options;
    return {
      version,
      log,
      bridgeId,
      conditions: this.#conditions,
      decisions: this.#decisions,
      handovers: this.#handovers,
      maintenanceMemory: this.#maintenance,
      maintenance: () => this.#requireMaintenance(),
      views: () => this.#views(),
      consul: () => this.#requireConsul(),
      bridge: () => this.#assembly.find(BridgePart),
      registrar: () => this.#assembly.find(RegistrarPart),
      provisioner: () => this.#assembly.find(ProvisioningPart),
      endpoint: () => this.#assembly.find(EndpointPart),
      onReport: (report) => this.#observe(report),
      consulToken: () => this.#config.consul.token,
      config: () => this.#config,
      secrets: () => secretsOf(this.#config),
      hasRegistered: () => this.#hasRegistered,
    };
  }

  #requireConsul(): ConsulPart {
    const consul = this.#assembly.find(ConsulPart);
    if (consul === undefined) throw new SwitchmasterError('internal', 'the connection to Consul is not built yet');
    return consul;
  }

  #requireMaintenance(): MaintenancePart {
    const maintenance = this.#assembly.find(MaintenancePart);
    if (maintenance === undefined)
      throw new SwitchmasterError('not-found', 'This node runs no bridge, and orders nothing about Redis Clusters.');
    return maintenance;
  }

  #requireObservers(): Observers {
    if (this.#observers === undefined) throw new SwitchmasterError('internal', 'the daemon is not started yet');
    return this.#observers;
  }

  #views(): Views {
    const { journal, metrics, lastOutcomes } = this.#requireObservers();
    const { masters: masterControls, clusters: clusterControls, maintenance: maintenanceControls } = this.#operator;
    return unionViews({
      assembly: this.#assembly,
      conditions: this.#conditions,
      masterControls,
      clusterControls,
      maintenanceControls,
      outcomes: lastOutcomes,
      journal,
      metrics,
    });
  }

  #measure(): MetricsView {
    const { lastOutcomes } = this.#requireObservers();
    const { consul, consulCondition, config } = this.#conditions;
    return readMeasures({
      ...{ views: this.#views(), lastOutcomes },
      watches: this.#assembly.find(ConsulPart)?.watches.size ?? 0,
      eventStreams: this.#assembly.find(ApiPart)?.eventStreams ?? 0,
      logLinesLost: this.#options.logLinesLost?.() ?? 0,
      consul: { reached: consul.kind === 'reached', outageMs: consulCondition.outageMs },
      configCurrent: config.kind === 'current',
    });
  }

  #reportConsul(change: ConsulChange): void {
    logConsulChange(change, this.#options.log.child({ part: 'consul' }));
    this.#observers?.journal.observe(redactReport(reportConsulChange(change), this.#redactor));
  }

  /** Takes the report of each run of each loop. */
  #observe(report: RunReport): void {
    this.#observers?.observe(redactReport(report, this.#redactor));
  }
}
