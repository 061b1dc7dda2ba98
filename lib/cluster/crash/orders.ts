import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../../client/consul.ts';
import { readInfo } from '../../client/instance-shapes.ts';
import { acquireLease } from '../../consul/lock.ts';
import type { CatalogWatches } from '../../consul/watches.ts';
import { CrashCase, type Judgement } from '../../crash/case.ts';
import { findWays, isThisHost, presentWays, type Way } from '../../crash/connect-attempt.ts';
import { CrashEvidence } from '../../crash/evidence.ts';
import { SwitchmasterError } from '../../errors.ts';
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

interface Opened {
  readonly ended: Promise<void>;
  /** What happened since that needs another case. */
  readonly again: Set<'closed' | 'maintenance-ended'>;
  /** Whether a process has accepted a connection since the last one was closed. */
  isConnected: boolean;
}

/** The end of the last case of a master whose process was gone. */
interface Judged extends ClosedAt {
  /** Why no failover was ordered; undefined where this daemon ordered one, others act, or a process is there again. */
  readonly why: string | undefined;
  /** ISO 8601. */
  readonly at: string;
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
  readonly #judged = new Map<string, Judged>();
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
    const key = formatAddress(address);
    this.#judged.delete(key);
    const running = this.#cases.get(key);
    if (running !== undefined) running.isConnected = true;
    void this.#ask(address).catch(() => undefined);
  }

  /** The node at `address` closed the bridge's connection. Does not wait. */
  connectionClosed(address: Address): void {
    const key = formatAddress(address);
    const running = this.#cases.get(key);
    if (running !== undefined) {
      running.again.add('closed');
      running.isConnected = false;
    }
    if (running !== undefined || this.#abort.signal.aborted) return;
    const { record, source } = this.#options;
    const listed = findClosedMaster(address, { record: record(), views: source.views });
    if (listed !== undefined) this.#open({ askedAt: address, listed, closedMs: performance.now() });
  }

  /** Judges the masters again whose crash came within maintenance. Does not wait. */
  maintenanceEnded(): void {
    for (const { again } of this.#cases.values()) again.add('maintenance-ended');
    for (const key of [...this.#judged.keys()]) if (!this.#cases.has(key)) this.#judgeAgain(key);
  }

  get unordered(): readonly UnorderedCrash[] {
    return [...this.#judged.values()].flatMap(({ listed: { master: address }, why, at }) =>
      why === undefined ? [] : { address, why, at },
    );
  }

  /** The follower has read the record. */
  observeRecord(record: ClusterRecord | undefined): void {
    if (record === undefined) return;
    const masters = mastersOf(record).map(formatAddress);
    const ageMs = this.#isFirstRecord ? ageOf(record.changedAt) : 0;
    this.#isFirstRecord = false;
    for (const known of this.#since.keys()) if (!masters.includes(known)) this.#since.delete(known);
    for (const master of masters) if (!this.#since.has(master)) this.#since.set(master, performance.now() - ageMs);
    for (const [key, { listed }] of this.#judged)
      if (!masters.includes(formatAddress(listed.master))) this.#judged.delete(key);
  }

  #judgeAgain(key: string): void {
    const judged = this.#judged.get(key);
    if (judged !== undefined && !this.#abort.signal.aborted) this.#open(judged);
  }

  /** A case at work does not see what happens meanwhile, so another one follows it. */
  #open(closed: ClosedAt): void {
    const key = formatAddress(closed.askedAt);
    const again: Opened['again'] = new Set();
    const ended = this.#pursue(closed).then((end) => {
      this.#cases.delete(key);
      if (again.has('closed') && end !== 'judged') this.connectionClosed(closed.askedAt);
      else if (again.has('maintenance-ended')) this.#judgeAgain(key);
    });
    this.#cases.set(key, { again, ended, isConnected: false });
  }

  async #pursue(closed: ClosedAt): Promise<Judgement> {
    const { onReport, cluster } = this.#options;
    const { master } = closed.listed;
    let why: string | undefined;
    const report = (end: ClusterCrashReport) => {
      // A process that came back without its keys is there.
      why = end.sign === 'refused' ? end.why : undefined;
      onReport(end);
    };
    const end = await this.#judge(closed, report).catch((thrown: unknown): Judgement => {
      const { message } = SwitchmasterError.from(thrown);
      const failed = { cluster, master, sign: 'refused', replica: undefined, why: message, details: {} } as const;
      if (!this.#abort.signal.aborted) report(failed);
      return 'judged';
    });
    const key = formatAddress(closed.askedAt);
    const isShown = this.#cases.get(key)?.isConnected !== true;
    if (end === 'judged')
      this.#judged.set(key, { ...closed, why: isShown ? why : undefined, at: new Date().toISOString() });
    if (end === 'not-crashed') this.#judged.delete(key);
    return end;
  }

  async #judge({ askedAt, listed, closedMs }: ClosedAt, onReport: (report: ClusterCrashReport) => void) {
    const { bridgeId, crashAfterMs, client, naming, cluster } = this.#options;
    const semaphore = { client, key: clusterSteeringKey(naming, cluster), limit: 1, holder: bridgeId };
    const steering = { enter: (_: string, signal: AbortSignal) => acquireLease(semaphore, signal) };
    const ways = await this.#waysTo(askedAt);
    const runId = this.#runIds.get(formatAddress(askedAt));
    const closed = { ...listed, cluster, askedAt, ways, runId, closedMs };
    const subject = new ClusterCrash(closed, { ...this.#subjectParts(), onReport });
    const parts = { evidence: this.#evidence, steering, bridgeId, crashAfterMs };
    return new CrashCase(subject, parts).pursue(this.#abort.signal);
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

/** Whether the daemon registers the process at `master`, by that address or over this host's loopback interface. */
function isBeside(local: Endpoint, master: Address): boolean {
  if (typeof local === 'string') return false;
  return (
    sameAddress(local, master) || (isLoopback(local.host) && local.port === master.port && isThisHost(master.host))
  );
}
