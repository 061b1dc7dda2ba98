/** How far a replica is behind its master. */
export interface Lag {
  /** Bytes of the replication stream; null if the last measurement is too old. */
  readonly bytes: number | null;
  /** The replica has everything that its master had this many milliseconds ago; null if that is before the oldest measurement. */
  readonly behindMs: number | null;
}
