import { CrashCase, type CrashCaseParts, type Judgement } from '../../crash/case.ts';
import { findWays, presentWays, type Way } from '../../crash/connect-attempt.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { UnorderedCrash } from '../../http/views.ts';
import { type Address, type Endpoint, sameAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { MasterMemory } from '../memory.ts';
import type { LagSource } from '../observe/lag.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import type { ClosedMaster } from './closed-master.ts';
import type { CrashReport } from './crash-report.ts';
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

interface Opened {
  readonly ended: Promise<void>;
  readonly master: Address;
  /** What happened since that needs another case, and when, in milliseconds of `performance.now()`. */
  readonly again: Map<'closed' | 'election-failed' | 'maintenance-ended', number>;
  /** Whether a process has accepted a connection since the last one was closed. */
  isConnected: boolean;
}

/** The end of the last case of a master whose process was gone. */
interface Judged extends ClosedMaster {
  /** Why no failover was ordered; undefined where this bridge ordered one, others act, or a process is there again. */
  readonly why: string | undefined;
  /** ISO 8601. */
  readonly at: string;
}

const tickMs = 1_000;

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
  readonly #cases = new Map<string, Opened>();
  /** Masters whose process was gone at the end of the last case. */
  readonly #judged = new Map<string, Judged>();
  readonly #ways = new Map<string, { readonly master: Address; readonly ways: Promise<readonly Way[]> }>();
  readonly #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CrashOrdersOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.evidence.start();
    this.#timer = setInterval(() => this.#prepare(), tickMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#abort.abort();
    await Promise.all([...this.#cases.values()].map(({ ended }) => ended));
    await this.#options.evidence.stop();
  }

  /** The server at `address` accepts connections. */
  connected(address: Address, names: readonly string[]): void {
    for (const name of names) {
      const judged = this.#judged.get(name);
      if (judged !== undefined && sameAddress(judged.record.master, address)) this.#judged.delete(name);
      const running = this.#cases.get(name);
      if (running !== undefined && sameAddress(running.master, address)) running.isConnected = true;
    }
  }

  /** The crash of a master whose failover this bridge has not ordered, as long as the record names it. */
  unordered(name: string): UnorderedCrash | null {
    const { why, at, record, memory } = this.#judged.get(name) ?? {};
    if (why === undefined || at === undefined || record === undefined) return null;
    const isNamed = memory?.record !== undefined && compareVersions(memory.record, record) === 0;
    return isNamed ? { address: record.master, why, at } : null;
  }

  /** The server at `address` closed the bridge's connection. Does not wait. */
  connectionClosed(address: Address, names: readonly string[]): void {
    for (const name of names) {
      const memory = this.#options.memory(name);
      const record = memory.record;
      if (this.#abort.signal.aborted || record === undefined || !sameAddress(record.master, address)) continue;
      const running = this.#cases.get(name);
      if (running === undefined) this.#open(record, this.#close(record, memory));
      else {
        running.again.set('closed', performance.now());
        running.isConnected = false;
      }
    }
  }

  /** A Sentinel did not get the votes for a failover of this master. Sentinels then wait for a long time. Does not wait. */
  electionFailed(name: string): void {
    const running = this.#cases.get(name);
    if (running !== undefined) running.again.set('election-failed', performance.now());
    else this.#judgeAgain(name, { electionFailedMs: performance.now() });
  }

  /** Judges a master again whose crash came within maintenance. Does not wait. */
  maintenanceEnded(name: string): void {
    const running = this.#cases.get(name);
    if (running !== undefined) running.again.set('maintenance-ended', performance.now());
    else this.#judgeAgain(name, {});
  }

  #judgeAgain(name: string, change: Partial<Pick<ClosedMaster, 'electionFailedMs'>>): void {
    const judged = this.#judged.get(name);
    if (judged === undefined || this.#abort.signal.aborted) return;
    const { record } = judged.memory;
    const isSame = record !== undefined && compareVersions(record, judged.record) === 0;
    if (isSame) this.#open(record, Promise.resolve({ ...judged, ...change }));
    else this.#judged.delete(name);
  }

  /** A case at work does not see what happens meanwhile, so another one follows it. */
  #open({ name, master }: MasterRecord, closed: Promise<ClosedMaster>): void {
    const again: Opened['again'] = new Map();
    const ended = this.#pursue(closed).then((end) => {
      this.#cases.delete(name);
      const electionFailedMs = again.get('election-failed');
      if (again.has('closed') && end !== 'judged') this.connectionClosed(master, [name]);
      else if (end === 'not-crashed') return;
      else if (electionFailedMs !== undefined) this.#judgeAgain(name, { electionFailedMs });
      else if (again.has('maintenance-ended')) this.#judgeAgain(name, {});
    });
    this.#cases.set(name, { again, ended, master, isConnected: false });
  }

  async #close(record: MasterRecord, memory: MasterMemory): Promise<ClosedMaster> {
    const { name, replicas } = record;
    const { lags } = this.#options;
    const views = distinctViews(memory.lastReadings?.readings ?? []);
    const measured = replicas.map((address) => {
      const behindMs = lags.lag(name, address, 'cached')?.behindMs ?? Number.POSITIVE_INFINITY;
      return { address, wasInStep: behindMs <= inStepMs };
    });
    return {
      name,
      record,
      memory,
      ways: await this.#waysTo(record),
      replicas: measured,
      runIds: views.flatMap(({ masterRunId }) => masterRunId ?? []),
      electionFailedMs: undefined,
    };
  }

  async #pursue(closing: Promise<ClosedMaster>): Promise<Judgement> {
    const closed = await closing;
    const { name, record } = closed;
    const { master } = record;
    let why: string | undefined;
    const report = (end: CrashReport) => {
      // A process that came back without its keys is there.
      why = end.sign === 'refused' ? end.why : undefined;
      this.#options.onReport(end);
    };
    const subject = new SentinelCrash(closed, { ...this.#options, onReport: report });
    const end = await new CrashCase(subject, this.#options)
      .pursue(this.#abort.signal)
      .catch((thrown: unknown): Judgement => {
        const { message } = SwitchmasterError.from(thrown);
        const failed = { name, master, sign: 'refused', sentinel: undefined, why: message, details: {} } as const;
        if (!this.#abort.signal.aborted) report(failed);
        return 'judged';
      });
    const isShown = this.#cases.get(name)?.isConnected !== true;
    if (end === 'judged')
      this.#judged.set(name, { ...closed, why: isShown ? why : undefined, at: new Date().toISOString() });
    if (end === 'not-crashed') this.#judged.delete(name);
    return end;
  }

  /** Finds out beforehand what cannot be found out after a crash. */
  #prepare(): void {
    const { records, localMasters, evidence } = this.#options;
    evidence.registerBeside(localMasters().map(({ name }) => name));
    for (const { name, master } of records()) {
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
