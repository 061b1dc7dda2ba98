import { momentReport } from '../loop/moment-report.ts';
import type { Outcome, RunReport } from '../loop/outcome.ts';

/** Reports each problem of a master when it begins, and once when the last of them ends. */
export class ProblemReporter {
  readonly #onReport: (report: RunReport) => void;
  /** Without the masters that have none. */
  readonly #reported = new Map<string, ReadonlySet<string>>();

  constructor(onReport: (report: RunReport) => void) {
    this.#onReport = onReport;
  }

  report(name: string, messages: readonly string[]): void {
    const before = this.#reported.get(name) ?? new Set();
    const now = new Set(messages);
    if (now.size > 0) this.#reported.set(name, now);
    else this.#reported.delete(name);
    for (const summary of now) if (!before.has(summary)) this.#emit(name, { kind: 'held', summary });
    if (now.size === 0 && before.size > 0) this.#emit(name, { kind: 'unchanged' });
  }

  #emit(name: string, outcome: Outcome): void {
    this.#onReport(momentReport({ loop: 'problem', key: name, hint: ['bridge', 'check'], outcome }));
  }
}
