import type { CrashEndKind } from '../model/crash-end.ts';
import { type ConnectionState, completesProofMs } from '../model/crash-proof.ts';

/** Between two attempts to connect. */
export const everyMs = 20;
/** After the proof, if other bridges or servers have said something. */
const soonMs = 2;
/** Node's timers may fire a millisecond early. An attempt that comes too soon completes no proof. */
const earlyMs = 1;

/**
 * The rest between two attempts to connect. What is learned before the proof cannot complete it: only an attempt can, which is made as
 * soon as it may.
 */
export function restAfter(
  proof: { readonly connection: ConnectionState; readonly crashAfterMs: number; readonly isComplete: boolean },
  { triedMs, nowMs }: { readonly triedMs: number; readonly nowMs: number },
): { readonly leastMs: number; readonly mostMs: number } {
  const usualMs = Math.max(soonMs, triedMs + everyMs - nowMs);
  if (proof.isComplete) return { leastMs: soonMs, mostMs: usualMs };
  const completesMs = completesProofMs(proof.connection, proof) ?? Number.POSITIVE_INFINITY;
  const completingMs = Math.max(soonMs, Math.ceil(completesMs - nowMs) + earlyMs);
  const mostMs = completingMs < usualMs + everyMs / 2 ? completingMs : usualMs;
  return { leastMs: mostMs, mostMs };
}

/** How long a proven crash waits for what keeps it from an order, such as a Sentinel that is still connected. */
export const firstWaitMs = 3_000;
/** For a crash that was judged before, and that nothing in particular made worth another judgement; and while others wait. */
export const laterWaitMs = 1_000;

/**
 * Those that nothing contradicts must not wait for long behind those that somebody contradicts. But a bridge that was too busy for its
 * own attempts to connect (`unclear`) has only to try again: another judgement would ask everything else once more.
 */
export function obstacleWaitMs(
  obstacle: CrashEndKind | undefined,
  { waitMs, isWaitedFor }: { readonly waitMs: number; readonly isWaitedFor: boolean },
): number {
  if (obstacle === 'unclear') return firstWaitMs;
  return isWaitedFor ? Math.min(waitMs, laterWaitMs) : waitMs;
}

/** A server that hangs lets a reading take a second. The others must not be asked late because of it. */
const longestRestMs = 250;

/**
 * The rest between two readings of the servers around a master. Where an answer takes longer, as during many crashes at once, more
 * questions would only make all of them late.
 */
export function restAfterReadingMs(tookMs: number): number {
  return Math.min(Math.max(everyMs, tookMs), longestRestMs);
}
