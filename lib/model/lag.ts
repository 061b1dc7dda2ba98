/** How far a replica is behind its master. */
export interface Lag {
  /** Bytes of the replication stream; null if the last measurement is too old. */
  readonly bytes: number | null;
  /** The replica has everything that its master had this many milliseconds ago; null if that is before the oldest measurement. */
  readonly behindMs: number | null;
}

/** Less may be the age of the measurement, which the time includes. */
const shownMs = 10_000;

/** `in sync`, `12 kB behind`, `3 MB, 14 s behind`, `lag unknown`. */
export function describeLag(lag: Lag | null): string {
  if (lag === null || (lag.bytes === null && lag.behindMs === null)) return 'lag unknown';
  if (lag.bytes === 0) return 'in sync';
  const size = lag.bytes === null ? [] : [describeSize(lag.bytes)];
  const time = lag.behindMs === null || lag.behindMs < shownMs ? [] : [`${Math.round(lag.behindMs / 1_000)} s`];
  const parts = [...size, ...time];
  return parts.length === 0 ? 'in sync' : `${parts.join(', ')} behind`;
}

function describeSize(bytes: number): string {
  if (bytes < 10_000) return `${bytes} B`;
  return bytes < 10_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${Math.round(bytes / 1_000_000)} MB`;
}
