import type { OutageMode } from './outage-stack.ts';
import { quantile, round } from './statistics.ts';

/** What happens to the master. */
export const faults = ['kill -9', 'SIGSTOP 5 s', 'SENTINEL FAILOVER', 'switchmaster failover'] as const;
export type Fault = (typeof faults)[number];

/** One writer's part in one round. Times are milliseconds. */
export interface Sample {
  readonly fault: Fault;
  readonly mode: OutageMode;
  readonly writer: string;
  /** The longest time without an acknowledgement. */
  readonly withoutMs: number;
  readonly lost: number;
  readonly acknowledged: number;
  /** From the fault to the first write that the new master acknowledged through it, over the time to its promotion. */
  readonly overPromotion: number;
}

export function rowsOf(samples: readonly Sample[]) {
  const groups = Map.groupBy(samples, ({ fault, mode, writer }) => `${fault}|${mode.follow}|${mode.fence}|${writer}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const times = group.map(({ withoutMs }) => withoutMs);
    return {
      fault: first.fault,
      ...first.mode,
      writer: first.writer,
      rounds: group.length,
      withoutWritesMs: { p50: round(quantile(times, 0.5)), max: round(Math.max(...times)) },
      lost: group.reduce((sum, { lost }) => sum + lost, 0),
      acknowledged: group.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
      overPromotion: round(
        quantile(
          group.map(({ overPromotion }) => overPromotion),
          0.5,
        ),
      ),
    };
  });
}

export function printTable(samples: readonly Sample[]): void {
  const head = ['fault', 'follow', 'fence', 'writer', 'rounds', 'ms p50', 'ms max', 'lost', 'of', 'x promotion'];
  const lines = rowsOf(samples).map((row) => [
    row.fault,
    row.follow,
    row.fence,
    row.writer,
    row.rounds,
    Math.round(row.withoutWritesMs.p50),
    Math.round(row.withoutWritesMs.max),
    row.lost,
    row.acknowledged,
    row.overPromotion.toFixed(3),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => String(line[i]).length)));
  const show = (line: readonly unknown[]) =>
    line
      .map((cell, i) => (i < 4 ? String(cell).padEnd(widths[i] ?? 0) : String(cell).padStart(widths[i] ?? 0)))
      .join('  ');
  process.stdout.write(`${[head, ...lines].map(show).join('\n')}\n`);
}
