import { performance } from 'node:perf_hooks';
import type { RedisPool } from '../../client/redis-pool.ts';
import { type ReplicationState, readReplication } from '../../client/replication-shapes.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { Lag } from '../../model/lag.ts';
import type { MasterRecord } from '../../model/record.ts';
import { ticks } from '../../ticks.ts';

/** Keeps the samples of one master: see lib/bridge/plan/lag.ts. */
interface LagKeeper {
  add(sample: { readonly atMs: number; readonly master: number; readonly replicas: ReadonlyMap<string, number> }): void;
  lag(address: string, nowMs: number): Lag | undefined;
}

export interface LagSourceOptions {
  readonly redis: Pick<RedisPool, 'command'>;
  readonly records: () => Iterable<MasterRecord>;
  readonly makeKeeper: () => LagKeeper;
  /** A replica of this master began or ceased to replicate from it, which no Sentinel reports, or it is no master any more. */
  readonly onChange?: (name: string) => void;
}

type MasterState = Extract<ReplicationState, { role: 'master' }>;

interface Found {
  readonly address: string;
  readonly offset: number | 'unlinked' | 'unanswered';
}

interface Measured {
  readonly master: string;
  readonly keeper: LagKeeper;
  state: 'idle' | 'asking';
  /** By its last answer. */
  role: ReplicationState['role'] | undefined;
  /** Whether each replica replicated at its last answer. */
  readonly linked: Map<string, boolean>;
  askedMs: number;
  wantedMs: number;
  /** Which ticks measure it while nobody wants its lag. */
  readonly phase: number;
}

/**
 * A master whose lag nobody wants is measured at each fifth tick, or after this time if ticks are late. Each tick has its share of the
 * masters: the questions about a thousand at once would hold up the event loop.
 */
const idleTicks = 5;
const mostIdleMs = 4_500;
/** How long a request for it counts. */
const wantedForMs = 60_000;
const askTimeoutMs = 500;

/**
 * Measures replication offsets of each master, and of its replicas that have not acknowledged everything, by ROLE over the open
 * connections: every second while somebody wants the lag, otherwise every five seconds. Callers never wait for a
 * measurement.
 */
export class LagSource {
  readonly #options: LagSourceOptions;
  readonly #measured = new Map<string, Measured>();
  #stopTicks: () => void = () => undefined;
  #ticks = 0;
  #phases = 0;

  constructor(options: LagSourceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#stopTicks = ticks.every(1, () => this.#tick());
  }

  close(): void {
    this.#stopTicks();
  }

  /** The last known lag. `measure` makes the source measure it every second for the next minute. */
  lag(name: string, replica: Address, interest: 'measure' | 'cached'): Lag | undefined {
    const measured = this.#measured.get(name);
    if (measured === undefined) return undefined;
    const nowMs = performance.now();
    if (interest === 'measure') measured.wantedMs = nowMs;
    return measured.keeper.lag(formatAddress(replica), nowMs);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#ticks += 1;
    const records = [...this.#options.records()];
    const names = new Set(records.map(({ name }) => name));
    for (const name of this.#measured.keys()) if (!names.has(name)) this.#measured.delete(name);
    for (const record of records) {
      const measured = this.#adopt(record);
      if (this.#isDue(measured, nowMs)) void this.#ask(record, measured);
    }
  }

  #isDue({ state, wantedMs, askedMs, phase }: Measured, nowMs: number): boolean {
    if (state === 'asking') return false;
    const isItsTurn = (this.#ticks + phase) % idleTicks === 0;
    return isItsTurn || nowMs - wantedMs < wantedForMs || nowMs - askedMs >= mostIdleMs;
  }

  /** The offsets of different masters cannot be compared. */
  #adopt({ name, master }: MasterRecord): Measured {
    const address = formatAddress(master);
    const known = this.#measured.get(name);
    if (known?.master === address) return known;
    const never = Number.NEGATIVE_INFINITY;
    const wantedMs = known?.wantedMs ?? never;
    const fresh: Measured = {
      master: address,
      keeper: this.#options.makeKeeper(),
      state: 'idle',
      role: undefined,
      linked: new Map(),
      askedMs: never,
      wantedMs,
      phase: known?.phase ?? this.#phases++ % idleTicks,
    };
    this.#measured.set(name, fresh);
    return fresh;
  }

  async #ask({ name, master, replicas }: MasterRecord, measured: Measured): Promise<void> {
    const atMs = performance.now();
    measured.state = 'asking';
    measured.askedMs = atMs;
    const own = await this.#role(master);
    const found = own?.role === 'master' ? await Promise.all(replicas.map((one) => this.#replica(one, own))) : [];
    measured.state = 'idle';
    if (own === undefined) return;
    const before = measured.role;
    measured.role = own.role;
    if (own.role !== 'master') {
      if (before === 'master') this.#options.onChange?.(name);
      return;
    }
    const offsets = found.flatMap(({ address, offset }): [string, number][] =>
      typeof offset === 'number' ? [[address, offset]] : [],
    );
    measured.keeper.add({ atMs, master: own.offset, replicas: new Map(offsets) });
    if (this.#note(measured, found)) this.#options.onChange?.(name);
  }

  /**
   * A replica that has acknowledged everything needs no question. An acknowledgement is up to a second old, so under writes
   * the replica itself is asked.
   */
  async #replica(replica: Address, master: MasterState): Promise<Found> {
    const address = formatAddress(replica);
    if (master.acknowledged.has(address)) return { address, offset: master.offset };
    const answer = await this.#role(replica);
    if (answer === undefined) return { address, offset: 'unanswered' };
    // While the link is down or a full synchronization runs, the offset cannot be compared.
    const comparable = answer.role === 'replica' && answer.link === 'connected';
    return { address, offset: comparable ? answer.offset : 'unlinked' };
  }

  /** Whether a replica has begun or ceased to replicate since its last answer. */
  #note({ linked }: Measured, found: readonly Found[]): boolean {
    let changed = false;
    for (const { address, offset } of found) {
      if (offset === 'unanswered') continue;
      const before = linked.get(address);
      linked.set(address, offset !== 'unlinked');
      if (before !== undefined && before !== linked.get(address)) changed = true;
    }
    return changed;
  }

  async #role(address: Address) {
    try {
      const [reply] = await this.#options.redis.command(address, [['ROLE']], { timeoutMs: askTimeoutMs });
      return readReplication(reply, `ROLE at ${formatAddress(address)}`);
    } catch {
      // A server that does not answer has no known lag. The bridge reports why it does not answer.
      return undefined;
    }
  }
}
