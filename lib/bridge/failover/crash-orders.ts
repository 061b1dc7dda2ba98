import type { CrashCaseParts } from '../../crash/case-options.ts';
import { CrashCases } from '../../crash/cases.ts';
import { findWays, presentWays, type Way } from '../../crash/connect-attempt.ts';
import type { UnorderedCrash } from '../../http/views.ts';
import { type Address, type Endpoint, sameAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import { ticks } from '../../ticks.ts';
import type { MasterMemory } from '../memory.ts';
import type { LagSource } from '../observe/lag.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import type { ClosedMaster } from './closed-master.ts';
import { SentinelCrash, type SentinelCrashParts } from './crash-subject.ts';

/** A master whose process this node's daemon registers. */
export interface LocalMaster {
  readonly name: string;
  /** Where the registrar reaches it. */
  readonly endpoint: Endpoint;
}

export interface CrashOrdersOptions extends CrashCaseParts, SentinelCrashParts {
  readonly lags: LagSource;
  readonly memory: (name: string) => MasterMemory;
  /** The records of the masters that the bridge keeps. */
  readonly records: () => readonly MasterRecord[];
  readonly localMasters: () => readonly LocalMaster[];
}

/**
 * The bridge measures a replica every five seconds at least. It may be behind by one measurement if writes were on their
 * way.
 */
const inStepMs = 12_000;

/**
 * Orders failovers of masters whose process is proven to be gone, without waiting for Sentinel's down-after-milliseconds.
 * See docs/crash.md.
 */
export class CrashOrders {
  readonly #options: CrashOrdersOptions;
  readonly #cases: CrashCases<ClosedMaster, Address>;
  readonly #ways = new Map<string, { readonly master: Address; readonly ways: Promise<readonly Way[]> }>();
  #masters = 0;
  #stopTicks: () => void = () => undefined;

  constructor(options: CrashOrdersOptions) {
    this.#options = options;
    this.#cases = new CrashCases({
      ...options,
      toSubject: async (closed) => new SentinelCrash(closed, await this.#waysTo(closed.record), options),
      masterOf: ({ record }) => record.master,
      nameOf: ({ name }) => name,
      masters: () => this.#masters,
      isCurrent: ({ memory, record }) => memory.record !== undefined && compareVersions(memory.record, record) === 0,
      whyNot: ({ name }) => options.maintenance.whyNotOnCrash({ kind: 'master', name }),
      onClosedAgain: ({ name, record }) => this.connectionClosed(record.master, [name]),
    });
  }

  start(): void {
    this.#cases.start();
    this.#stopTicks = ticks.every(1, () => this.#prepare());
  }

  async stop(): Promise<void> {
    this.#stopTicks();
    await this.#cases.stop();
  }

  /** The server at `address` accepts connections. */
  connected(address: Address, names: readonly string[]): void {
    for (const name of names) this.#cases.connected(name, ({ record }) => sameAddress(record.master, address));
  }

  /** The crash of a master whose failover this bridge has not ordered, as long as the record names it. */
  unordered(name: string): UnorderedCrash | null {
    return this.#cases.unordered(name);
  }

  /** The server at `address` closed the bridge's connection. Does not wait. */
  connectionClosed(address: Address, names: readonly string[]): void {
    for (const name of names) {
      const memory = this.#options.memory(name);
      const { record } = memory;
      if (record !== undefined && sameAddress(record.master, address))
        this.#cases.close(name, () => this.#close(record, memory));
    }
  }

  /** A Sentinel did not get the votes for a failover of this master. Sentinels then wait for a long time. Does not wait. */
  electionFailed(name: string): void {
    this.#cases.judgeAgain(name, { electionFailedMs: performance.now() });
  }

  /** Judges a master again whose crash came within maintenance. Does not wait. */
  maintenanceEnded(name: string): void {
    this.#cases.judgeAgain(name);
  }

  #close(record: MasterRecord, memory: MasterMemory): ClosedMaster {
    const { name, replicas } = record;
    const { lags } = this.#options;
    const views = distinctViews(memory.lastReadings?.readings ?? []);
    const measured = replicas.map((address) => {
      const behindMs = lags.lag(name, address, 'cached')?.behindMs ?? Number.POSITIVE_INFINITY;
      return { address, wasInStep: behindMs <= inStepMs };
    });
    const runIds = views.flatMap(({ masterRunId }) => masterRunId ?? []);
    return { name, record, memory, replicas: measured, runIds, electionFailedMs: undefined };
  }

  /** Finds out beforehand what cannot be found out after a crash. */
  #prepare(): void {
    const { records, localMasters, evidence } = this.#options;
    evidence.registerBeside(localMasters().map(({ name }) => name));
    const kept = records();
    this.#masters = kept.length;
    for (const { name, master } of kept) {
      const known = this.#ways.get(name);
      if (known === undefined || !sameAddress(known.master, master))
        this.#ways.set(name, { master, ways: findWays(master) });
    }
  }

  async #waysTo({ name, master }: MasterRecord): Promise<readonly Way[]> {
    const known = this.#ways.get(name);
    const usual: readonly Way[] = [{ to: master, from: undefined }];
    const found = known !== undefined && sameAddress(known.master, master) ? await known.ways : usual;
    const local = this.#options.localMasters().filter((one) => one.name === name);
    const beside = local.filter(({ endpoint }) => typeof endpoint === 'string' || !sameAddress(endpoint, master));
    return [...presentWays(found), ...beside.map(({ endpoint }): Way => ({ to: endpoint, from: undefined }))];
  }
}
