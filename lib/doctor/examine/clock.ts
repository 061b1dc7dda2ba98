import type { ExaminedClock } from '../examination.ts';

/** A reading of another clock, with the times of this machine's clock around it. All in milliseconds since 1970. */
export interface ClockReading {
  readonly theirsMs: number;
  /** The resolution of the other clock, to either side. */
  readonly resolutionMs: number;
  readonly sentMs: number;
  readonly receivedMs: number;
}

/** Compares with the middle of the round trip. Returns undefined if the other side reported no time. */
export function compareClocks(
  whose: string,
  { theirsMs, resolutionMs, sentMs, receivedMs }: ClockReading,
): ExaminedClock | undefined {
  if (!Number.isFinite(theirsMs) || theirsMs <= 0) return undefined;
  const aheadMs = Math.round(theirsMs - (sentMs + receivedMs) / 2);
  return { whose, aheadMs, uncertaintyMs: Math.abs(receivedMs - sentMs) / 2 + resolutionMs };
}
