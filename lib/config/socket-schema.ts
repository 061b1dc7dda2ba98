import { posix } from 'node:path';
import * as z from 'zod';
import { type Endpoint, parseAddress } from '../model/address.ts';

/** Bytes that a socket's path may have: `sun_path` of Linux's `sockaddr_un`, without the final NUL (man 7 unix). */
const longestPath = 107;

/** `host:port`, `[v6]:port`, or the absolute path of a unix domain socket. */
export const addressOrSocket = z
  .string()
  .transform((value, context): Endpoint => {
    const parsed = parseAddress(value);
    if (parsed !== undefined) return parsed;
    const refuse = ({ message, hint }: Refusal): never => {
      context.addIssue({ code: 'custom', message, params: { hint } });
      return z.NEVER;
    };
    const refusal = refusalOf(value);
    return refusal === undefined ? posix.normalize(value) : refuse(refusal);
  })
  .meta({ is: 'address, or path of a socket' });

interface Refusal {
  readonly message: string;
  readonly hint: string;
}

function refusalOf(value: string): Refusal | undefined {
  const shown = JSON.stringify(value);
  const prefixed = /^unix[:@](?:\/\/)?(\/.*)$/.exec(value)?.[1];
  if (prefixed !== undefined)
    return { message: `${shown} is not an address`, hint: `write the path alone: ${prefixed}` };
  if (!value.startsWith('/')) {
    const hint = value.includes('://')
      ? 'leave the scheme out'
      : 'write host:port, [address]:port for IPv6, or the absolute path of a socket';
    return { message: `${shown} is not an address`, hint };
  }
  const [, path] = /^(.*\S)\s+0?[0-7]{3}$/.exec(value) ?? [];
  if (path !== undefined) return { message: `${shown} ends with a mode`, hint: `write the path alone: ${path}` };
  if (value.endsWith('/') || /\p{Cc}/u.test(value)) {
    return { message: `${shown} cannot be the path of a socket`, hint: 'write the absolute path of its file' };
  }
  const length = Buffer.byteLength(posix.normalize(value));
  if (length <= longestPath) return undefined;
  return {
    message: `is ${length} bytes long, but the path of a socket at most ${longestPath}`,
    hint: 'use a shorter path',
  };
}
