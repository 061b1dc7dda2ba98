import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';

/** The masters that did not carry out Sentinel's FAILOVER, each until its record changes. */
export class RefusedHandOvers {
  readonly #byName = new Map<string, { readonly record: MasterRecord; readonly why: string }>();

  note(record: MasterRecord, why: string): void {
    this.#byName.set(record.name, { record, why });
  }

  /** Why the master of this record does not hand over, where that is known. */
  whyNot(record: MasterRecord): string | undefined {
    const noted = this.#byName.get(record.name);
    return noted !== undefined && compareVersions(noted.record, record) === 0 ? noted.why : undefined;
  }
}
