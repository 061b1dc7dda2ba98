import type { SwitchmasterError } from '../errors.ts';
import type { KvEntry } from '../model/catalog.ts';
import { type ConsulAnswer, type ConsulQuery, queryId } from '../model/query.ts';
import { type Consistency, type Reader, Watch } from './watch.ts';
import { defaultWatchLimits, type WatchLimits } from './watch-limits.ts';
import type { WatchEvent, WatchState } from './watch-state.ts';

export type { Consistency, Reader } from './watch.ts';
export type { WatchLimits } from './watch-limits.ts';
export type { WatchEvent } from './watch-state.ts';

export interface CatalogWatchesOptions {
  /** A ConsulClient. */
  readonly client: Reader;
  /** Defaults: {@link defaultWatchLimits}. */
  readonly limits?: Partial<WatchLimits>;
  /** Called when the first query fails, and when the first failed query is answered again. */
  readonly onConnectionChange?: (change: ConnectionChange) => void;
  /** Called when Consul begins to deny a query. */
  readonly onDenied?: (denial: Denial) => void;
  /** Called with each new answer for a tree of keys, before the followers. */
  readonly onTree?: (prefix: string, entries: readonly KvEntry[]) => void;
}

/** Whether Consul can be read. */
export type ConnectionChange = { readonly kind: 'lost'; readonly error: SwitchmasterError } | { readonly kind: 'back' };

export interface FollowOptions {
  /**
   * `stale`: any server that knows a leader may answer; `default`: the leader answers. Default `default`: a decision must
   * not depend on a `stale` answer.
   */
  readonly consistency?: Consistency;
}

/** A query that the token may not read in full. Its last good answer counts. */
export interface Denial {
  readonly query: string;
  readonly error: SwitchmasterError;
  /** Where everything else works without it. */
  readonly needed?: 'for a part of the work';
}

/** A follower's access to a shared watch. */
export interface Follow<Q extends ConsulQuery> {
  readonly query: Q;
  readonly state: WatchState<ConsulAnswer<Q>>;
  /** Ends this follow; the watch ends with its last follower. Repeated calls do nothing. */
  release(): void;
}

/** Follows queries: the watches themselves, or a layer in front of them. */
export interface Watches {
  follow<Q extends ConsulQuery>(query: Q, onChange: (event: WatchEvent) => void, options?: FollowOptions): Follow<Q>;
}

interface SharedWatch {
  readonly watch: Watch;
  readonly followers: Set<(event: WatchEvent) => void>;
}

/**
 * Blocking queries, shared by all followers of the same query and consistency: one request to Consul whatever the number
 * of followers, and none without followers.
 *
 * A watch calls `onChange` when the value changed, when the kind of the state changed, or when Consul's index fell; never
 * for the same value twice in a row. The call is a hint: read `follow.state`.
 */
export class CatalogWatches implements Watches {
  readonly #client: Reader;
  readonly #limits: WatchLimits;
  readonly #watches = new Map<string, SharedWatch>();
  readonly #runs = new Set<Promise<void>>();
  readonly #onConnectionChange: (change: ConnectionChange) => void;
  readonly #onTree: CatalogWatchesOptions['onTree'];
  readonly #onDenied: (denial: Denial) => void;
  readonly #denied = new Map<Watch, Denial>();
  #connection: ConnectionChange['kind'] = 'back';

  constructor(options: CatalogWatchesOptions) {
    this.#client = options.client;
    this.#limits = { ...defaultWatchLimits, ...options.limits };
    this.#onConnectionChange = options.onConnectionChange ?? (() => {});
    this.#onTree = options.onTree;
    this.#onDenied = options.onDenied ?? (() => {});
  }

  /** How many queries are being watched. */
  get size(): number {
    return this.#watches.size;
  }

  /** What is being watched. */
  get queries(): readonly ConsulQuery[] {
    return [...this.#watches.values()].map(({ watch }) => watch.query);
  }

  /** What Consul denies now. */
  get denied(): readonly Denial[] {
    return [...this.#denied.values()];
  }

  follow<Q extends ConsulQuery>(
    query: Q,
    onChange: (event: WatchEvent) => void,
    options: FollowOptions = {},
  ): Follow<Q> {
    const consistency = this.#limits.maxStaleMs === 0 ? 'default' : (options.consistency ?? 'default');
    const id = `${consistency} ${queryId(query)}`;
    const shared = this.#watches.get(id) ?? this.#start({ id, query, consistency });
    // A new function each time, so that one listener may follow the same query twice.
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
        this.#denied.delete(shared.watch);
        if (this.#watches.get(id) === shared) this.#watches.delete(id);
      },
    };
  }

  /** Ends every pause after a failure. For a caller that found that Consul answers. */
  retryNow(): void {
    for (const { watch } of this.#watches.values()) watch.retryNow();
  }

  /** Ends every watch and waits until no request is under way. Calls no follower any more. */
  async close(): Promise<void> {
    for (const { watch, followers } of this.#watches.values()) {
      followers.clear();
      watch.stop();
    }
    this.#watches.clear();
    await Promise.all(this.#runs);
  }

  #afterStateChange(watch: Watch): void {
    const { query, state } = watch;
    const error = state.kind === 'failed' || state.kind === 'stale' ? state.error : undefined;
    this.#denied.delete(watch);
    if (error?.code === 'consul-denied') {
      const denial = { query: queryId(query), error };
      this.#denied.set(watch, denial);
      this.#onDenied(denial);
      return;
    }
    if (error !== undefined) {
      if (this.#connection === 'back') this.#onConnectionChange({ kind: 'lost', error });
      this.#connection = 'lost';
    } else if (this.#connection === 'lost') {
      this.#connection = 'back';
      this.#onConnectionChange({ kind: 'back' });
      this.retryNow();
    }
  }

  #showTree({ query, state }: Watch): void {
    if (query.kind !== 'key-tree' || state.kind !== 'current') return;
    // The answer to this kind of query is a list of entries.
    this.#onTree?.(query.prefix, state.value as readonly KvEntry[]);
  }

  /** One Consul has one state: what one watch lost, all have lost. */
  #shareFall(fallen: Watch): void {
    const dc = datacenterOf(fallen.query);
    for (const { watch } of [...this.#watches.values()]) {
      if (watch !== fallen && datacenterOf(watch.query) === dc) watch.noteFall();
    }
  }

  #start(input: { id: string; query: ConsulQuery; consistency: Consistency }): SharedWatch {
    const followers = new Set<(event: WatchEvent) => void>();
    const { query, consistency } = input;
    const onEvent = (event: WatchEvent) => {
      // Another value may also end a failure.
      if (event !== 'reset') this.#afterStateChange(watch);
      this.#showTree(watch);
      for (const follower of [...followers]) follower(event);
    };
    const onIndexFall = () => this.#shareFall(watch);
    const [reader, limits] = [this.#client, this.#limits];
    const watch: Watch = new Watch({ query, consistency, reader, limits, onEvent, onIndexFall });
    const shared = { watch, followers };
    this.#watches.set(input.id, shared);
    const run = watch.run().finally(() => this.#runs.delete(run));
    this.#runs.add(run);
    return shared;
  }
}

function datacenterOf(query: ConsulQuery): string | undefined {
  return 'dc' in query ? query.dc : undefined;
}
