import { hasValue, type WatchEvent } from '../../consul/watch-state.ts';
import type { Follow, Watches } from '../../consul/watches.ts';
import { type ConsulAnswer, type ConsulQuery, queryId } from '../../model/query.ts';
import type { Lookup } from '../../template/scope.ts';
import { namesMasters } from '../plan/urgency.ts';

export interface InputsOptions {
  readonly watches: Watches;
  /** Called when something that the template reads changed. */
  readonly onChange: (query: ConsulQuery, event: WatchEvent) => void;
}

/** Consul's index of an answer, and how often the index fell while the query was watched. */
export interface Version {
  readonly index: bigint;
  readonly resets: number;
}

/** By query id. An answer that is the same has the same object. */
export type Versions = ReadonlyMap<string, Version>;

/** What one template reads in Consul: one watch for each query, kept only as long as the template reads it. */
export class Inputs {
  readonly #options: InputsOptions;
  readonly #follows = new Map<string, Follow<ConsulQuery>>();
  /** The last value of each key: consul-template keeps it when somebody deletes the key. */
  readonly #values = new Map<string, unknown>();

  constructor(options: InputsOptions) {
    this.#options = options;
  }

  /** Ids of the queries, sorted. */
  get ids(): readonly string[] {
    return [...this.#follows.keys()].sort();
  }

  /** Of each answered query, by query id. */
  get versions(): Versions {
    // A template may read ten thousand things: nothing is made for those of which the state is the same.
    const versions = new Map<string, Version>();
    for (const [id, { state }] of this.#follows) if (hasValue(state)) versions.set(id, versionOf(state));
    return versions;
  }

  /** Whether this holds for any answered query. */
  someVersion(holds: (id: string, version: Version) => boolean): boolean {
    for (const [id, { state }] of this.#follows) if (hasValue(state) && holds(id, state)) return true;
    return false;
  }

  stateOf(id: string): 'pending' | 'current' | 'stale' | 'failed' | undefined {
    return this.#follows.get(id)?.state.kind;
  }

  /** The last good answer to a query that is watched already; undefined if there is none. */
  peek<Q extends ConsulQuery>(query: Q): ConsulAnswer<Q> | undefined {
    const state = this.#follows.get(queryId(query))?.state;
    const known = state?.kind === 'current' || state?.kind === 'stale';
    // The watch with a query's id answers that query.
    return known ? (state.value as ConsulAnswer<Q>) : undefined;
  }

  /** The last good answer to a query. The first call starts the watch. */
  lookUp(query: ConsulQuery, id: string): Lookup<unknown> {
    const { state } = this.#follows.get(id) ?? this.#follow(query, id);
    if (state.kind === 'current' || state.kind === 'stale') return this.#known(query, { id, value: state.value });
    return { kind: state.kind === 'failed' && state.error.code === 'consul-denied' ? 'denied' : 'unknown' };
  }

  /** Ends the watches on everything else. */
  keepOnly(queries: readonly ConsulQuery[]): void {
    // Every query in the list is followed, so an equal count means an equal set.
    if (queries.length === this.#follows.size) return;
    const kept = new Set(queries.map(queryId));
    for (const [id, follow] of this.#follows) {
      if (kept.has(id)) continue;
      follow.release();
      this.#follows.delete(id);
    }
  }

  /** Forgets the last values of keys that are not watched any more. */
  forgetFormer(): void {
    for (const id of this.#values.keys()) if (!this.#follows.has(id)) this.#values.delete(id);
  }

  /** Why the given queries have no answer: the messages of those that failed. */
  errorsOf(ids: readonly string[]): readonly string[] {
    const messages = ids.flatMap((id) => {
      const state = this.#follows.get(id)?.state;
      return state?.kind === 'failed' ? [state.error.message] : [];
    });
    return [...new Set(messages)];
  }

  release(): void {
    for (const follow of this.#follows.values()) follow.release();
    this.#follows.clear();
  }

  #known({ kind }: ConsulQuery, { id, value }: { readonly id: string; readonly value: unknown }): Lookup<unknown> {
    if (kind !== 'key') return { kind: 'known', value };
    if (value !== undefined) this.#values.set(id, value);
    const former = value === undefined ? this.#values.get(id) : undefined;
    return { kind: 'known', value, ...(former === undefined ? {} : { former }) };
  }

  #follow(query: ConsulQuery, id: string): Follow<ConsulQuery> {
    const { watches, onChange } = this.#options;
    // Any server may answer who is in the catalog. Who is master is read from the leader.
    const consistency = namesMasters(query) === 'masters' ? 'default' : 'stale';
    const follow = watches.follow(query, (event) => onChange(query, event), { consistency });
    this.#follows.set(id, follow);
    return follow;
  }
}

const known = new WeakMap<Version, Version>();

/** Without the value, which would stay in memory as long as the version does: until a later text takes effect. */
function versionOf(state: Version): Version {
  const former = known.get(state);
  if (former !== undefined) return former;
  const version = { index: state.index, resets: state.resets };
  known.set(state, version);
  return version;
}
