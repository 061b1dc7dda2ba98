/**
 * How long ago an ISO 8601 time of another clock was, in milliseconds. A time in the future, or a text that is none, counts as this
 * moment: what must be old enough is not.
 */
export function ageOf(time: string, nowMs: number = Date.now()): number {
  const ageMs = nowMs - Date.parse(time);
  return Number.isNaN(ageMs) ? 0 : Math.max(0, ageMs);
}
