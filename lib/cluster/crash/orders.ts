import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../../client/consul.ts';
import { readInfo } from '../../client/instance-shapes.ts';
import { acquireLease } from '../../consul/lock.ts';
import type { CatalogWatches } from '../../consul/watches.ts';
import { CrashCases } from '../../crash/cases.ts';
import { findWays, isThisHost, presentWays, type Way } from '../../crash/connect-attempt.ts';
import { CrashEvidence } from '../../crash/evidence.ts';
import type { UnorderedCrash } from '../../http/views.ts';
import { type Address, type Endpoint, formatAddress, isLoopback, sameAddress } from '../../model/address.ts';
import { ageOf } from '../../model/age.ts';
import type { ClusterRecord } from '../../model/cluster.ts';
import { clusterCrashPrefix, clusterSteeringKey, type Naming } from '../../model/naming.ts';
import type { ClusterSource } from '../observe.ts';
import { type ClosedAt, findClosedMaster, mastersOf } from './closed-plan.ts';
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
  readonly #cases: CrashCases<ClosedAt, Address>;
  readonly #ways = new Map<string, Promise<readonly Way[]>>();
  readonly #runIds = new Map<string, string>();
  readonly #nodeTimeoutsMs = new Map<string, number>();
  /** Since when the record has named each master with slots. */
  readonly #since = new Map<string, number>();
  #isFirstRecord = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ClusterCrashOrdersOptions) {
    const { client, watches, naming, bridgeId, cluster } = options;
    this.#options = options;
    const prefix = clusterCrashPrefix(naming, cluster);
    this.#evidence = new CrashEvidence({ client, watches, prefix, bridgeId, masters: ['*'] });
    this.#cases = this.#makeCases();
  }

  start(): void {
    this.#cases.start();
    this.#timer = setInterval(() => this.#prepare(), tickMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#cases.stop();
  }

  /** Learns which process is there, and how long the cluster waits. Does not wait. */
  connected(address: Address): void {
    this.#cases.connected(formatAddress(address));
    void this.#ask(address).catch(() => undefined);
  }

  /** The node at `address` closed the bridge's connection. Does not wait. */
  connectionClosed(address: Address): void {
    const { record, source } = this.#options;
    this.#cases.close(formatAddress(address), () => {
      const listed = findClosedMaster(address, { record: record(), views: source.views });
      return listed === undefined ? undefined : { askedAt: address, listed, closedMs: performance.now() };
    });
  }

  /** Judges the masters again whose crash came within maintenance. Does not wait. */
  maintenanceEnded(): void {
    for (const key of this.#cases.keys) this.#cases.judgeAgain(key);
  }

  get unordered(): readonly UnorderedCrash[] {
    return this.#cases.keys.flatMap((key) => this.#cases.unordered(key) ?? []);
  }

  /** The follower has read the record. */
  observeRecord(record: ClusterRecord | undefined): void {
    if (record === undefined) return;
    const masters = mastersOf(record).map(formatAddress);
    const ageMs = this.#isFirstRecord ? ageOf(record.changedAt) : 0;
    this.#isFirstRecord = false;
    for (const known of this.#since.keys()) if (!masters.includes(known)) this.#since.delete(known);
    for (const master of masters) if (!this.#since.has(master)) this.#since.set(master, performance.now() - ageMs);
    this.#cases.forgetOutdated();
  }

  #makeCases(): CrashCases<ClosedAt, Address> {
    const { bridgeId, crashAfterMs, client, naming, cluster, whyNot } = this.#options;
    const semaphore = { client, key: clusterSteeringKey(naming, cluster), limit: 1, holder: bridgeId };
    return new CrashCases({
      evidence: this.#evidence,
      steering: { enter: (_, signal) => acquireLease(semaphore, signal) },
      bridgeId,
      crashAfterMs,
      toSubject: (closed) => this.#toSubject(closed),
      masterOf: ({ listed }) => listed.master,
      nameOf: ({ listed }) => formatAddress(listed.master),
      masters: () => mastersOf(this.#options.record()).length,
      isCurrent: ({ listed }) => this.#isMaster(listed.master),
      whyNot,
      onClosedAgain: ({ askedAt }) => this.connectionClosed(askedAt),
    });
  }

  async #toSubject({ askedAt, listed, closedMs }: ClosedAt): Promise<ClusterCrash> {
    const ways = await this.#waysTo(askedAt);
    const runId = this.#runIds.get(formatAddress(askedAt));
    const closed = { ...listed, cluster: this.#options.cluster, askedAt, ways, runId, closedMs };
    return new ClusterCrash(closed, this.#subjectParts());
  }

  #isMaster(master: Address): boolean {
    return mastersOf(this.#options.record()).some((one) => sameAddress(one, master));
  }

  #subjectParts() {
    const { settledAfterMs } = this.#options;
    const nodeTimeoutMs = () => Math.max(...this.#nodeTimeoutsMs.values());
    const usualMs = () => 4 * (this.#nodeTimeoutsMs.size === 0 ? usualNodeTimeoutMs : nodeTimeoutMs());
    return {
      ...this.#options,
      isMaster: (master: Address) => this.#isMaster(master),
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

/** Whether the daemon registers the process at `master`, by that address or over this host's loopback interface. */
function isBeside(local: Endpoint, master: Address): boolean {
  if (typeof local === 'string') return false;
  return (
    sameAddress(local, master) || (isLoopback(local.host) && local.port === master.port && isThisHost(master.host))
  );
}
