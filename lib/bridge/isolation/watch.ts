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
import { type IsolationReading, type IsolationState, isPaused, planIsolation, planWrites, silenceMs } from './plan.ts';
import { type IsolationSources, readIsolation } from './reading.ts';
import { describeProblem, describeRefusedPause, describeState, isolationReport } from './words.ts';

export interface IsolationWatchOptions {
  readonly redis: LocalRedis;
  readonly sources: IsolationSources;
  /** The newest record of the master, and what the Sentinels said of it last. */
  readonly known: (name: string) => {
    readonly record: MasterRecord | undefined;
    readonly views: readonly SentinelView[];
  };
  /** Why nothing may be done about the master. What is not read yet does not count: a pause ends by itself. */
  readonly inMaintenance: (name: string) => string | undefined;
  readonly onReport: (report: RunReport) => void;
  readonly onProblem: (name: string) => void;
}

const everyMs = 250;
/** While nobody answers, a round takes as long as its time-outs. */
const silentEveryMs = 50;
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
  readonly redis: LocalRedis;
  readonly #options: IsolationWatchOptions;
  readonly #server: string;
  readonly #link: InstanceLink<Endpoint>;
  readonly #refused: RefusedCommands;
  readonly #abort = new AbortController();
  #probedMs = Number.NEGATIVE_INFINITY;
  #last: { readonly state: IsolationState; readonly reading: IsolationReading; readonly since: Date } | undefined;
  /** Why the last order about the writes failed. */
  #failure: SwitchmasterError | undefined;
  /** The last record from before the silence: the new master's would hide that there is one. */
  #record: MasterRecord | undefined;
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
    const state = this.#last?.state;
    const isolated =
      this.#last === undefined || !(state?.kind === 'isolated' || state?.kind === 'replaced')
        ? []
        : [
            {
              kind: 'isolated',
              message: describeProblem(state, { server, failure, reading: this.#last.reading }),
            } as const,
          ];
    const refused = this.#refused.list.filter(({ command }) => command === 'CLIENT PAUSE');
    return [
      ...isolated,
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
      const nextMs = this.#last?.state.kind === 'silent' ? silentEveryMs : everyMs;
      await delay(nextMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    const { redis, sources, known, inMaintenance } = this.#options;
    const { name } = redis;
    const before = this.#last?.state;
    const { record, views } = known(name);
    if (before === undefined || before.kind === 'connected' || before.kind === 'inactive') this.#record = record;
    if (views.length > 0) this.#views = views;
    const maintenance = inMaintenance(name);
    const asked = { name, link: this.#link, known: { record: this.#record, views: this.#views }, maintenance };
    const reading = await readIsolation(sources, asked);
    if (this.#abort.signal.aborted) return;
    const after = planIsolation(before, reading, { silenceMs: silenceMs(this.#downAfterMs) });
    await this.#probe(after);
    await this.#apply(before, after, reading);
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
    const { redis, onReport, onProblem } = this.#options;
    onReport(isolationReport({ name: redis.name, server: this.#server, before, after, reading, failure }));
    onProblem(redis.name);
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
