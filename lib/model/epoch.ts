/**
 * The order of everything that switchmaster publishes. `epoch` is Sentinel's config-epoch; `generation` starts at 1 and
 * rises only when Sentinels were rebuilt and their epochs began again (see docs/architecture.md, "Fencing").
 */
export interface Version {
  readonly generation: number;
  readonly epoch: number;
}

/** Negative where `a` is older than `b`, 0 where they are the same, positive where `a` is newer. */
export function compareVersions(a: Version, b: Version): number {
  return a.generation === b.generation ? a.epoch - b.epoch : a.generation - b.generation;
}

/** How many of `count` voters are a majority. */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}
