/* What the connections of this host to a master prove about its process. */

/** The result of one attempt to connect. `unclear`: neither, such as a time-out, no route, or a name without address. */
export type ConnectResult = 'refused' | 'accepted' | 'unclear';

export type ConnectionEvent =
  /** The other side closed an open connection. */
  { readonly kind: 'closed'; readonly atMs: number } | { readonly kind: ConnectResult; readonly atMs: number };

/** Times are milliseconds of `performance.now()`. */
export type ConnectionState =
  /** Nothing suggests a crash. */
  | { readonly kind: 'no-proof' }
  /** A connection was closed, and nobody has connected since. */
  | { readonly kind: 'closed'; readonly closedMs: number }
  | {
      readonly kind: 'refused';
      readonly closedMs: number;
      /** The first and the last of the refusals that came one after the other. */
      readonly firstMs: number;
      readonly lastMs: number;
      readonly count: number;
    };

/** After a longer pause, the bridge itself was stopped or busy: what happened meanwhile is unknown. */
export const longestPauseMs = 250;

/** Fewer refusals could be a short problem of the network. */
const fewestRefusals = 3;

/** Only a close begins a proof, and anything but a refusal ends it. */
export function traceConnection(before: ConnectionState, event: ConnectionEvent): ConnectionState {
  const { kind, atMs } = event;
  if (kind === 'closed') return { kind: 'closed', closedMs: atMs };
  if (kind !== 'refused' || before.kind === 'no-proof') return { kind: 'no-proof' };
  const { closedMs } = before;
  if (before.kind === 'closed' || atMs - before.lastMs > longestPauseMs)
    return { kind: 'refused', closedMs, firstMs: atMs, lastMs: atMs, count: 1 };
  return { ...before, lastMs: atMs, count: before.count + 1 };
}

/**
 * From when on another refusal completes the proof. undefined as long as too few came one after the other: the distance between
 * those does not change.
 */
export function completesProofMs(
  state: ConnectionState,
  { crashAfterMs }: { readonly crashAfterMs: number },
): number | undefined {
  return state.kind === 'refused' && state.count >= fewestRefusals ? state.firstMs + crashAfterMs : undefined;
}

/** Whether the host has refused connections again and again for `crashAfterMs`, until just now. */
export function isProven(
  state: ConnectionState,
  { crashAfterMs, nowMs }: { readonly crashAfterMs: number; readonly nowMs: number },
): boolean {
  if (state.kind !== 'refused' || state.count < fewestRefusals) return false;
  return state.lastMs - state.firstMs >= crashAfterMs && nowMs - state.lastMs <= longestPauseMs;
}
