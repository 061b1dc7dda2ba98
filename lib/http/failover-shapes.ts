import * as z from 'zod';
import { addressShape } from './sentinel-shapes.ts';

/* What orders of failovers answer with. */

const manner = z.enum(['coordinated', 'paused']).meta({
  description:
    'Who pauses the writes of the old master: coordinated: itself, by order of Sentinel. paused: the bridge.',
});

/** A planned failover that was carried out (lib/bridge/failover/planned.ts). */
export const plannedAnswer = z.object({
  name: z.string(),
  manner,
  from: addressShape,
  to: addressShape,
  generation: z.int(),
  epoch: z.int(),
  stages: z
    .partialRecord(z.enum(['checked', 'paused', 'caughtUp', 'ordered', 'promoted', 'confirmed', 'demoted']), z.number())
    .meta({ description: 'Milliseconds since the beginning.' }),
  withoutWritesMs: z.number(),
  offsets: z.object({ paused: z.number().nullable(), inherited: z.number().nullable() }).meta({
    description: 'The offset of the old master after its last write, and the offset that the new master has.',
  }),
});
/** What a planned failover would do, and what is in its way (lib/bridge/failover/planned-preview.ts). */
export const plannedPreview = z.object({
  name: z.string(),
  dryRun: z.literal(true),
  verdict: z.enum(['now', 'waits', 'refused']).meta({
    description: 'now: it could begin. waits: it would wait for `why`. refused: it would not begin.',
  }),
  why: z.string().nullable().meta({ description: 'What is in its way.' }),
  manner: manner.nullable().meta({ description: 'As in the report; null where that is not known yet.' }),
  whyPaused: z.string().nullable().meta({ description: 'What prevents a coordinated failover.' }),
  from: addressShape.nullable(),
  to: addressShape.nullable().meta({ description: 'null where Sentinel chooses among several candidates.' }),
  candidates: z.array(addressShape).readonly().meta({ description: 'In sync by every Sentinel.' }),
  outOfSync: z
    .array(addressShape)
    .readonly()
    .meta({ description: 'Excluded by replica-priority 0 if they stay out of sync for 15 s.' }),
});
/** A manual failover of a cluster's shard that was carried out (lib/cluster/failover/run.ts). */
export const clusterFailoverAnswer = z.object({
  name: z.string(),
  from: addressShape,
  to: addressShape,
  epoch: z.int(),
  stages: z
    .partialRecord(z.enum(['checked', 'ordered', 'promoted', 'confirmed', 'demoted']), z.number())
    .meta({ description: 'Milliseconds since the beginning.' }),
  withoutWritesMs: z.number().meta({ description: 'At most: from the order to the promotion.' }),
  offsets: z.object({ paused: z.number().nullable(), inherited: z.number().nullable() }).meta({
    description: 'The offset of the old master after its last write, and the offset that the new master has.',
  }),
});
export const clusterFailoverPreview = plannedPreview.omit({
  candidates: true,
  outOfSync: true,
  manner: true,
  whyPaused: true,
});
