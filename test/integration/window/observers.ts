import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { type MasterRecord, parseRecord } from '../../../lib/model/record.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { RespConnection, RespError } from '../../sandbox/resp.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';

/*
 * Independent observers of a round: the majority of the Sentinels, the record in Consul, and the writes that each node
 * accepts. All of them connect from 127.0.0.1, which no cut concerns.
 */

/** Reads repeatedly until it is closed. */
export abstract class Observer {
  readonly #done: Promise<void>;
  readonly #stopped = new AbortController();

  constructor(periodMs: number) {
    // The fields of the subclass are set in the next tick.
    this.#done = Promise.resolve().then(() => this.#run(periodMs));
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    this.release();
    await this.#done;
  }

  /** One reading. One that throws does not count. */
  protected abstract look(): Promise<void>;
  protected abstract release(): void;

  async #run(periodMs: number): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.look().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, periodMs));
    }
  }
}

/** A connection that is opened again after an error. */
export class Line {
  readonly address: Address;
  readonly #timeoutMs: number;
  #connection: RespConnection | undefined;

  constructor(address: Address, timeoutMs: number) {
    this.address = address;
    this.#timeoutMs = timeoutMs;
  }

  async command(...args: (string | number)[]) {
    this.#connection ??= await RespConnection.open(this.address, { timeoutMs: this.#timeoutMs });
    try {
      return await this.#connection.command(...args);
    } catch (error) {
      if (!(error instanceof RespError)) this.close();
      throw error;
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

/** What a Sentinel answers its clients (`SENTINEL GET-MASTER-ADDR-BY-NAME`). */
export class Voice extends Observer {
  /** `host:port`; undefined while it does not answer. */
  current: string | undefined;
  /** When its last answer was requested: it may have changed at any time since. */
  askedMs = Date.now();
  readonly #line: Line;
  readonly #name: string;
  readonly #onChange: () => void;

  constructor(sentinel: SentinelServer, { name, onChange }: { readonly name: string; readonly onChange: () => void }) {
    super(20);
    this.#line = new Line(sentinel.address, 300);
    this.#name = name;
    this.#onChange = onChange;
  }

  protected override async look(): Promise<void> {
    let heard: string | undefined;
    const askedMs = Date.now();
    try {
      const reply = await this.#line.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.#name);
      if (Array.isArray(reply)) heard = `${reply[0]}:${reply[1]}`;
    } finally {
      if (heard !== this.current) {
        this.current = heard;
        this.#onChange();
      }
      if (heard !== undefined) this.askedMs = askedMs;
    }
  }

  protected override release(): void {
    this.#line.close();
  }
}

export interface Named {
  /** When it was seen, and the earliest time at which it can have become true. Milliseconds since 1970. */
  readonly atMs: number;
  readonly earliestMs: number;
  readonly master: string;
}

/** The master that more than half of the Sentinels name, since when. The last one stays while there is no majority. */
export class Majority {
  readonly named: Named[] = [];
  readonly #voices: readonly Voice[];

  constructor(sentinels: readonly SentinelServer[], name: string) {
    this.#voices = sentinels.map((sentinel) => new Voice(sentinel, { name, onChange: () => this.#count() }));
  }

  /** The master that it named for certain at every moment from `fromMs` to `toMs`. */
  throughout(fromMs: number, toMs: number): string | undefined {
    const before = this.named.findLast(({ atMs }) => atMs <= fromMs);
    const isDoubtful = this.named.some(({ atMs, earliestMs }) => atMs > fromMs && earliestMs <= toMs);
    return isDoubtful ? undefined : before?.master;
  }

  /** The master that it named after the one at `atMs`; undefined if that is the last. */
  nextAfter(atMs: number): string | undefined {
    return this.named.find((named) => named.atMs > atMs)?.master;
  }

  async close(): Promise<void> {
    await Promise.all(this.#voices.map((voice) => voice.close()));
  }

  #count(): void {
    for (const { current } of this.#voices) {
      if (current === undefined || current === this.named.at(-1)?.master) continue;
      const votes = this.#voices.filter((voice) => voice.current === current).length;
      if (votes <= this.#voices.length / 2) continue;
      const earliestMs = Math.min(...this.#voices.map(({ askedMs }) => askedMs));
      this.named.push({ atMs: Date.now(), earliestMs, master: current });
    }
  }
}

/** Every record that Consul was seen to hold. Several changes between two readings count as one. */
export class RecordObserver extends Observer {
  readonly seen: {
    readonly record: MasterRecord;
    readonly index: number;
    readonly atMs: number;
    /** The record did not exist yet. */
    readonly earliestMs: number;
  }[] = [];
  #unchangedMs = 0;
  readonly #consul: ConsulAgent;
  readonly #path: string;

  constructor(consul: ConsulAgent, { name }: { readonly name: string }) {
    super(10);
    this.#consul = consul;
    this.#path = `/v1/kv/redis/record/${name}`;
  }

  protected override async look(): Promise<void> {
    const index = this.seen.at(-1)?.index ?? 0;
    const askedMs = Date.now();
    const query = index === 0 ? '' : `?index=${index}&wait=1s`;
    const [entry] = (await this.#consul.get<{ Value: string; ModifyIndex: number }[]>(this.#path + query)) ?? [];
    const earliestMs = this.#unchangedMs;
    this.#unchangedMs = askedMs;
    if (entry === undefined || entry.ModifyIndex === index) return;
    const record = parseRecord(Buffer.from(entry.Value, 'base64').toString('utf8'));
    if (record === undefined) return;
    this.seen.push({ record, index: entry.ModifyIndex, atMs: Date.now(), earliestMs });
  }

  protected override release(): void {}
}

/** Longer than any node takes that is neither paused nor stopped. */
const silentMs = 100;

type ProbeAnswer = { readonly askedMs: number; readonly atMs: number } & (
  | { readonly number: number }
  | { readonly no: string }
);

/**
 * Writes numbers to one node in any role, as long as the node accepts them. So it is known of every moment whether the node
 * accepted writes, and whether the last master has what the node held then.
 */
export class NodeProbe extends Observer {
  readonly address: string;
  /** In order of time. `no`: it was refused, or the connection broke. */
  readonly answers: ProbeAnswer[] = [];
  readonly key: string;
  readonly #line: Line;
  #number = 0;

  constructor(address: Address) {
    super(6);
    this.address = formatAddress(address);
    this.key = `probe-${this.address}`;
    // Longer than any pause of writes: a paused write was not refused.
    this.#line = new Line(address, 8_000);
  }

  /**
   * Whether what it accepted between `fromMs` and `toMs` is in `kept`, the numbers that the last master has: the answers
   * before and after are in it, and it refused none of those between them.
   */
  keptAt(fromMs: number, toMs: number, kept: ReadonlySet<number>): boolean {
    const before = this.answers.findLastIndex((answer) => answer.atMs < fromMs);
    const after = this.answers.findIndex((answer) => answer.askedMs > toMs);
    if (before === -1 || after === -1) return false;
    return this.answers.slice(before, after + 1).every((answer) => 'number' in answer && kept.has(answer.number));
  }

  /**
   * Whether it gave no answer at `atMs`, as a node does whose writes are paused, and what it accepted before is in `kept`.
   */
  keptWhileSilentAt(atMs: number, kept: ReadonlySet<number>): boolean {
    const silence = this.answers.findIndex((answer) => answer.askedMs <= atMs && answer.atMs > atMs + silentMs);
    const before = this.answers[silence - 1];
    return silence !== -1 && before !== undefined && 'number' in before && kept.has(before.number);
  }

  protected override async look(): Promise<void> {
    this.#number += 1;
    const number = this.#number;
    const askedMs = Date.now();
    try {
      await this.#line.command('SADD', this.key, number);
      this.answers.push({ askedMs, atMs: Date.now(), number });
    } catch (thrown) {
      const no = String(thrown);
      const last = this.answers.at(-1);
      if (last === undefined || !('no' in last)) this.answers.push({ askedMs, atMs: Date.now(), no });
      throw thrown;
    }
  }

  protected override release(): void {
    this.#line.close();
  }
}
