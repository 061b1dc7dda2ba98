import * as z from 'zod';
import { addressShape, instant } from './sentinel-shapes.ts';

/** A master whose process is gone, and whose failover the daemon has not ordered. */
export const unorderedCrashShape = z.object({
  address: addressShape,
  why: z.string().meta({ description: 'Why no failover was ordered.' }),
  at: instant,
});
