import type { Versions } from './inputs.ts';

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
    versions: new Map([...now.versions].map(([id, version]) => [id, before.versions.get(id) ?? version])),
    records: before.records.length > 0 ? before.records : now.records,
    heldRecords: before.heldRecords || now.heldRecords,
  };
}
