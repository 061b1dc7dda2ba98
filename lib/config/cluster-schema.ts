import * as z from 'zod';
import { duration } from './duration.ts';
import { address, crashSettings, nameText, redisAccess, text } from './shared-schema.ts';

const cluster = z.strictObject({
  name: nameText,
  seeds: z.array(address).min(1, 'needs at least one address').default([]),
  service: text.optional(),
  ...redisAccess.shape,
  resync: duration({ minMs: 100, maxMs: 600_000 }).default(1_000),
  ...crashSettings,
});
export type RawCluster = z.output<typeof cluster>;

export const clusterSection = z.array(cluster);
