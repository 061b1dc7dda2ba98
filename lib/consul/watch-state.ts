import { isDeepStrictEqual } from 'node:util';
import type { SwitchmasterError } from '../errors.ts';

/**
 * What is known of one watched query.
 *
 * `pending` → `current` ⇄ `stale`, or `pending` → `failed` → `current`. `stale` keeps the last good value through an
 * outage; `failed` means that nothing was ever read. `resets` counts the falls of Consul's index while the query was
 * watched: after a fall the catalog may lack entries (hashicorp/consul 16539, consul-template 1713).
 */
export type WatchState<T> =
  | { readonly kind: 'pending' }
  | { readonly kind: 'current'; readonly value: T; readonly index: bigint; readonly resets: number }
  | {
      readonly kind: 'stale';
      readonly value: T;
      readonly index: bigint;
      readonly resets: number;
      readonly error: SwitchmasterError;
    }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError };

/** Why a watch notifies its followers: another value, another kind of state, or a fallen index. */
export type WatchEvent = 'value' | 'state' | 'reset';

/** The state after a good answer. An equal value stays the same object, so that followers can compare by identity. */
export function answered<T>(
  state: WatchState<T>,
  answer: { readonly value: T; readonly index: bigint; readonly resets: number },
): { readonly state: WatchState<T>; readonly event: WatchEvent | undefined } {
  if (state.kind === 'pending' || state.kind === 'failed') {
    return { state: { kind: 'current', ...answer }, event: 'state' };
  }
  const same = isDeepStrictEqual(state.value, answer.value);
  const value = same ? state.value : answer.value;
  const next: WatchState<T> = { kind: 'current', ...answer, value };
  if (!same) return { state: next, event: 'value' };
  if (state.kind === 'stale') return { state: next, event: 'state' };
  return { state: next, event: answer.resets > state.resets ? 'reset' : undefined };
}

/** The state after an error. */
export function failed<T>(
  state: WatchState<T>,
  error: SwitchmasterError,
): { readonly state: WatchState<T>; readonly event: WatchEvent | undefined } {
  switch (state.kind) {
    case 'pending':
      return { state: { kind: 'failed', error }, event: 'state' };
    case 'failed':
      return { state: { kind: 'failed', error }, event: undefined };
    case 'current':
      return { state: { ...state, kind: 'stale', error }, event: 'state' };
    case 'stale':
      return { state: { ...state, error }, event: undefined };
  }
}

export function hasValue<T>(state: WatchState<T>): state is Extract<WatchState<T>, { value: T }> {
  return state.kind === 'current' || state.kind === 'stale';
}

/** The last good answer, also while Consul is out of reach; undefined if there is none. */
export function lastValue<T>(state: WatchState<T>): T | undefined {
  return hasValue(state) ? state.value : undefined;
}
