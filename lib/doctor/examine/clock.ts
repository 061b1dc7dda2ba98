import type { ExaminedClock } from '../../model/examination.ts';

/** When another clock was asked, by this machine's, and what it said. All in milliseconds since 1970. */
export interface ClockReading {
  readonly theirsMs: number;
  /** How far off the reading may be for its own coarseness, to either side. */
  readonly resolutionMs: number;
  readonly sentMs: number;
  readonly receivedMs: number;
}

/** Against the middle of the round trip; undefined where it did not tell. */
export function compareClocks(
  whose: string,
  { theirsMs, resolutionMs, sentMs, receivedMs }: ClockReading,
): ExaminedClock | undefined {
  if (!Number.isFinite(theirsMs) || theirsMs <= 0) return undefined;
  const aheadMs = Math.round(theirsMs - (sentMs + receivedMs) / 2);
  return { whose, aheadMs, uncertaintyMs: Math.abs(receivedMs - sentMs) / 2 + resolutionMs };
}
