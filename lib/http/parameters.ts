import { z } from 'zod';
import { type Address, parseAddress } from '../model/address.ts';
import { parseDuration } from '../model/duration.ts';

/* What routes take: one definition each, so that all of them refuse alike. */

/** The name of a master, a template or a cluster. */
export const nameParameter = z.string().min(1).max(256);

/** `host:port`, or `[address]:port`. */
export const addressParameter = z.string().transform((value, context): Address => {
  const parsed = parseAddress(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(value.slice(0, 100))} is not host:port` });
  return z.NEVER;
});

/** `10s`, `500ms`, or a number of milliseconds; its output is milliseconds. */
export function durationParameter(limits: { readonly minMs: number; readonly maxMs: number }) {
  return z.union([z.string().max(32), z.number()]).transform((value, context): number => {
    const ms = parseDuration(value);
    if (ms !== undefined && ms >= limits.minMs && ms <= limits.maxMs) return Math.round(ms);
    const between = `between ${limits.minMs}ms and ${limits.maxMs}ms`;
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not a duration ${between}` });
    return z.NEVER;
  });
}
