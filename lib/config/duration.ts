import * as z from 'zod';
import { formatDuration, parseDuration } from '../model/duration.ts';

const longestMs = 86_400_000;

/** A schema for a duration from `minMs` to `maxMs` (default: a day); its output is whole milliseconds. */
export function duration(limits: { readonly minMs: number; readonly maxMs?: number }) {
  const { minMs, maxMs = longestMs } = limits;
  const schema = z.unknown().transform((value, context) => {
    const ms = parseDuration(value);
    if (ms === undefined) {
      const message = `${JSON.stringify(value)} is not a duration`;
      context.addIssue({ code: 'custom', message, params: { hint: 'write 500ms, 10s, 1m30s, or a number of ms' } });
      return z.NEVER;
    }
    if (ms < minMs || ms > maxMs) {
      const message = `must be between ${minMs}ms and ${maxMs}ms`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    return Math.round(ms);
  });
  return schema.meta({ is: wordsFor({ minMs, maxMs }) });
}

function wordsFor({ minMs, maxMs }: { readonly minMs: number; readonly maxMs: number }): string {
  if (maxMs < longestMs) return `duration, ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return minMs === 0 ? 'duration' : `duration, at least ${formatDuration(minMs)}`;
}
