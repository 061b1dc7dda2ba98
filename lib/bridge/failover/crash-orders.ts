import { SwitchmasterError } from '../../errors.ts';
import { type Address, type Endpoint, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { MasterMemory } from '../memory.ts';
import { findWays, presentWays, type Way } from '../observe/connect-attempt.ts';
import type { LagSource } from '../observe/lag.ts';
import { distinctViews } from '../observe/sentinel-reading.ts';
import { CrashCase, type CrashCaseParts } from './crash-case.ts';

/** A master whose process this node's daemon registers. */
export interface LocalMaster {
  readonly name: string;
  /** Where the registrar reaches it. */
  readonly endpoint: Endpoint;
}

export interface CrashOrdersOptions extends CrashCaseParts {
  readonly lags: LagSource;
  readonly memory: (name: string) => MasterMemory;
  /** The records of the masters that the bridge keeps. */
  readonly records: () => readonly MasterRecord[];
  readonly localMasters: () => readonly LocalMaster[];
}

interface Opened {
  readonly ended: Promise<void>;
  /** A connection was closed since. */
  again: 'closed' | undefined;
}

const tickMs = 1_000;

/** A replica is measured every five seconds at least, and is behind by one measurement where writes were on their way. */
const inStepMs = 12_000;

/**
 * Orders failovers of masters whose process is proven to be gone, without waiting for Sentinel's down-after-milliseconds.
 * See docs/crash.md.
 */
export class CrashOrders {
  readonly #options: CrashOrdersOptions;
  readonly #cases = new Map<string, Opened>();
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

  /** The server at `address` closed the bridge's connection. Does not wait. */
  connectionClosed(address: Address, names: readonly string[]): void {
    for (const name of names) {
      const memory = this.#options.memory(name);
      const record = memory.record;
      if (this.#abort.signal.aborted || record === undefined || !sameAddress(record.master, address)) continue;
      const running = this.#cases.get(name);
      if (running === undefined) this.#open(record, memory);
      else running.again = 'closed';
    }
  }

  /** A case at work does not see every further close, so another one follows it. */
  #open(record: MasterRecord, memory: MasterMemory): void {
    const { name, master } = record;
    const ended = this.#pursue(record, memory).then((end) => {
      const again = this.#cases.get(name)?.again;
      this.#cases.delete(name);
      if (again === 'closed' && end === 'not-crashed') this.connectionClosed(master, [name]);
    });
    this.#cases.set(name, { again: undefined, ended });
  }

  async #pursue(record: MasterRecord, memory: MasterMemory): Promise<'judged' | 'not-crashed'> {
    const { name, replicas } = record;
    const { lags } = this.#options;
    const views = distinctViews(memory.lastReadings?.readings ?? []);
    const measured = replicas.map((address) => {
      const behindMs = lags.lag(name, address, 'cached')?.behindMs ?? Number.POSITIVE_INFINITY;
      return { address, wasInStep: behindMs <= inStepMs };
    });
    const closed = {
      name,
      record,
      memory,
      ways: await this.#waysTo(record),
      replicas: measured,
      runIds: views.flatMap(({ masterRunId }) => masterRunId ?? []),
    };
    try {
      return await new CrashCase(closed, this.#options).pursue(this.#abort.signal);
    } catch (thrown) {
      if (this.#abort.signal.aborted) return 'judged';
      const why = SwitchmasterError.from(thrown).message;
      this.#options.onReport({ name, master: record.master, sign: 'refused', sentinel: undefined, why, details: {} });
      return 'judged';
    }
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
