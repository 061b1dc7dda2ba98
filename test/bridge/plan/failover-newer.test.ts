import t from 'tap';
import { describeUnlisted } from '../../../lib/bridge/plan/membership.ts';
import { all, announced, type Table, testDecisions } from './decision-table.ts';
import { at, held, record, role, situation, view } from './world.ts';

const five = record('A', { epoch: 5 });
const unlisted = view(1, 'Z', 999, { replicas: [] });

const table: Table = {
  'a newer epoch': [
    {
      when: 'one Sentinel announces it and its target is a master: published at once, promoted',
      given: { ...announced, held: held(five), views: [view(1, 'B', 6)], role: role('B', 'master') },
      expect: {
        publish: 'failover',
        is: { generation: 1, epoch: 6, master: at('B'), previous: at('A'), phase: 'promoted' },
      },
    },
    {
      when: 'a majority names it: published as confirmed',
      given: { held: held(five), views: all('B', 6), role: role('B', 'master') },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B'), phase: 'confirmed' } },
    },
    {
      when: 'the target was not asked yet: the bridge asks it first',
      given: { ...announced, held: held(five), views: [view(1, 'B', 6)] },
      expect: { ask: 'B' },
    },
    {
      when: 'another address was asked: the bridge asks the target first',
      given: { ...announced, held: held(five), views: [view(1, 'B', 6)], role: role('A', 'master') },
      expect: { ask: 'B' },
    },
    {
      when: 'the target is still a replica: a short wait',
      given: { ...announced, held: held(five), views: [view(1, 'B', 6)], role: role('B', 'replica') },
      expect: { wait: 'not-master-yet', retryAfterMs: 25 },
    },
    {
      when: 'the target is a Sentinel or something else: a wait',
      given: { held: held(five), views: all('B', 6), role: role('B', 'other') },
      expect: { wait: 'not-master-yet', retryAfterMs: 25 },
    },
    {
      when: 'the target is out of reach: the decision of the Sentinels counts',
      given: { ...announced, held: held(five), views: [view(1, 'B', 6)], role: role('B', 'unreachable') },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B') } },
    },
    {
      when: 'other Sentinels lag: the highest epoch counts',
      given: {
        held: held(five),
        views: [view(1, 'A', 5), view(2, 'B', 6), view(3, 'A', 5)],
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B'), phase: 'promoted' } },
    },
    {
      when: 'the bridge missed two failovers: the last one counts, and previous is the last published master',
      given: { held: held(five), views: [view(1, 'B', 6), view(2, 'C', 7)], role: role('C', 'master') },
      expect: { publish: 'failover', is: { epoch: 7, master: at('C'), previous: at('A') } },
    },
    {
      when: 'the epoch is far above',
      given: { held: held(five), views: all('B', 4_000_000_000), role: role('B', 'master') },
      expect: { publish: 'failover', is: { epoch: 4_000_000_000 } },
    },
    {
      when: 'one Sentinel raises the epoch without changing the master (a failover ended by SENTINEL RESET): ignored',
      given: {
        held: held(five),
        views: [view(1, 'A', 6), view(2, 'A', 5), view(3, 'A', 5)],
        role: role('A', 'master'),
      },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'the same, announced: the bridge asks all first',
      given: { ...announced, held: held(five), views: [view(1, 'A', 6)], role: role('A', 'master') },
      expect: 'ask-all',
    },
    {
      when: 'a majority raised the epoch for the same master: published, with the same previous master',
      given: { held: held({ ...five, previous: at('C') }), views: all('A', 7), role: role('A', 'master') },
      expect: { publish: 'failover', is: { epoch: 7, master: at('A'), previous: at('C') } },
    },
    {
      when: 'in a later generation: the generation stays',
      given: { held: held({ ...five, generation: 3 }), views: all('B', 6), role: role('B', 'master') },
      expect: { publish: 'failover', is: { generation: 3, epoch: 6 } },
    },
    {
      when: 'the record is only promoted: the next failover does not wait for its confirmation',
      given: {
        ...announced,
        held: held({ ...five, phase: 'promoted' }),
        views: [view(1, 'B', 6)],
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { epoch: 6 } },
    },
    {
      when: 'the replicas are those that the Sentinels of that epoch list',
      given: {
        held: held(five),
        views: [
          view(1, 'B', 6, {
            replicas: [
              { address: at('C'), condition: 'unlinked' },
              { address: at('A'), condition: 's_down' },
            ],
          }),
          view(2, 'A', 5, { replicas: [{ address: at('B'), condition: 'up' }] }),
        ],
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { replicas: [at('A'), at('C')] } },
    },
  ],
  'the leader in the middle of a failover': [
    {
      when: 'it has the new epoch with the old address: its view does not count',
      given: {
        ...announced,
        held: held(five),
        views: [view(1, 'A', 6, { condition: 'failover' })],
        role: role('A', 'master'),
      },
      expect: 'ask-all',
    },
    {
      when: 'all were asked: the others agree with the record',
      given: {
        held: held(five),
        views: [view(1, 'A', 6, { condition: 'failover' }), view(2, 'A', 5), view(3, 'A', 5)],
      },
      expect: 'stands',
    },
    {
      when: 'another Sentinel has adopted the new epoch already: followed',
      given: {
        held: held(five),
        views: [view(1, 'A', 6, { condition: 'failover' }), view(2, 'B', 6), view(3, 'A', 5)],
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B'), phase: 'promoted' } },
    },
    {
      when: 'no other Sentinel can be asked',
      given: { held: held(five), views: [view(1, 'A', 6, { condition: 'failover' })] },
      expect: { wait: 'no-sentinel' },
    },
  ],
  'somebody who monitors another Redis by this name': [
    {
      when: 'it announces a newer epoch: the bridge asks all',
      given: { ...announced, held: held(five), views: [unlisted], role: role('Z', 'master') },
      expect: 'ask-all',
    },
    {
      when: 'it has a newer epoch than all others: the record stays',
      given: { held: held(five), views: [unlisted, view(2, 'A', 5), view(3, 'A', 5)], role: role('Z', 'master') },
      expect: 'stands',
    },
    {
      when: 'the others fail over meanwhile: followed',
      given: { held: held(five), views: [unlisted, view(2, 'B', 6), view(3, 'A', 5)], role: role('B', 'master') },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B') } },
    },
    {
      when: 'a majority names it too: somebody set this master by hand',
      given: { held: held(five), views: [unlisted, view(2, 'Z', 999), view(3, 'A', 5)], role: role('Z', 'master') },
      expect: { publish: 'failover', is: { epoch: 999, master: at('Z') } },
    },
    {
      when: 'it names a replica that only another Sentinel knows: followed',
      given: {
        held: held({ ...five, replicas: [] }),
        views: [view(1, 'B', 6), view(2, 'A', 5), view(3, 'A', 5)],
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B') } },
    },
  ],
};

t.test('a sentence names the Sentinels whose views do not count', async (t) => {
  const heard = situation({ held: held(five), views: [unlisted, view(2, 'A', 5), view(3, 'A', 5)] });
  t.match(describeUnlisted(heard), /10\.0\.1\.1:26379 names 10\.0\.0\.26:6326 at epoch 999/);
  t.equal(describeUnlisted(situation({ held: held(five), views: all('A', 5) })), undefined);
});

testDecisions(t, table);
