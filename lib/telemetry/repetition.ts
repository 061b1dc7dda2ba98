import type { RunReport } from '../loop/outcome.ts';

/** Loops that may do the same thing over and over, such as to renew a pause or to repair a check. */
const repairing: ReadonlySet<string> = new Set(['fence', 'registrar', 'provisioner']);

/** What a bridge repairs; every other cause is a change of its own. */
const repairs: ReadonlySet<unknown> = new Set(['restored', 'replicas', 'repair']);

/** After this time without the same thing, it is a new one. */
const lastingMs = 600_000;

/** What a run did or met, to compare with the last run of its key; undefined where each time counts by itself. */
function repeatableOf({ loop, outcome }: RunReport): string | undefined {
  switch (outcome.kind) {
    case 'applied':
      return repairing.has(loop) || repairs.has(outcome.details?.cause) ? `applied ${outcome.summary}` : undefined;
    case 'held':
      return `held ${outcome.summary}`;
    case 'failed':
      return `failed ${outcome.error.message}`;
    default:
      return undefined;
  }
}

export interface Repetition {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Counts how often the last thing that happened to a key has happened in a row. */
export class Repetitions {
  readonly #last = new Map<string, Repetition & { readonly what: string }>();

  /** A run that is not repeatable ends the row of its key; `unchanged` does not. */
  count(report: RunReport, nowMs: number): Repetition {
    const id = `${report.loop} ${report.key}`;
    const once = { count: 1, firstMs: nowMs, lastMs: nowMs };
    const what = repeatableOf(report);
    if (what === undefined) {
      if (report.outcome.kind !== 'unchanged') this.#last.delete(id);
      return once;
    }
    const last = this.#last.get(id);
    const repeats = last?.what === what && nowMs - last.lastMs < lastingMs;
    const next = repeats ? { count: last.count + 1, firstMs: last.firstMs, lastMs: nowMs } : once;
    this.#last.set(id, { ...next, what });
    return next;
  }
}

/** Whether to report it again: the first, the second, the fourth, the eighth time, and so on. */
export function isDoubled({ count }: Pick<Repetition, 'count'>): boolean {
  return (count & (count - 1)) === 0;
}
