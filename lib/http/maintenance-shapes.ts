import * as z from 'zod';
import { instant } from './sentinel-shapes.ts';

/* What the API answers about maintenance. */

export const maintenanceShape = z.object({
  master: z.string().nullable().meta({ description: 'null: all masters.' }),
  state: z.enum(['on', 'ended']).meta({ description: 'ended: its time is over, and its key is still in Consul.' }),
  by: z.string().nullable(),
  at: instant.nullable(),
  until: instant.nullable().meta({ description: 'As it was ordered; null: it has no end.' }),
  endsAt: instant.nullable().meta({ description: "When this node ends it, by this node's clock." }),
  reason: z.string().nullable(),
  problem: z.string().nullable().meta({ description: 'Why the value of its key cannot be read.' }),
  text: z.string().meta({ description: 'One sentence.' }),
});

export const maintenanceAnswer = z.object({ maintenance: z.array(maintenanceShape).readonly() });

export const maintenanceOrderAnswer = z.object({
  changed: z
    .boolean()
    .meta({ description: 'false: there was nothing to end. With dryRun: whether something would change.' }),
  dryRun: z.boolean(),
  before: maintenanceShape.nullable().meta({ description: 'What the key in Consul held; null: it did not exist.' }),
  after: maintenanceShape.nullable(),
  maintenance: z.array(maintenanceShape).readonly().meta({ description: 'All that this node knows now.' }),
});
