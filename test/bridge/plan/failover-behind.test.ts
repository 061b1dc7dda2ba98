import t from 'tap';
import { all, announced, type Table, testDecisions } from './decision-table.ts';
import { at, held, record, role, view } from './world.ts';

const five = record('A', { epoch: 5 });

const table: Table = {
  'the Sentinels are behind the record': [
    {
      when: 'one Sentinel lags and is the only one that answers: refused',
      given: { held: held(five), views: [view(1, 'B', 4)], role: role('B', 'master') },
      expect: { wait: 'older' },
    },
    {
      when: 'one Sentinel lags and announces: the bridge asks all first',
      given: { ...announced, held: held(five), views: [view(1, 'B', 4)] },
      expect: 'ask-all',
    },
    {
      when: 'two Sentinels lag with different epochs: no majority',
      given: { held: held(five), views: [view(1, 'B', 4), view(2, 'C', 3)] },
      expect: { wait: 'older' },
    },
    {
      when: 'a majority agrees: the wait begins',
      given: { held: held(five), views: all('B', 1), role: role('B', 'master') },
      expect: { wait: 'rebase', retryAfterMs: 10_000 },
    },
    {
      when: 'one rebuilt Sentinel that knows no other is no majority of three',
      given: {
        held: held(five),
        views: [view(1, 'B', 0, { knownSentinels: 1 })],
        role: role('B', 'master'),
        lagging: { master: at('B'), epoch: 0, sinceMs: 0 },
      },
      expect: { wait: 'older' },
    },
    {
      when: 'half of the wait is over',
      given: { held: held(five), views: all('B', 1), lagging: { master: at('B'), epoch: 1, sinceMs: 995_000 } },
      expect: { wait: 'rebase', retryAfterMs: 5_000 },
    },
    {
      when: 'the record was edited by hand: the wait is short',
      given: { held: held(five), views: all('B', 1), edit: 'suspected', role: role('B', 'master') },
      expect: { wait: 'rebase', retryAfterMs: 1_000 },
    },
    {
      when: 'the record was edited by hand, and the short wait is over: a new generation',
      given: {
        held: held(five),
        views: all('B', 1),
        edit: 'suspected',
        role: role('B', 'master'),
        lagging: { master: at('B'), epoch: 1, sinceMs: 999_000 },
      },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 1, master: at('B') } },
    },
    {
      when: 'the majority names another epoch: the wait begins again',
      given: { held: held(five), views: all('B', 2), lagging: { master: at('B'), epoch: 1, sinceMs: 0 } },
      expect: { wait: 'rebase', retryAfterMs: 10_000 },
    },
    {
      when: 'the majority names another master at that epoch: the wait begins again',
      given: { held: held(five), views: all('C', 1), lagging: { master: at('B'), epoch: 1, sinceMs: 0 } },
      expect: { wait: 'rebase', retryAfterMs: 10_000 },
    },
    {
      when: 'the wait is over, and the target was not asked: the bridge asks it first',
      given: { held: held(five), views: all('B', 1), lagging: { master: at('B'), epoch: 1, sinceMs: 990_000 } },
      expect: { ask: 'B' },
    },
    {
      when: 'the wait is over, and the target is a master: a new generation',
      given: {
        held: held(five),
        views: all('B', 1),
        lagging: { master: at('B'), epoch: 1, sinceMs: 990_000 },
        role: role('B', 'master'),
      },
      expect: {
        publish: 'rebase',
        is: { generation: 2, epoch: 1, master: at('B'), previous: at('A'), phase: 'confirmed' },
      },
    },
    {
      when: 'the wait is over, with the same master: a new generation, with the same previous master',
      given: {
        held: held(five),
        views: all('A', 0),
        lagging: { master: at('A'), epoch: 0, sinceMs: 0 },
        role: role('A', 'master'),
      },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 0, master: at('A'), previous: null } },
    },
    ...(['replica', 'unreachable', 'other'] as const).map((answer) => ({
      when: `the wait is over, and the target answers as ${answer}: no new generation`,
      given: {
        held: held(five),
        views: all('B', 1),
        lagging: { master: at('B'), epoch: 1, sinceMs: 0 },
        role: role('B', answer),
      },
      expect: { wait: 'rebase', retryAfterMs: 1_000 } as const,
    })),
    {
      when: 'the record is gone: the remembered one counts',
      given: { remembered: five, views: all('B', 1), role: role('B', 'master') },
      expect: { wait: 'rebase', retryAfterMs: 10_000 },
    },
    {
      when: "one Sentinel still has the record's epoch: no new generation",
      given: {
        held: held(five),
        views: [view(1, 'A', 5), view(2, 'B', 1), view(3, 'B', 1)],
        lagging: { master: at('B'), epoch: 1, sinceMs: 0 },
        role: role('B', 'master'),
      },
      expect: 'stands',
    },
  ],
};

testDecisions(t, table);
