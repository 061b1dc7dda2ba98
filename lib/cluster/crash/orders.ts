import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../../client/consul.ts';
import { readInfo } from '../../client/instance-shapes.ts';
import { acquireLease } from '../../consul/lock.ts';
import type { CatalogWatches } from '../../consul/watches.ts';
import { CrashCase, type Judgement } from '../../crash/case.ts';
import { findWays, isThisHost, presentWays, type Way } from '../../crash/connect-attempt.ts';
import { CrashEvidence } from '../../crash/evidence.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, type Endpoint, formatAddress, isLoopback, sameAddress } from '../../model/address.ts';
import { ageOf } from '../../model/age.ts';
import type { ClusterRecord } from '../../model/cluster.ts';
import { clusterCrashPrefix, clusterSteeringKey, type Naming } from '../../model/naming.ts';
import type { ClusterSource } from '../observe.ts';
import { findClosedMaster, type ListedMaster } from './closed-plan.ts';
import { ClusterCrash, type ClusterCrashReport } from './subject.ts';

export interface ClusterCrashOrdersOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  readonly bridgeId: string;
  readonly cluster: string;
  readonly crashAfterMs: number;
  readonly source: ClusterSource;
  readonly record: () => ClusterRecord | undefined;
  /** The cluster nodes that this node's daemon registers. */
  readonly localNodes: () => readonly Endpoint[];
  /** The shortest time between two failovers of a shard. Default: four times the cluster-node-timeout of the nodes. */
  readonly settledAfterMs: number | undefined;
  readonly whyNot: () => string | undefined;
  readonly wake: () => void;
  readonly onReport: (report: ClusterCrashReport) => void;
}

interface Opened {
  readonly ended: Promise<void>;
  isClosedAgain: boolean;
}

const tickMs = 1_000;
const askTimeoutMs = 1_000;
/** Redis' own default. */
const usualNodeTimeoutMs = 15_000;

/**
 * Orders a replica to take over from a master whose process is proven to be gone, without waiting for cluster-node-timeout.
 * See docs/crash.md.
 */
export class ClusterCrashOrders {
  readonly #options: ClusterCrashOrdersOptions;
  readonly #evidence: CrashEvidence;
  readonly #cases = new Map<string, Opened>();
  readonly #ways = new Map<string, Promise<readonly Way[]>>();
  readonly #runIds = new Map<string, string>();
  readonly #nodeTimeoutsMs = new Map<string, number>();
  /** Since when the record has named each master with slots. */
  readonly #since = new Map<string, number>();
  #isFirstRecord = true;
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ClusterCrashOrdersOptions) {
    const { client, watches, naming, bridgeId, cluster } = options;
    this.#options = options;
    const prefix = clusterCrashPrefix(naming, cluster);
    this.#evidence = new CrashEvidence({ client, watches, prefix, bridgeId, masters: ['*'] });
  }

  start(): void {
    this.#evidence.start();
    this.#timer = setInterval(() => this.#prepare(), tickMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await Promise.all([...this.#cases.values()].map(({ ended }) => ended));
    await this.#evidence.stop();
  }

  /** Learns which process is there, and how long the cluster waits. Does not wait. */
  connected(address: Address): void {
    void this.#ask(address).catch(() => undefined);
  }

  /** The node at `address` closed the bridge's connection. Does not wait. */
  connectionClosed(address: Address): void {
    const key = formatAddress(address);
    const running = this.#cases.get(key);
    if (running !== undefined) running.isClosedAgain = true;
    if (running !== undefined || this.#abort.signal.aborted) return;
    const { record, source } = this.#options;
    const listed = findClosedMaster(address, { record: record(), views: source.views });
    if (listed !== undefined) this.#open(address, listed);
  }

  /** The follower has read the record. */
  observeRecord(record: ClusterRecord | undefined): void {
    if (record === undefined) return;
    const masters = mastersOf(record).map(formatAddress);
    const ageMs = this.#isFirstRecord ? ageOf(record.changedAt) : 0;
    this.#isFirstRecord = false;
    for (const known of this.#since.keys()) if (!masters.includes(known)) this.#since.delete(known);
    for (const master of masters) if (!this.#since.has(master)) this.#since.set(master, performance.now() - ageMs);
  }

  #open(address: Address, listed: ListedMaster): void {
    const opened: Opened = { isClosedAgain: false, ended: Promise.resolve() };
    const ended = this.#pursue(address, listed).then((end) => {
      this.#cases.delete(formatAddress(address));
      if (opened.isClosedAgain && end !== 'judged') this.connectionClosed(address);
    });
    this.#cases.set(formatAddress(address), Object.assign(opened, { ended }));
  }

  async #pursue(askedAt: Address, listed: ListedMaster): Promise<Judgement> {
    const { bridgeId, crashAfterMs, client, naming, cluster, onReport } = this.#options;
    const { master } = listed;
    const closedMs = performance.now();
    const steeringKey = clusterSteeringKey(naming, cluster);
    const semaphore = { client, key: steeringKey, limit: 1, holder: bridgeId };
    const steering = { enter: (_: string, signal: AbortSignal) => acquireLease(semaphore, signal) };
    try {
      const ways = await this.#waysTo(askedAt);
      const runId = this.#runIds.get(formatAddress(askedAt));
      const subject = new ClusterCrash({ ...listed, cluster, askedAt, ways, runId, closedMs }, this.#subjectParts());
      const parts = { evidence: this.#evidence, steering, bridgeId, crashAfterMs };
      return await new CrashCase(subject, parts).pursue(this.#abort.signal);
    } catch (thrown) {
      const why = SwitchmasterError.from(thrown).message;
      const report = { cluster, master, sign: 'refused', replica: undefined, why, details: {} } as const;
      if (!this.#abort.signal.aborted) onReport(report);
      return 'judged';
    }
  }

  #subjectParts() {
    const { record, settledAfterMs } = this.#options;
    const nodeTimeoutMs = () => Math.max(...this.#nodeTimeoutsMs.values());
    const usualMs = () => 4 * (this.#nodeTimeoutsMs.size === 0 ? usualNodeTimeoutMs : nodeTimeoutMs());
    return {
      ...this.#options,
      isMaster: (master: Address) => mastersOf(record()).some((one) => sameAddress(one, master)),
      masterForMs: (master: Address) =>
        performance.now() - (this.#since.get(formatAddress(master)) ?? performance.now()),
      failoverTimeMs: () => settledAfterMs ?? usualMs(),
    };
  }

  async #ask(address: Address): Promise<void> {
    const key = formatAddress(address);
    const commands = [
      ['INFO', 'server'],
      ['CONFIG', 'GET', 'cluster-node-timeout'],
    ] as const;
    const [info, timeout] = await this.#options.source.request(address, commands, { timeoutMs: askTimeoutMs });
    const runId = readInfo(info).get('run_id');
    if (runId !== undefined) this.#runIds.set(key, runId);
    const ms = Number(Array.isArray(timeout) ? timeout[1] : Number.NaN);
    if (ms > 0) this.#nodeTimeoutsMs.set(key, ms);
  }

  /** Finds out beforehand what cannot be found out after a crash. */
  #prepare(): void {
    const { source, localNodes, record } = this.#options;
    const locals = localNodes();
    const beside = mastersOf(record()).filter((master) => locals.some((local) => isBeside(local, master)));
    this.#evidence.registerBeside(beside.map(formatAddress));
    const addresses = source.addresses.map((address) => [formatAddress(address), address] as const);
    for (const [key, address] of addresses) if (!this.#ways.has(key)) this.#ways.set(key, findWays(address));
    const known = new Set(addresses.map(([key]) => key));
    for (const map of [this.#ways, this.#runIds, this.#nodeTimeoutsMs])
      for (const key of map.keys()) if (!known.has(key)) map.delete(key);
  }

  async #waysTo(master: Address): Promise<readonly Way[]> {
    const found = (await this.#ways.get(formatAddress(master))) ?? [{ to: master, from: undefined }];
    const locals = this.#options.localNodes().filter((local) => isBeside(local, master));
    const others = locals.filter((local) => typeof local === 'string' || !sameAddress(local, master));
    return [...presentWays(found), ...others.map((to): Way => ({ to, from: undefined }))];
  }
}

function mastersOf(record: ClusterRecord | undefined): readonly Address[] {
  return (record?.shards ?? []).flatMap(({ master, slots }) => (master === null || slots.length === 0 ? [] : master));
}

/** Whether the daemon registers the process at `master`, by that address or over this host's loopback interface. */
function isBeside(local: Endpoint, master: Address): boolean {
  if (typeof local === 'string') return false;
  return (
    sameAddress(local, master) || (isLoopback(local.host) && local.port === master.port && isThisHost(master.host))
  );
}
