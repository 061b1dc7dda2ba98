/**
 * The order of records. `epoch` is Sentinel's config-epoch; `generation` starts at 1 and
 * rises only when Sentinels were rebuilt and their epochs started again (see docs/architecture.md, "Fencing").
 */
export interface Version {
  readonly generation: number;
  readonly epoch: number;
}

/** Negative if `a` is older than `b`, 0 if they are equal, positive if `a` is newer. */
export function compareVersions(a: Version, b: Version): number {
  return a.generation === b.generation ? a.epoch - b.epoch : a.generation - b.generation;
}

/** The size of a majority of `count` voters. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}
