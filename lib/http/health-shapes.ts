import * as z from 'zod';
import { type HealthCode, healthCodes, subjectKinds } from '../model/health.ts';
import { severities } from '../model/severity.ts';

/* What the API answers about the daemon itself: whether it is well, and what it is. */

export const levelShape = z.enum(severities);

/** Why something is not well, or what passes by itself (lib/model/health.ts). */
const reasonShape = z.object({
  code: z.enum(Object.keys(healthCodes) as [HealthCode, ...HealthCode[]]),
  level: levelShape.meta({ description: 'well: a note about something that passes by itself.' }),
  subject: z.object({
    kind: z.enum(subjectKinds),
    name: z.string(),
    address: z.string().nullable().meta({ description: 'The Sentinel or replica of a master, as host:port.' }),
  }),
  text: z.string(),
  hint: z.string().nullable().meta({ description: 'A command to type.' }),
  doc: z.string().meta({ description: 'Where the documentation explains the code.' }),
});

export const healthAnswer = z.object({ level: levelShape, reasons: z.array(reasonShape).readonly() });
export const healthCodesAnswer = z.object({
  codes: z.array(
    z.object({
      code: z.string(),
      level: levelShape,
      meaning: z.string(),
      fix: z.string().meta({ description: 'What to do. Code stands between backticks.' }),
    }),
  ),
});
export const nodeAnswer = z.object({
  name: z.string().meta({ description: "The machine's hostname." }),
  version: z.string(),
  parts: z
    .array(z.string())
    .readonly()
    .meta({ description: 'What this daemon does here: bridge, registrar, renderer, …' }),
  orders: z.enum(['token', 'off']).meta({
    description: 'Whether calls that change something need the token, or are off because api.tokenFile is not set.',
  }),
});
export const liveAnswer = z.object({ live: z.literal(true), version: z.string(), uptimeSeconds: z.number() });
export const readyAnswer = z.object({ ready: z.literal(true) });
