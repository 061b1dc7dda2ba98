export interface WatchLimits {
  /** How long Consul may block a query. */
  readonly waitMs: number;
  /** The same, for folders of keys. */
  readonly treeWaitMs: number;
  /** How many requests one watch may send at once, and after which time it may send another. */
  readonly burst: number;
  readonly refillMs: number;
  /** The same time, for folders of keys. */
  readonly treeRefillMs: number;
  /**
   * The pause after an answer that was waited for, except for folders of keys, such as the records. A request takes a part of a
   * millisecond. Meanwhile, a file is written that follows from the answer, and its command starts.
   */
  readonly yieldMs: number;
  /** How often to read when the answer has no index to block on. */
  readonly pollMs: number;
  /** After a `stale` answer of a server without contact to its leader for longer, the watch reads from the leader. 0: always. */
  readonly maxStaleMs: number;
  readonly backoff: { readonly initialMs: number; readonly maxMs: number };
}

export const defaultWatchLimits: WatchLimits = {
  waitMs: 60_000,
  treeWaitMs: 5_000,
  burst: 10,
  refillMs: 200,
  // The records are such a folder, and HAProxy follows a record within 100 ms however many others change at the time.
  treeRefillMs: 50,
  yieldMs: 20,
  pollMs: 1_000,
  maxStaleMs: 5_000,
  backoff: { initialMs: 100, maxMs: 5_000 },
};
