import * as z from 'zod';
import { defaultSentinelAddress } from './defaults.ts';
import { duration } from './duration.ts';
import { address, filePath, listenAddress, serverTls, text } from './shared-schema.ts';

/** The section `sentinelEndpoint`. */
export const endpointSection = z.strictObject({
  listen: listenAddress.default(defaultSentinelAddress),
  announce: address.optional(),
  allowRemote: z.boolean().default(false),
  username: text.default('default'),
  passwordFile: filePath.optional(),
  operator: z.strictObject({ username: text.default('operator'), passwordFile: filePath }).optional(),
  tls: serverTls.optional(),
  maxConnections: z.int().min(1).max(100_000).default(10_000),
  idleTimeout: duration({ minMs: 1_000 }).default(3_600_000),
});
export type RawEndpoint = z.output<typeof endpointSection>;
