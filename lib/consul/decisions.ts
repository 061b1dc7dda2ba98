import type { KvEntry } from '../model/catalog.ts';
import { compareVersions } from '../model/epoch.ts';
import { nameInKey } from '../model/naming.ts';
import type { ConsulAnswer, ConsulQuery } from '../model/query.ts';
import { formatRecord, type MasterRecord } from '../model/record.ts';
import { readEntry } from '../model/records.ts';
import { Expectations } from './expectations.ts';
import type { WatchEvent, WatchState } from './watch-state.ts';
import type { Follow, FollowOptions, Watches } from './watches.ts';

/** The records that this node's bridge has decided, before Consul has them, and also while Consul is down. */
export class Decisions {
  /** What the failovers under way will lead to. No answer shows it. */
  readonly expectations = new Expectations();
  readonly #records = new Map<string, MasterRecord>();
  readonly #listeners = new Set<() => void>();

  /** Ignores a decision that is older than the last one. */
  announce(record: MasterRecord): void {
    const known = this.#records.get(record.name);
    if (known !== undefined && compareVersions(record, known) <= 0) return;
    this.#records.set(record.name, record);
    for (const listener of [...this.#listeners]) listener();
    this.expectations.decided(record);
  }

  of(name: string): MasterRecord | undefined {
    return this.#records.get(name);
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/**
 * Consul's watches, with each record replaced by this node's own decision where that is newer by (generation, epoch). At
 * the same version Consul's record counts: the two never disagree about one epoch. A record that Consul does not hold is
 * not added, because an operator may have removed its shard.
 */
export class DecidedWatches implements Watches {
  readonly #watches: Watches;
  readonly #decisions: Decisions;
  readonly #prefix: string;

  /** `prefix`: the common prefix of the records' keys. */
  constructor(options: { readonly watches: Watches; readonly decisions: Decisions; readonly prefix: string }) {
    this.#watches = options.watches;
    this.#decisions = options.decisions;
    this.#prefix = options.prefix;
  }

  follow<Q extends ConsulQuery>(
    query: Q,
    onChange: (event: WatchEvent) => void,
    options: FollowOptions = {},
  ): Follow<Q> {
    const follow = this.#watches.follow(query, onChange, options);
    if (query.kind !== 'key-tree' || query.prefix !== this.#prefix) return follow;
    const unlisten = this.#decisions.listen(() => onChange('value'));
    const decide = (entry: KvEntry) => this.#newer(entry);
    return {
      query,
      get state() {
        const { state } = follow;
        if (state.kind !== 'current' && state.kind !== 'stale') return state;
        const entries = state.value as readonly KvEntry[];
        // Q is the key-tree here. The compiler does not infer this from query.kind.
        return { ...state, value: entries.map(decide) } as unknown as WatchState<ConsulAnswer<Q>>;
      },
      release() {
        unlisten();
        follow.release();
      },
    };
  }

  #newer(entry: KvEntry): KvEntry {
    const decided = this.#decisions.of(nameInKey(entry.key.slice(this.#prefix.length)));
    if (decided === undefined) return entry;
    const held = readEntry(entry, this.#prefix);
    if (held !== undefined && compareVersions(decided, held) <= 0) return entry;
    return { ...entry, value: formatRecord(decided) };
  }
}
