/** What the choice of a Sentinel depends on. */
interface Choosable {
  readonly tiltSinceMs?: number | undefined;
}

/**
 * The Sentinels that may be ordered to fail over. One in TILT mode, for example on a host that was stopped, starts nothing for
 * 30 s (sentinel.c, sentinelHandleRedisInstance), so it counts only where there is no other.
 */
export function orderable<S extends Choosable>(sentinels: readonly S[]): readonly S[] {
  const ready = sentinels.filter(({ tiltSinceMs }) => tiltSinceMs === undefined);
  return ready.length > 0 ? ready : sentinels;
}

/** The same, in an order that is the same for every bridge. */
export function orderableById<S extends Choosable & { readonly sentinelId: string }>(
  sentinels: readonly S[],
): readonly S[] {
  return orderable(sentinels).toSorted((a, b) => (a.sentinelId < b.sentinelId ? -1 : 1));
}
