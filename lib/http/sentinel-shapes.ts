import * as z from 'zod';

/* What the API answers about Sentinels, and the shapes of single values. */

export const addressShape = z.object({ host: z.string(), port: z.int() });

export const instant = z.string().meta({ format: 'date-time' });

/** A replica as one Sentinel sees it. */
const replicaShape = z.object({
  address: addressShape,
  condition: z.enum(['up', 'link-down', 's_down', 'unlinked', 'master']),
  priority: z
    .int()
    .nullable()
    .meta({ description: 'Its replica-priority: Sentinel promotes the lowest, and never 0; null if it is not known.' }),
});

/** What one Sentinel says about a master. */
export const voteShape = z.object({
  address: addressShape,
  id: z.string().nullable(),
  state: z
    .string()
    .meta({ description: 'The result of asking it: seen, unaware (it monitors no such master) or unreachable.' }),
  epoch: z.int().nullable(),
  master: addressShape.nullable(),
  agrees: z.boolean().nullable().meta({
    description:
      "Whether it names the record's master at the record's epoch; null if it names none, or without a record.",
  }),
  tiltSince: instant.nullable().meta({
    description:
      'Since when it is in TILT mode, in which it finds nothing down and carries out no failover; null if it is not.',
  }),
  flags: z.array(z.string()).readonly(),
  quorum: z.int().nullable(),
  replicas: z.array(replicaShape).readonly(),
  lastReadAt: instant.nullable(),
  error: z.string().nullable().meta({ description: 'Why it is unreachable, where the cause is known.' }),
});

/** Whether a master of this node hears anybody (lib/bridge/isolation/). */
export const isolationShape = z.object({
  address: z.string().meta({ description: "`host:port`, or a socket's path, by the section register." }),
  state: z.enum(['inactive', 'connected', 'silent', 'isolated', 'replaced']),
  since: instant,
  text: z.string().meta({ description: 'The state in a sentence.' }),
  writes: z.enum(['accepted', 'paused', 'not-pausable']),
});

/** A Sentinel that the bridge knows. */
export const sentinelStateShape = z.object({
  address: addressShape,
  id: z.string().nullable(),
  up: z.boolean().meta({ description: 'Whether it answers as a Sentinel.' }),
  error: z.string().nullable().meta({ description: 'Why it does not, where the cause is known.' }),
});
