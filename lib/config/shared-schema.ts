import * as z from 'zod';
import { type Address, parseAddress } from '../model/address.ts';
import { longestMetaValue } from '../model/naming.ts';
import { defaultTlsVerify } from './defaults.ts';
import { duration } from './duration.ts';

/*
 * Schemas that several sections of the config share. `is` in the meta of a schema is its type in words: docs/reference/config.md has
 * it where the schema alone does not say enough.
 */
export const text = z.string().min(1, 'must not be empty').meta({ is: 'text' });
export const filePath = text.meta({ is: 'path' });
/** With `*` and `?`. */
export const pattern = text.meta({ is: 'pattern' });

/** A text that Consul can hold as a value of meta. */
export const metaValue = z
  .string()
  .refine(
    (value) => Buffer.byteLength(value) <= longestMetaValue,
    `must have at most ${longestMetaValue} bytes, which is Consul's limit`,
  );

/** The name of a master or a cluster. */
export const nameText = metaValue.min(1, 'must not be empty').meta({ is: 'text' });

/** `host:port` or `[v6]:port`. */
export const address = z
  .string()
  .transform((value, context): Address => {
    const parsed = parseAddress(value);
    if (parsed !== undefined) return parsed;
    const hint = value.includes('://') ? 'leave the scheme out' : 'write host:port, or [address]:port for IPv6';
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not an address`, params: { hint } });
    return z.NEVER;
  })
  .meta({ is: 'address' });

/** `host:port`, or the path of a unix domain socket. */
export const endpoint = z
  .union([z.string().regex(/^\//, 'must be a path that begins with /, or host:port'), address])
  .meta({ is: 'address, or path of a socket' });

const clientTls = z.strictObject({
  caFile: filePath.optional(),
  caPath: filePath.optional(),
  certFile: filePath.optional(),
  keyFile: filePath.optional(),
  serverName: text.optional(),
  verify: z.boolean().default(defaultTlsVerify),
});
export type RawClientTls = z.output<typeof clientTls>;

/** Credentials and TLS for a Redis or a Sentinel. */
export const redisAccess = z.strictObject({
  username: text.optional(),
  passwordFile: filePath.optional(),
  tls: z.union([z.boolean(), clientTls]).default(false),
});
export type RawAccess = z.output<typeof redisAccess>;

/** Like {@link address}; port 0 takes a free port. */
export const listenAddress = z
  .string()
  .transform((value, context): Address => {
    const free = /^(.+):0$/.exec(value);
    const parsed = free === null ? parseAddress(value) : parseAddress(`${free[1]}:1`);
    if (parsed !== undefined) return free === null ? parsed : { host: parsed.host, port: 0 };
    const hint = value.startsWith(':') ? `write 127.0.0.1${value}` : 'write host:port, or [address]:port for IPv6';
    context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} is not an address`, params: { hint } });
    return z.NEVER;
  })
  .meta({ is: 'address' });

/** The certificate of a server of ours. With `clientCaFile`, clients need a certificate that it issued. */
export const serverTls = z.strictObject({ certFile: filePath, keyFile: filePath, clientCaFile: filePath.optional() });
export type RawServerTls = z.output<typeof serverTls>;

/** What the daemon does about a master that crashed: see docs/crash.md. */
export const crashSettings = {
  onCrash: z.enum(['failover', 'wait']).default('failover'),
  crashAfter: duration({ minMs: 40, maxMs: 60_000 }).default(60),
};
