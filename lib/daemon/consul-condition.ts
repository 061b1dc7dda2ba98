import type { AgentState } from '../consul/agent-probe.ts';
import { SwitchmasterError } from '../errors.ts';
import type { ConsulState } from '../model/judgement/consul.ts';

/** Consul cannot be read any more, or again. */
export type ConsulChange =
  | { readonly kind: 'lost'; readonly error: SwitchmasterError }
  | { readonly kind: 'back'; readonly lostMs: number };

/** Whether Consul can be read: by the blocking queries, which a refusal ends, and by the probe, which notices an agent that hangs. */
export class ConsulCondition {
  readonly #onChange: (change: ConsulChange) => void;
  readonly #now: () => number;
  #queries: { readonly sinceMs: number; readonly error: SwitchmasterError } | undefined;
  #agent: { readonly sinceMs: number; readonly error: SwitchmasterError } | undefined;
  #lostSinceMs: number | undefined;
  #endedOutagesMs = 0;

  /** `now`: milliseconds since 1970. */
  constructor(options: { readonly onChange: (change: ConsulChange) => void; readonly now?: () => number }) {
    this.#onChange = options.onChange;
    this.#now = options.now ?? Date.now;
  }

  get state(): ConsulState {
    const cause = this.#queries ?? this.#agent;
    if (cause === undefined || this.#lostSinceMs === undefined) return { kind: 'reached' };
    return { kind: 'lost', since: new Date(this.#lostSinceMs).toISOString(), message: cause.error.message };
  }

  /** How long Consul could not be read since the start, in milliseconds. */
  get outageMs(): number {
    return this.#endedOutagesMs + (this.#lostSinceMs === undefined ? 0 : Math.max(0, this.#now() - this.#lostSinceMs));
  }

  /** A new connection: whether it reaches Consul is not known yet. */
  reset(): void {
    this.#queries = undefined;
    this.#agent = undefined;
    this.#update();
  }

  queriesFail(error: SwitchmasterError): void {
    this.#queries = { sinceMs: this.#now(), error };
    this.#update();
  }

  queriesSucceed(): void {
    this.#queries = undefined;
    this.#update();
  }

  agentBecomes(state: AgentState): void {
    this.#agent =
      state.kind === 'answering' ? undefined : { sinceMs: this.#now() - state.silentMs, error: toSilence(state) };
    this.#update();
  }

  #update(): void {
    const causes = [this.#queries, this.#agent].flatMap((cause) => cause ?? []);
    const [first] = causes;
    const before = this.#lostSinceMs;
    if (first === undefined) {
      this.#lostSinceMs = undefined;
      if (before === undefined) return;
      const lostMs = Math.max(0, this.#now() - before);
      this.#endedOutagesMs += lostMs;
      this.#onChange({ kind: 'back', lostMs });
      return;
    }
    this.#lostSinceMs = Math.min(before ?? Number.POSITIVE_INFINITY, ...causes.map(({ sinceMs }) => sinceMs));
    if (before === undefined) this.#onChange({ kind: 'lost', error: first.error });
  }
}

function toSilence({ error }: Extract<AgentState, { kind: 'silent' }>): SwitchmasterError {
  return new SwitchmasterError('consul-unreachable', `the agent does not answer (${error.message})`, { cause: error });
}
