import { setTimeout as delay } from 'node:timers/promises';
import { InstanceLink } from '../../client/instance.ts';
import { RefusedCommands } from '../../client/refused-commands.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { IsolationState as ShownIsolation } from '../../http/views.ts';
import type { RunReport } from '../../loop/outcome.ts';
import { type Endpoint, formatEndpoint } from '../../model/address.ts';
import type { MasterProblem } from '../../model/problem.ts';
import type { MasterRecord } from '../../model/record.ts';
import { type SentinelView, sentinelDefaults } from '../../model/sentinel.ts';
import type { LocalRedis } from './local-redis.ts';
import { nextRoundMs } from './plan/pace.ts';
import { planIsolation, planWrites, silenceMs } from './plan/plan.ts';
import { type IsolationReading, type IsolationState, isPaused } from './plan/state.ts';
import { type IsolationSources, readIsolation } from './reading.ts';
import { keepRecord } from './successor.ts';
import { describeProblem, describeRefusedPause, describeState, isolationReport } from './words.ts';

export interface IsolationWatchOptions {
  readonly redis: LocalRedis;
  readonly sources: IsolationSources;
  /** The newest record of the master, and what the Sentinels said of it last. */
  readonly known: (name: string) => {
    readonly record: MasterRecord | undefined;
    readonly views: readonly SentinelView[];
  };
  /** What is done about a former master that accepts writes. */
  readonly formerMaster: 'pause' | 'leave';
  /** Why nothing may be done about the master. What is not read yet does not count: a pause ends by itself. */
  readonly inMaintenance: (name: string) => string | undefined;
  readonly onReport: (report: RunReport) => void;
  readonly onProblem: (name: string) => void;
}

/** How soon a new record, or maintenance, leads to another round. */
const newsMs = 250;
/** It outlasts two rounds without an answer, and no longer: a daemon that stops leaves no lasting pause. */
const pauseMs = 2_000;
const timeoutMs = 300;
const probeAgainMs = 10_000;

type Words = readonly [string, ...(string | number)[]];
const pause: Words = ['CLIENT', 'PAUSE', pauseMs, 'WRITE'];
const release: Words = ['CLIENT', 'UNPAUSE'];
/** The server refuses the argument, unless it refuses the command. */
const probe: Words = ['CLIENT', 'PAUSE', 'x', 'WRITE'];

/** Pauses the writes of one Redis of this node while it is an isolated master. */
export class IsolationWatch {
  /** Its addresses may become known later. */
  redis: LocalRedis;
  readonly #options: IsolationWatchOptions;
  readonly #server: string;
  readonly #link: InstanceLink<Endpoint>;
  readonly #refused: RefusedCommands;
  readonly #abort = new AbortController();
  #probedMs = Number.NEGATIVE_INFINITY;
  #last: { readonly state: IsolationState; readonly reading: IsolationReading; readonly since: Date } | undefined;
  /** Why the last order about the writes failed. */
  #failure: SwitchmasterError | undefined;
  /** The last record that named this server: the new master's would hide that there is one. */
  #record: MasterRecord | undefined;
  /** The newest record at the last round, whomever it names. */
  #newest: MasterRecord | undefined;
  #answeredMs = performance.now();
  /** Since when others are asked in each round, and answer. */
  #askingSinceMs: number | undefined;
  /** What Sentinels said last: those that do not answer any more say nothing. */
  #views: readonly SentinelView[] = [];

  constructor(options: IsolationWatchOptions) {
    const { redis, onProblem } = options;
    this.redis = redis;
    this.#options = options;
    this.#server = formatEndpoint(redis.endpoint);
    this.#refused = new RefusedCommands(() => onProblem(redis.name));
    this.#link = new InstanceLink({
      address: redis.endpoint,
      access: redis.access,
      onLinkState: () => {
        this.#probedMs = Number.NEGATIVE_INFINITY;
      },
    });
  }

  start(): void {
    void this.#watch();
  }

  /** A pause ends by itself within two seconds. */
  stop(): void {
    this.#abort.abort();
    this.#link.close();
  }

  get isReplica(): boolean {
    return this.#last?.reading.server.kind === 'replica';
  }

  /** undefined before the first round. */
  get shown(): ShownIsolation | undefined {
    if (this.#last === undefined) return undefined;
    const { state, reading, since } = this.#last;
    return {
      address: this.#server,
      state: state.kind,
      since: since.toISOString(),
      text: describeState(state, reading),
      writes: !isPaused(state) ? 'accepted' : this.#failure === undefined ? 'paused' : 'not-pausable',
    };
  }

  get problems(): readonly MasterProblem[] {
    const server = this.#server;
    const failure = this.#failure;
    const isolated =
      this.#last === undefined
        ? []
        : describeProblem(this.#last.state, { server, failure, reading: this.#last.reading });
    const refused = this.#refused.list.filter(({ command }) => command === 'CLIENT PAUSE');
    return [
      ...isolated.map((message) => ({ kind: 'isolated', message }) as const),
      ...refused.map(
        ({ says }) => ({ kind: 'redis-denied', message: describeRefusedPause({ server, says }) }) as const,
      ),
    ];
  }

  async #watch(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      // A round that fails is repeated. Only the end of the watch aborts the pause between two.
      await this.#round().catch(() => undefined);
      await this.#rest(signal).catch(() => undefined);
    }
  }

  /** Until the next round is due, or the record is another one, or maintenance begins or ends. */
  async #rest(signal: AbortSignal): Promise<void> {
    const [nowMs, askingSinceMs] = [performance.now(), this.#askingSinceMs];
    const dueMs =
      nowMs + nextRoundMs(this.#last?.state, { nowMs, askingSinceMs, silenceMs: silenceMs(this.#downAfterMs) });
    for (let leftMs = dueMs - nowMs; leftMs > 0; leftMs = dueMs - performance.now()) {
      await delay(Math.min(leftMs, newsMs), undefined, { signal });
      if (this.#hasNews) return;
    }
  }

  get #hasNews(): boolean {
    const { known, inMaintenance } = this.#options;
    const { name } = this.redis;
    return known(name).record !== this.#newest || inMaintenance(name) !== this.#last?.reading.maintenance;
  }

  async #round(): Promise<void> {
    const { sources, known, formerMaster, inMaintenance } = this.#options;
    const { name, addresses: own } = this.redis;
    const before = this.#last?.state;
    const { record: newest, views } = known(name);
    this.#newest = newest;
    const when = before?.kind === 'silent' || isPaused(before) ? 'silent or paused' : 'heard';
    this.#record = keepRecord({ own, before: this.#record, newest }, when);
    if (views.length > 0) this.#views = views;
    const asked = { name, link: this.#link, before, own, formerMaster, answeredMs: this.#answeredMs };
    const reading = await readIsolation(sources, {
      ...asked,
      known: {
        ...{ record: this.#record, views: this.#views },
        get newest() {
          return known(name).record;
        },
      },
      maintenance: inMaintenance(name),
    });
    if (this.#abort.signal.aborted) return;
    this.#note(reading);
    const after = planIsolation(before, reading, { silenceMs: silenceMs(this.#downAfterMs) });
    await this.#probe(after);
    await this.#apply(before, after, reading);
  }

  #note({ server, sentinels, atMs }: IsolationReading): void {
    if (server.kind !== 'unanswered') this.#answeredMs = atMs;
    // If it becomes master, the record of the master before it says nothing about who replaces it.
    if (server.kind === 'replica') this.#record = undefined;
    const last = this.#last?.state;
    const asks = sentinels.heard !== 'unasked' && last?.kind !== 'silent' && !isPaused(last);
    this.#askingSinceMs = asks ? (this.#askingSinceMs ?? atMs) : undefined;
  }

  /** The shortest one counts: any Sentinel may call the master down first. */
  get #downAfterMs(): number {
    const all = this.#views.flatMap(({ downAfterMs }) => downAfterMs ?? []);
    return Math.min(sentinelDefaults.downAfterMs, ...all);
  }

  async #apply(before: IsolationState | undefined, after: IsolationState, reading: IsolationReading): Promise<void> {
    const order = planWrites(before, after);
    const failure = order === 'nothing' ? undefined : await this.#order(order === 'pause' ? pause : release);
    const isNews = order !== 'nothing' && (before?.kind !== after.kind || failure?.message !== this.#failure?.message);
    const since = before?.kind === after.kind ? this.#last?.since : undefined;
    this.#failure = failure;
    // The problem has one text for as long as it lasts.
    const shown = isPaused(after) && since !== undefined ? (this.#last?.reading ?? reading) : reading;
    this.#last = { state: after, reading: shown, since: since ?? new Date() };
    if (!isNews) return;
    const { onReport, onProblem } = this.#options;
    const { name } = this.redis;
    onReport(isolationReport({ name, server: this.#server, before, after, reading, failure }));
    onProblem(name);
  }

  /** Returns why it failed. */
  async #order(words: Words): Promise<SwitchmasterError | undefined> {
    try {
      const [reply] = await this.#link.request([words], { timeoutMs });
      this.#refused.note(words, reply);
      if (!(reply instanceof Error)) return undefined;
      return this.#link.translate(reply, `${words.slice(0, 2).join(' ')} at ${this.#server}`);
    } catch (thrown) {
      return SwitchmasterError.from(thrown);
    }
  }

  /** Finds out whether the server permits the pause, before it is needed. */
  async #probe(state: IsolationState): Promise<void> {
    const isDue = performance.now() - this.#probedMs >= (this.#refused.list.length > 0 ? probeAgainMs : Infinity);
    if (isPaused(state) || !(isDue || this.#probedMs === Number.NEGATIVE_INFINITY)) return;
    this.#probedMs = performance.now();
    await this.#order(probe);
  }
}
