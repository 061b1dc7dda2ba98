import type { Outcome, RunReport } from '../loop/outcome.ts';
import type { Trouble } from '../model/problem.ts';
import { momentReport } from './reports.ts';

/** What passes by itself in every failover, and what the bridge's own runs tell already, is not told again. */
const untold: ReadonlySet<Trouble['kind']> = new Set(['sentinels-disagree', 'held']);

/** Tells the log and the journal of a master's troubles: of each when it begins, and when the last of them is over. */
export class ProblemReporter {
  readonly #onReport: (report: RunReport) => void;
  readonly #told = new Map<string, ReadonlySet<string>>();

  constructor(onReport: (report: RunReport) => void) {
    this.#onReport = onReport;
  }

  tell(name: string, troubles: readonly Trouble[]): void {
    const told = this.#told.get(name) ?? new Set();
    const now = new Set(troubles.filter(({ kind }) => !untold.has(kind)).map(({ message }) => message));
    this.#told.set(name, now);
    for (const summary of now) if (!told.has(summary)) this.#report(name, { kind: 'held', summary });
    if (now.size === 0 && told.size > 0) this.#report(name, { kind: 'unchanged' });
  }

  #report(name: string, outcome: Outcome): void {
    this.#onReport(momentReport({ loop: 'trouble', key: name, hint: ['bridge', 'look'], outcome }));
  }
}
