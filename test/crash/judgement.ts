import { probeEveryMs, type Silences, type Span } from './silence.ts';

/** A bridge's report about an order, as far as it is judged. */
export interface ReportedOrder {
  /** When it was reported, in milliseconds since the epoch. */
  readonly atMs: number;
  /** The report's details (`toEvidence`). */
  readonly details: unknown;
}

interface Details {
  readonly sign?: { readonly kind?: string };
  readonly stages?: { readonly provenMs?: number; readonly orderedMs?: number };
}

/** For how long nobody listened before the proof, and how long after that time the proof and the order were. */
interface Limits {
  readonly neededMs: number;
  readonly lateMs: number;
  readonly orderLateMs: number;
}

/**
 * `due`: nobody listened for as long as the proof took. `unclear`: too few attempts fell into that time to know it, or the proof or
 * the order was late.
 */
export type Judgement = 'due' | 'unclear' | 'wrong';

/** Longer than it takes a bridge to end a case after a connection was accepted. */
export const quietMs = 150;

/** Claiming the order in Consul and giving it takes time after the last refusal: this much at most on a busy machine. */
const lateOrderMs = 1_000;

/** A bridge connects some 20 ms after the attempt before, and the prober {@link probeEveryMs}. */
const toleranceMs = 20 + 2 * probeEveryMs;

/** The worst of the judgements of these orders. No silences: nothing ended the master's process or its listener. */
export function judgeOrders(
  orders: readonly ReportedOrder[],
  { silences, crashAfterMs }: { readonly silences: Silences | undefined; readonly crashAfterMs: number },
): Judgement {
  const found = orders.map((order) => judgeOrder(order, { silences, crashAfterMs }));
  return (['wrong', 'unclear'] as const).find((kind) => found.includes(kind)) ?? 'due';
}

function judgeOrder(
  { atMs, details }: ReportedOrder,
  { silences, crashAfterMs }: { readonly silences: Silences | undefined; readonly crashAfterMs: number },
): Judgement {
  const { sign, stages: { provenMs = 0, orderedMs = 0 } = {} } = (details ?? {}) as Details;
  const provenAtMs = atMs - orderedMs + provenMs;
  const isIn = ({ fromMs, toMs }: Span, { neededMs, lateMs, orderLateMs }: Limits) => {
    // Another process that answers, without the keys of the one that ended: it follows a silence of any length.
    if (sign?.kind === 'emptied') return fromMs <= provenAtMs;
    const isLongEnough = Math.min(provenAtMs, toMs) - fromMs >= neededMs;
    return isLongEnough && provenAtMs <= toMs + lateMs && atMs <= toMs + orderLateMs;
  };
  // A certain silence is up to two intervals shorter than the real one, and a possible one is not shorter.
  const certain = { neededMs: crashAfterMs - 2 * probeEveryMs, lateMs: toleranceMs, orderLateMs: quietMs };
  const possible = { neededMs: crashAfterMs, lateMs: quietMs, orderLateMs: lateOrderMs };
  if (silences?.certain.some((span) => isIn(span, certain))) return 'due';
  return silences?.possible.some((span) => isIn(span, possible)) ? 'unclear' : 'wrong';
}
