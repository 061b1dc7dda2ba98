import type { SwitchmasterError } from '../errors.ts';
import { type ConsulAnswer, type ConsulQuery, queryId } from '../model/query.ts';
import { type Consistency, type Reader, Watch, type WatchLimits } from './watch.ts';
import type { WatchEvent, WatchState } from './watch-state.ts';

export type { Consistency, Reader, WatchLimits } from './watch.ts';
export type { WatchEvent, WatchState } from './watch-state.ts';

export interface CatalogWatchesOptions {
  /** A ConsulClient. */
  readonly client: Reader;
  /** Defaults: {@link defaultWatchLimits}. */
  readonly limits?: Partial<WatchLimits>;
  /** Told when the first of the queries fails, and when the first of those that failed is answered again. */
  readonly onReach?: (reach: Reach) => void;
}

/** Whether Consul can be read. */
export type Reach = { readonly kind: 'lost'; readonly error: SwitchmasterError } | { readonly kind: 'back' };

export interface FollowOptions {
  /**
   * `stale` may be answered by any server that knows a leader; `default` by the leader. Default `default`: what a
   * decision hangs on must not be read `stale`.
   */
  readonly consistency?: Consistency;
}

/** One follower's view of a shared watch. */
export interface Follow<Q extends ConsulQuery> {
  readonly query: Q;
  readonly state: WatchState<ConsulAnswer<Q>>;
  /** Ends this follow; the watch ends with its last follower. May be called again. */
  release(): void;
}

/** What can follow queries: the watches themselves, or what stands before them. */
export interface Watches {
  follow<Q extends ConsulQuery>(query: Q, onChange: (event: WatchEvent) => void, options?: FollowOptions): Follow<Q>;
}

export const defaultWatchLimits: WatchLimits = {
  waitMs: 60_000,
  burst: 10,
  refillMs: 200,
  pollMs: 1_000,
  maxStaleMs: 5_000,
  backoff: { initialMs: 100, maxMs: 5_000 },
};

interface SharedWatch {
  readonly watch: Watch;
  readonly followers: Set<(event: WatchEvent) => void>;
}

/**
 * Blocking queries shared by everybody who wants the same thing: one request to Consul for one query and consistency,
 * whatever the number of followers, and none for what nobody follows.
 *
 * A follower's `onChange` is called when the value changed, when the kind of the state changed, or when Consul's index
 * fell; never with the same value twice in a row. It is a hint: read `follow.state`.
 */
export class CatalogWatches implements Watches {
  readonly #client: Reader;
  readonly #limits: WatchLimits;
  readonly #watches = new Map<string, SharedWatch>();
  readonly #runs = new Set<Promise<void>>();
  readonly #onReach: (reach: Reach) => void;
  #reach: Reach['kind'] = 'back';

  constructor(options: CatalogWatchesOptions) {
    this.#client = options.client;
    this.#limits = { ...defaultWatchLimits, ...options.limits };
    this.#onReach = options.onReach ?? (() => {});
  }

  /** How many queries are being watched. */
  get size(): number {
    return this.#watches.size;
  }

  follow<Q extends ConsulQuery>(
    query: Q,
    onChange: (event: WatchEvent) => void,
    options: FollowOptions = {},
  ): Follow<Q> {
    const consistency = options.consistency ?? 'default';
    const id = `${consistency} ${queryId(query)}`;
    const shared = this.#watches.get(id) ?? this.#start({ id, query, consistency });
    // Its own function, so that one listener may follow the same query twice.
    const follower = (event: WatchEvent) => onChange(event);
    shared.followers.add(follower);
    return {
      query,
      get state() {
        return shared.watch.state as WatchState<ConsulAnswer<Q>>;
      },
      release: () => {
        if (!shared.followers.delete(follower) || shared.followers.size > 0) return;
        shared.watch.stop();
        if (this.#watches.get(id) === shared) this.#watches.delete(id);
      },
    };
  }

  /** Consul answers, as something else than a watch has found: those that pause after a failure read at once. */
  hurry(): void {
    for (const { watch } of this.#watches.values()) watch.hurry();
  }

  /** Ends every watch and waits until no request is under way. Followers hear nothing more. */
  async close(): Promise<void> {
    for (const { watch, followers } of this.#watches.values()) {
      followers.clear();
      watch.stop();
    }
    this.#watches.clear();
    await Promise.all(this.#runs);
  }

  #turned({ state }: Watch): void {
    if (state.kind === 'failed' || state.kind === 'stale') {
      if (this.#reach === 'back') this.#onReach({ kind: 'lost', error: state.error });
      this.#reach = 'lost';
    } else if (this.#reach === 'lost') {
      this.#reach = 'back';
      this.#onReach({ kind: 'back' });
      this.hurry();
    }
  }

  #restartOthers(fallen: Watch): void {
    for (const { watch } of this.#watches.values()) if (watch !== fallen) watch.restart();
  }

  #start(input: { id: string; query: ConsulQuery; consistency: Consistency }): SharedWatch {
    const followers = new Set<(event: WatchEvent) => void>();
    const { query, consistency } = input;
    const onEvent = (event: WatchEvent) => {
      if (event === 'state') this.#turned(watch);
      for (const follower of [...followers]) follower(event);
    };
    const onIndexFall = () => this.#restartOthers(watch);
    const [reader, limits] = [this.#client, this.#limits];
    const watch: Watch = new Watch({ query, consistency, reader, limits, onEvent, onIndexFall });
    const shared = { watch, followers };
    this.#watches.set(input.id, shared);
    const run = watch.run().finally(() => this.#runs.delete(run));
    this.#runs.add(run);
    return shared;
  }
}
