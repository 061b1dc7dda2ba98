import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../errors.ts';

export type AgentState =
  | { readonly kind: 'answering' }
  /** `silentMs`: how long ago the first request was sent that has no answer. */
  | { readonly kind: 'silent'; readonly silentMs: number; readonly error: SwitchmasterError };

export interface AgentProbeOptions {
  /** Asks the agent something small that its servers answer, and rejects where it does not. */
  readonly ask: (options: { readonly timeoutMs: number; readonly signal: AbortSignal }) => Promise<unknown>;
  /**
   * When its servers last answered another request over it, in milliseconds of `performance.now()`: the probe asks only if that is
   * longer ago than the time between two of its own requests. Default: never.
   */
  readonly heardMs?: () => number;
  /** Called when the kind of the state changes. */
  readonly onChange: (state: AgentState) => void;
  /** Defaults: every second, and 4 s without an answer. */
  readonly limits?: { readonly everyMs: number; readonly silentMs: number };
}

/**
 * Finds out that an agent does not answer. A blocking query cannot: an agent that hangs looks like one that has nothing
 * new, for up to a minute.
 */
export class AgentProbe {
  readonly #options: AgentProbeOptions;
  readonly #limits: NonNullable<AgentProbeOptions['limits']>;
  readonly #abort = new AbortController();
  #kind: AgentState['kind'] = 'answering';
  /** When the first request was sent that has no answer, in milliseconds of `performance.now()`. */
  #askedMs: number | undefined;

  constructor(options: AgentProbeOptions) {
    this.#options = options;
    this.#limits = options.limits ?? { everyMs: 1_000, silentMs: 4_000 };
  }

  /** Runs until {@link stop}; never throws. */
  async run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const restMs = this.#restMs();
      if (restMs > 0) this.#answered();
      else await this.#askOnce(signal);
      await delay(restMs > 0 ? restMs : this.#limits.everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  /** For how long the last answer to another request proves that the agent answers. */
  #restMs(): number {
    return Math.max(0, Math.ceil(this.#heardMs() + this.#limits.everyMs - performance.now()));
  }

  #heardMs(): number {
    return this.#options.heardMs?.() ?? Number.NEGATIVE_INFINITY;
  }

  async #askOnce(signal: AbortSignal): Promise<void> {
    const askedMs = this.#askedMs ?? performance.now();
    this.#askedMs = askedMs;
    const error = await this.#failureOf(signal);
    if (signal.aborted) return;
    if (error === undefined || this.#heardMs() > askedMs) return this.#answered();
    const silentMs = performance.now() - askedMs;
    if (silentMs >= this.#limits.silentMs) this.#become({ kind: 'silent', silentMs, error });
  }

  #answered(): void {
    this.#askedMs = undefined;
    this.#become({ kind: 'answering' });
  }

  /** undefined also for an answer that is an error: the watches report what Consul refuses. */
  async #failureOf(signal: AbortSignal): Promise<SwitchmasterError | undefined> {
    try {
      await this.#options.ask({ timeoutMs: this.#limits.silentMs, signal });
      return undefined;
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      return error.code === 'consul-unreachable' ? error : undefined;
    }
  }

  #become(state: AgentState): void {
    if (state.kind === this.#kind) return;
    this.#kind = state.kind;
    this.#options.onChange(state);
  }
}
