import { asksBesideReplica } from './plan.ts';
import { type IsolationState, isOver } from './state.ts';

const everyMs = 250;
/** While nobody answers, a round takes as long as its time-outs. */
const silentEveryMs = 50;
/** Whoever answers for longer, in place of a replica, is asked less often. */
const askOftenMs = 10_000;
const longestEveryMs = 500;

/**
 * The time between two rounds, unless there is news before. The silence counts from the last answer, so that a longer time delays a
 * pause only by the time-outs of the rounds that it omits: half of the silence leaves enough for two of them.
 */
export function nextRoundMs(
  state: IsolationState | undefined,
  now: {
    readonly nowMs: number;
    readonly silenceMs: number;
    /** Since when others are asked in each round, and answer; undefined while nobody is. */
    readonly askingSinceMs: number | undefined;
  },
): number {
  if (state?.kind === 'silent') return silentEveryMs;
  if (isCalm(state, now.nowMs)) return now.silenceMs / 2;
  const isNew = now.askingSinceMs === undefined || now.nowMs - now.askingSinceMs < askOftenMs;
  return isNew ? everyMs : longestEveryMs;
}

/** Whether a replica acknowledges, or nothing is paused anyway. */
function isCalm(state: IsolationState | undefined, nowMs: number): boolean {
  if (state?.kind === 'inactive') return !isOver(state);
  return state?.kind === 'connected' && state.by === 'replica' && !asksBesideReplica(state, nowMs);
}
