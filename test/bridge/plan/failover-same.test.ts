import t from 'tap';
import { all, announced, type Table, testDecisions } from './decision-table.ts';
import { at, held, others, record, role, view } from './world.ts';

const five = record('A', { epoch: 5 });

const table: Table = {
  'the record and the Sentinels agree': [
    { when: 'nothing differs', given: { held: held(five), views: all('A', 5) }, expect: 'stands' },
    {
      when: 'all Sentinels see the master down: the record stays, because they decided nothing',
      given: { held: held(five), views: [1, 2, 3].map((n) => view(n, 'A', 5, { condition: 'o_down', linked: false })) },
      expect: 'stands',
    },
    {
      when: 'a Sentinel lags: the record stays',
      given: { held: held(five), views: [view(1, 'A', 5), view(2, 'A', 5), view(3, 'B', 4)] },
      expect: 'stands',
    },
    {
      when: "only one Sentinel has the record's epoch, and the others lag: the record stays",
      given: { held: held(five), views: [view(1, 'A', 5), view(2, 'B', 4), view(3, 'B', 4)] },
      expect: 'stands',
    },
    {
      when: 'only the announcing Sentinel was asked, and its news is old',
      given: { ...announced, held: held(five), views: [view(1, 'A', 5)] },
      expect: 'ask-all',
    },
    {
      when: 'a majority names a promoted record: confirmed, with its first author',
      given: { held: held({ ...five, phase: 'promoted' }), views: [view(1, 'A', 5), view(2, 'A', 5), view(3, 'B', 4)] },
      expect: {
        publish: 'confirmed',
        is: { phase: 'confirmed', master: at('A'), changedBy: 'bridge-0', reason: 'failover' },
      },
    },
    {
      when: 'a minority names a promoted record: it stays promoted',
      given: { held: held({ ...five, phase: 'promoted' }), views: [view(1, 'A', 5), view(2, 'B', 4), view(3, 'B', 4)] },
      expect: 'stands',
    },
    {
      when: 'all that answer name a promoted record, but they are no majority of all',
      given: {
        held: held({ ...five, phase: 'promoted' }),
        views: [view(1, 'A', 5, { knownSentinels: 5 }), view(2, 'A', 5)],
      },
      expect: 'stands',
    },
    {
      when: 'a replica was added: written, with the first author',
      given: {
        held: held(five),
        views: [1, 2, 3].map((n) => view(n, 'A', 5, { replicas: [{ address: at('B'), condition: 'up' }] })),
      },
      expect: {
        publish: 'replicas',
        is: { replicas: [at('B')], changedAt: five.changedAt, reason: 'failover', phase: 'confirmed' },
      },
    },
    {
      when: 'a replica was removed: written',
      given: { held: held({ ...five, replicas: [at('B'), ...others('A')] }), views: all('A', 5) },
      expect: { publish: 'replicas', is: { replicas: others('A') } },
    },
    {
      when: 'only a minority can be asked, and lists other replicas: nothing is written',
      given: { held: held({ ...five, replicas: [at('B')] }), views: [view(1, 'A', 5)] },
      expect: 'stands',
    },
    {
      when: 'the replicas are listed in another order: nothing is written',
      given: {
        held: held({ ...five, replicas: [at('C'), at('B')] }),
        views: [1, 2, 3].map((n) =>
          view(n, 'A', 5, { replicas: [at('B'), at('C')].map((address) => ({ address, condition: 'up' as const })) }),
        ),
      },
      expect: 'stands',
    },
  ],
  'two masters at one epoch': [
    {
      when: 'the record names one master, all Sentinels another: conflict',
      given: { held: held(five), remembered: five, views: all('B', 5), role: role('B', 'master') },
      expect: 'conflict',
    },
    {
      when: 'that lasts, and the target was not asked: the bridge asks it first',
      given: { held: held(five), views: all('B', 5), lagging: { master: at('B'), epoch: 5, sinceMs: 990_000 } },
      expect: { ask: 'B' },
    },
    {
      when: 'that lasts, and the target is a master: a new generation begins',
      given: {
        held: held(five),
        views: all('B', 5),
        lagging: { master: at('B'), epoch: 5, sinceMs: 990_000 },
        role: role('B', 'master'),
      },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 5, master: at('B'), previous: at('A') } },
    },
    {
      when: 'that lasts, and the target is a replica: conflict',
      given: {
        held: held(five),
        views: all('B', 5),
        lagging: { master: at('B'), epoch: 5, sinceMs: 0 },
        role: role('B', 'replica'),
      },
      expect: 'conflict',
    },
    {
      when: 'that lasts, and only a minority names it: conflict',
      given: {
        held: held(five),
        views: [view(1, 'B', 5)],
        lagging: { master: at('B'), epoch: 5, sinceMs: 0 },
        role: role('B', 'master'),
      },
      expect: 'conflict',
    },
    {
      when: 'the same, announced: the bridge asks all first',
      given: { ...announced, held: held(five), views: [view(1, 'B', 5)] },
      expect: 'ask-all',
    },
    {
      when: 'no majority names either, and the record names one of them: conflict',
      given: { held: held(five), views: [view(1, 'A', 5), view(2, 'B', 5)], role: role('B', 'master') },
      expect: 'conflict',
    },
    {
      when: 'at a newer epoch, without a majority: conflict, because an election cannot end so',
      given: { held: held(five), views: [view(1, 'B', 6), view(2, 'C', 6)], role: role('B', 'master') },
      expect: 'conflict',
    },
    {
      when: 'at a newer epoch, where a majority names one of them',
      given: {
        held: held(five),
        views: [view(1, 'C', 6), view(2, 'B', 6), view(3, 'B', 6)],
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B') } },
    },
    { when: 'without a record', given: { views: [view(1, 'A', 0), view(2, 'B', 0)] }, expect: 'conflict' },
    {
      when: 'both below the record: refused as older',
      given: { held: held(five), views: [view(1, 'A', 4), view(2, 'B', 4)] },
      expect: { wait: 'older' },
    },
    {
      when: 'two Sentinels announce at once',
      given: { ...announced, held: held(five), views: [view(1, 'B', 6), view(2, 'C', 6)] },
      expect: 'ask-all',
    },
    {
      when: "a majority names the record's master, one Sentinel another",
      given: { held: held(five), views: [view(1, 'B', 5), view(2, 'A', 5), view(3, 'A', 5)] },
      expect: 'stands',
    },
    {
      when: 'only the minority answers: conflict',
      given: { held: held(five), views: [view(1, 'B', 5)] },
      expect: 'conflict',
    },
  ],
};

testDecisions(t, table);
