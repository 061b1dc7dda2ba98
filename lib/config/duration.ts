import { z } from 'zod';
import { parseDuration } from '../model/duration.ts';

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
