import * as z from 'zod';
import { isolations } from '../model/instance.ts';
import { instanceKindNames } from '../model/instance-kinds.ts';
import { duration } from './duration.ts';
import { address, endpoint, metaValue, nameText, pattern, redisAccess, text } from './shared-schema.ts';
import { addressOrSocket } from './socket-schema.ts';

const tag = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'must be a DNS label')
  .meta({ is: 'DNS label' });

const check = z.strictObject({
  interval: duration({ minMs: 100, maxMs: 600_000 }).default(2_000),
  timeout: duration({ minMs: 50, maxMs: 60_000 }).default(1_000),
  consulInterval: duration({ minMs: 1_000, maxMs: 600_000 }).default(5_000),
  consulTimeout: duration({ minMs: 100, maxMs: 60_000 }).default(2_000),
  http: z.url().optional(),
  fall: z.int().min(1).max(100).default(2),
  rise: z.int().min(1).max(100).default(2),
  maxLag: duration({ minMs: 1_000 }).default(30_000),
  maxLinkDown: duration({ minMs: 1_000 }).default(60_000),
  // Consul reaps at most every 30 seconds, and refuses less than a minute (agent config, "deregister_critical_service_after").
  deregisterCriticalServiceAfter: duration({ minMs: 60_000 }).optional(),
});

const discovery = z.strictObject({
  hosts: z.array(text.meta({ is: 'host' })).default([]),
  masters: z.array(pattern).min(1).default(['*']),
});

/** Consul takes 64 (agent/structs/structs.go, metaMaxKeyPairs); the registrar needs the others. */
const mostMeta = 40;

const instance = z.strictObject({
  kind: z.enum(instanceKindNames),
  name: nameText.optional(),
  address: addressOrSocket.optional(),
  announce: address.optional(),
  discover: z.union([z.literal(true).transform(() => discovery.parse({})), discovery]).optional(),
  stats: endpoint.optional(),
  ...redisAccess.shape,
  tags: z.array(tag).default([]),
  meta: z
    .record(z.string().regex(/^[A-Za-z0-9_-]{1,128}$/), metaValue)
    .refine((meta) => Object.keys(meta).length <= mostMeta, `must have at most ${mostMeta} keys`)
    .meta({ is: 'map of texts' })
    .default({}),
  check: check.prefault({}),
  deregisterOnStop: z.boolean().default(false),
  isolation: z.enum(isolations).optional(),
});
export type RawInstance = z.output<typeof instance>;

export const registerSection = z.array(instance);
