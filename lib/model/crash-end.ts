/* How the judgement of a master whose process was proven to be gone can end. */

/** Why no failover was ordered by this bridge, or that it was. */
export type CrashEndKind = keyof typeof crashEnds;

interface EndTraits {
  /** As the journal has it. `fenced`: somebody else acts. */
  readonly outcome: 'applied' | 'fenced' | 'held';
  /** Whether the health shows it for as long as the process is gone. `kept`: the reason from before, if there was one. */
  readonly problem: 'shown' | 'kept' | 'none';
  /** Whether a crash that ended so is judged again by itself, while the record names the master. */
  readonly again: 'later' | 'never';
}

const held = { outcome: 'held', problem: 'shown', again: 'later' } as const;
/** Sentinels that find it down may be waiting, and an order may have failed: what was shown before still holds. */
const elsewhere = { outcome: 'fenced', problem: 'kept', again: 'later' } as const;
const over = { outcome: 'held', problem: 'none', again: 'never' } as const;

export const crashEnds = {
  ordered: { outcome: 'applied', problem: 'none', again: 'never' },
  /** Another bridge noted an order of its own meanwhile. */
  'ordered-elsewhere': elsewhere,
  /** The Sentinels or the cluster fail over by themselves, or the record is not settled. */
  'others-act': elsewhere,
  /** The Sentinels or the cluster may begin a failover at any moment. */
  'others-may-act': held,
  /** A Sentinel, a node, a replica, or another bridge does not see the crash. */
  contradicted: held,
  maintenance: held,
  /** The last failover or order was less than failover-timeout ago. */
  'too-soon': held,
  /** No replica that may be promoted is known to have had the data. */
  'no-replica': held,
  /** Too few Sentinels name the master, or too few masters of a cluster would vote. */
  'no-majority': held,
  /** Consul does not answer, or does not give this bridge what an order needs. */
  consul: held,
  /** The token, or the user at Sentinel or Redis, may not do it. */
  'right-missing': held,
  /** The server refused the order, for a reason that may end. */
  refused: held,
  /** The order was sent, and nobody knows whether it arrived. */
  unanswered: held,
  /** This program failed. */
  failed: held,
  /** The host does not refuse connections any more, and nobody accepts them; or this bridge was too busy to know. */
  unclear: held,
  /** A process accepts connections again. */
  back: over,
  /** This daemon stops, or reads its config again. */
  stopped: over,
} as const satisfies Readonly<Record<string, EndTraits>>;

const firstPauseMs = 2_000;
const longestPauseMs = 15_000;
/** After a judgement that others did not give its time, because they waited for its place. It comes after those that still wait. */
const hurriedPauseMs = 250;
/** Crashes that stay contradicted would keep the bridge busy. */
const mostHurried = 2;

/**
 * After how many milliseconds a crash without an order is judged again by itself. Rights, replicas, other bridges and Consul may be
 * there by then. undefined: never. `attempt` counts from 0. `forMs`: for how long nothing can be ordered.
 */
export function judgeAgainAfterMs(end: {
  readonly kind: CrashEndKind;
  readonly attempt: number;
  readonly forMs: number | undefined;
  /** Whether others waited for its place. */
  readonly isHurried?: boolean;
}): number | undefined {
  const { kind, attempt, forMs = 0, isHurried = false } = end;
  if (crashEnds[kind].again === 'never') return undefined;
  if (isHurried && attempt < mostHurried && kind === 'contradicted') return hurriedPauseMs;
  return Math.max(forMs, Math.min(firstPauseMs * 2 ** attempt, longestPauseMs));
}
