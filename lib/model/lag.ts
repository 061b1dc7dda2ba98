/** How far a replica is behind its master. */
export interface Lag {
  /** Of the replication stream; null where the last measurement is too old to tell. */
  readonly bytes: number | null;
  /** It has everything that its master had this many milliseconds ago; null where that is longer than is remembered. */
  readonly behindMs: number | null;
}
