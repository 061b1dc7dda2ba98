import type { RunReport } from '../loop/outcome.ts';

/** Loops that may do the same thing over and over, such as to renew a pause or to repair a check. */
const repairing: ReadonlySet<string> = new Set(['fence', 'registrar', 'provisioner']);

/** The causes of repairs; every other cause is a change of its own. */
const repairs: ReadonlySet<unknown> = new Set(['restored', 'replicas', 'repair']);

/** After this time without the same thing, it is a new one. */
const lastingMs = 600_000;

/** Numbers of a text that say how much or when, and not what: they differ each time. */
const measurements = [
  /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g,
  /(?<![\w.:-])\d+(?:\.\d+)?(?= ?(?:ms|s|seconds?|min|minutes?|h|hours?|days?|bytes?|characters|times|%)(?!\w))/g,
  /(?<=\bpid )\d+/g,
];

/** The same for each time of one thing. */
export function withoutMeasurements(text: string): string {
  return measurements.reduce((left, pattern) => left.replace(pattern, '#'), text);
}

/** What a run did or met, to compare with other runs of its key; undefined where each time counts by itself. */
function repeatableOf({ loop, outcome }: RunReport): string | undefined {
  switch (outcome.kind) {
    case 'applied':
      if (!repairing.has(loop) && !repairs.has(outcome.details?.cause)) return undefined;
      return `applied ${withoutMeasurements(outcome.summary)}`;
    case 'held':
      return `held ${withoutMeasurements(outcome.summary)}`;
    case 'failed':
      return `failed ${withoutMeasurements(outcome.error.message)}`;
    default:
      return undefined;
  }
}

/** How many different things of one key are counted at a time. */
const countedAtOnce = 8;

export interface Repetition {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The same for each time of what repeats; undefined where each time counts by itself. */
  readonly row: string | undefined;
}

/**
 * Counts how often each thing has happened to a key since the last change of it. Two things that alternate, such as actions on
 * two former masters, are both counted.
 */
export class Repetitions {
  readonly #rows = new Map<string, Map<string, Repetition>>();

  /** A run that is not repeatable ends the rows of its key; `unchanged` does not. */
  count(report: RunReport, nowMs: number): Repetition {
    const id = `${report.loop} ${report.key}`;
    const what = repeatableOf(report);
    if (what === undefined) {
      if (report.outcome.kind !== 'unchanged') this.#rows.delete(id);
      return { count: 1, firstMs: nowMs, lastMs: nowMs, row: undefined };
    }
    const rows = this.#rows.get(id) ?? new Map<string, Repetition>();
    this.#rows.set(id, rows);
    // The report of a failover has each action on a former master in its order.
    if (report.loop === 'fence' && report.outcome.kind === 'applied') endOthers(rows, what);
    const last = rows.get(what);
    const repeats = last !== undefined && nowMs - last.lastMs < lastingMs;
    const [count, firstMs] = repeats ? [last.count + 1, last.firstMs] : [1, nowMs];
    const next = { count, firstMs, lastMs: nowMs, row: `${id} ${what}` };
    // The map has the one that happened last at its end.
    rows.delete(what);
    rows.set(what, next);
    const [oldest] = rows.keys();
    if (rows.size > countedAtOnce && oldest !== undefined) rows.delete(oldest);
    return next;
  }
}

function endOthers(rows: Map<string, Repetition>, kept: string): void {
  for (const what of [...rows.keys()]) if (what !== kept && what.startsWith('applied ')) rows.delete(what);
}

/** Whether to report it again: the first, the second, the fourth, the eighth time, and so on. */
export function isDoubled({ count }: Pick<Repetition, 'count'>): boolean {
  return (count & (count - 1)) === 0;
}
