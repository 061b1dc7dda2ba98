import t from 'tap';
import { nextRoundMs } from '../../../../lib/bridge/isolation/plan/pace.ts';
import type { IsolationState } from '../../../../lib/bridge/isolation/plan/state.ts';
import { connected, isolated, nowMs, replaced, silent, tooLong, unconfirmed } from './rows.ts';

const heard = connected(nowMs);
const asked = { askingSinceMs: nowMs - 1_000 };
const longAsked = { askingSinceMs: nowMs - 11_000 };
const inactive = { kind: 'inactive', why: 'replica', atMs: nowMs } as const;

const rows: readonly (readonly [string, IsolationState | undefined, { readonly askingSinceMs?: number }, number])[] = [
  ['the first round is over', undefined, {}, 250],
  ['a replica acknowledges', heard, {}, 1_000],
  ['it acknowledges, shortly after a pause', { ...heard, releasedMs: nowMs - 1_000 } as IsolationState, {}, 250],
  ['others answer in its place', { ...heard, by: 'sentinels' } as IsolationState, asked, 250],
  ['others answer in its place for long', { ...heard, by: 'consul' } as IsolationState, longAsked, 500],
  ['nobody answers', silent(1, nowMs), {}, 50],
  ['it is isolated', isolated, {}, 250],
  ['it was replaced', replaced, {}, 250],
  ['nothing is to be paused', inactive, {}, 1_000],
  ['it does not answer, and was replaced for too long before', { ...tooLong, why: 'not answered' }, {}, 1_000],
  ['it was replaced for too long', tooLong, asked, 250],
  ['its successor is unconfirmed', unconfirmed, longAsked, 500],
];

t.test('a master is asked rarely while a replica acknowledges', (t) => {
  for (const [when, state, { askingSinceMs }, wanted] of rows)
    t.equal(nextRoundMs(state, { nowMs, silenceMs: 2_000, askingSinceMs }), wanted, when);
  t.equal(nextRoundMs(heard, { nowMs, silenceMs: 1_000, askingSinceMs: undefined }), 500, 'Sentinel acts early');
  t.end();
});
