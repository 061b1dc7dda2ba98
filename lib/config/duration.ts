import { z } from 'zod';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `10s`, `1m30s`, or a number of milliseconds; undefined where it is none of these. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined;
  if (typeof value !== 'string' || !/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(value)) return undefined;
  let totalMs = 0;
  for (const [, count, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    totalMs += Number(count) * (unitMs[unit ?? ''] ?? Number.NaN);
  }
  return totalMs;
}

/** A schema for a duration from `minMs` to `maxMs` (default: a day); its output is whole milliseconds. */
export function duration(limits: { readonly minMs: number; readonly maxMs?: number }) {
  const maxMs = limits.maxMs ?? 86_400_000;
  return z.unknown().transform((value, context) => {
    const ms = parseDuration(value);
    if (ms === undefined) {
      const message = `${JSON.stringify(value)} is not a duration`;
      context.addIssue({ code: 'custom', message, params: { hint: 'write 500ms, 10s, 1m30s, or a number of ms' } });
      return z.NEVER;
    }
    if (ms < limits.minMs || ms > maxMs) {
      const message = `must be between ${limits.minMs}ms and ${maxMs}ms`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    return Math.round(ms);
  });
}
