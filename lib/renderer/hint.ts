import type { Hint, NewHint, TimerHint } from '../loop/hint.ts';
import type { Urgency } from './plan/urgency.ts';

/** Something changed. */
interface ChangeHint extends Hint {
  readonly kind?: undefined;
}

/** Who is master may have changed: the run debounces nothing. */
interface MastersHint extends Hint {
  readonly kind: 'masters';
  /** `master-change`: a master of the text that is being applied has moved. The hint interrupts the run under way. */
  readonly urgency: Urgency;
}

/** An operator releases the held text with this digest. */
interface ApproveHint extends Hint {
  readonly kind: 'approve';
  readonly digest: string;
}

/** An operator lets a text be tried again that was rolled back. */
interface RetryHint extends Hint {
  readonly kind: 'retry';
}

/** A failover has begun that will change a master, or it did not succeed. See `Entry.expected`. */
interface ExpectationHint extends Hint {
  readonly kind: 'expectation';
}

export type RenderHint = ChangeHint | MastersHint | ApproveHint | RetryHint | ExpectationHint;

export function isMasterChange(hint: RenderHint | TimerHint): boolean {
  return hint.kind === 'masters' && hint.urgency === 'master-change';
}

export function isExpectation(hint: RenderHint | TimerHint): boolean {
  return hint.kind === 'expectation';
}

/** Wakes a template by its name. */
export type Wake = (name: string, hint: NewHint<RenderHint>) => void;
