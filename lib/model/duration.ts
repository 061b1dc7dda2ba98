const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Node's timers end at once if they are longer than about 24 days. A longer wait needs several. */
export const longestTimerMs = 86_400_000;

/** `500ms`, `10s`, `1m30s`, or a number of milliseconds; undefined for anything else. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(value)) return undefined;
  let totalMs = 0;
  for (const [, count, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(count) * (unitMs[unit ?? ''] ?? Number.NaN);
  }
  return totalMs;
}

/** As a config has it: `1m`, `90s`, `500ms`, `0`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  const [unit, length] = Object.entries(unitMs)
    .reverse()
    .find(([, length]) => ms % length === 0) ?? ['ms', 1];
  return `${ms / length}${unit}`;
}
