import type { Version, Versions } from './inputs.ts';

/** What a rendering was made from. */
export interface SeenAnswers {
  readonly versions: Versions;
  /** The records, as texts. */
  readonly records: readonly string[];
  /** Whether a record was held. Then the text does not prove that the catalog is complete. */
  readonly heldRecords: boolean;
}

/** What was known before and after a render. What was read for the first time has no older answer. */
export function olderOf(before: SeenAnswers, now: SeenAnswers): SeenAnswers {
  return {
    versions: olderVersions(before.versions, now.versions),
    records: before.records.length > 0 ? before.records : now.records,
    heldRecords: before.heldRecords || now.heldRecords,
  };
}

/** Usually nothing changed meanwhile, and there may be ten thousand answers. */
function olderVersions(before: Versions, now: Versions): Versions {
  const older = new Map<string, Version>();
  for (const [id, version] of now) {
    const former = before.get(id);
    if (former !== undefined && former !== version) older.set(id, former);
  }
  if (older.size === 0) return now;
  const versions = new Map(now);
  for (const [id, version] of older) versions.set(id, version);
  return versions;
}
