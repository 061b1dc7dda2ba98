import type { ServerResponse } from 'node:http';
import * as z from 'zod';
import { durationParameter } from './parameters.ts';

/** The longest time for one stage: writes may wait for three times that. */
const longestStageMs = 60_000;

/** What the bodies of all failovers have. */
export const failoverLimits = {
  timeout: durationParameter({ minMs: 100, maxMs: 600_000 }).optional(),
  dryRun: z.boolean().optional(),
};

/** How long a failover may wait until it can begin, and take for each stage. */
export function limitsOf(timeoutMs: number | undefined): { readonly timeoutMs?: number; readonly waitMs?: number } {
  return timeoutMs === undefined ? {} : { timeoutMs: Math.min(timeoutMs, longestStageMs), waitMs: timeoutMs };
}

/** Aborts when the client that waits for the answer is gone. */
export function abortedWith(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}
