import * as z from 'zod';
import { type Address, parseAddress } from '../model/address.ts';
import { parseDuration } from '../model/duration.ts';
import { nameInPath } from '../model/naming.ts';

/* Parameters that several routes have, each defined once. */

/** The name of a master, a template or a cluster. Sentinel limits none. */
export const nameParameter = z.string().min(1).max(1_024);

/** Such a name as a part of the path. */
export const nameInPathParameter = nameParameter.transform(nameInPath);

/** `host:port`, or `[address]:port`. */
export const addressParameter = z.string().transform((value, context): Address => {
  const parsed = parseAddress(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(value.slice(0, 100))} is not host:port` });
  return z.NEVER;
});

/** The accepted lag of a replica. */
export type LagLimit = { readonly unit: 'bytes'; readonly max: number } | { readonly unit: 'ms'; readonly max: number };

const byteUnits: Readonly<Record<string, number>> = { '': 1, b: 1, kb: 1_024, mb: 1_024 ** 2, gb: 1_024 ** 3 };

/** A number of bytes (`1000`, `64kb`, `10mb`), or a time (`10s`, `500ms`). */
export const lagParameter = z
  .string()
  .max(32)
  .transform((value, context): LagLimit => {
    const bytes = /^(\d{1,15})(b|kb|mb|gb)?$/i.exec(value);
    if (bytes !== null) {
      return { unit: 'bytes', max: Number(bytes[1]) * (byteUnits[(bytes[2] ?? '').toLowerCase()] ?? 1) };
    }
    const ms = parseDuration(value);
    if (ms !== undefined) return { unit: 'ms', max: ms };
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is neither bytes (64kb) nor a time (10s)` });
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
