import t from 'tap';
import { newestPromotion, replicasAfter } from '../../../lib/bridge/plan/promotion.ts';
import type { SentinelView } from '../../../lib/model/sentinel.ts';
import { all, announced, type Table, testDecisions } from './decision-table.ts';
import { at, held, record, role, view } from './world.ts';

const five = record('A', { epoch: 5 });
const promoted = record('B', { epoch: 6, phase: 'promoted', previous: at('A') });

/** A Sentinel that leads the failover of epoch 6 from A to B; the bridge heard all its messages. */
function leader(changes: Partial<SentinelView> = {}): SentinelView {
  return view(1, 'A', 5, {
    condition: 'failover',
    promoting: at('B'),
    promotion: 'ordered',
    election: { epoch: 6, selected: at('B') },
    replicas: ['B', 'C'].map((letter) => ({ address: at(letter), condition: 'up' as const })),
    ...changes,
  });
}

/** The same Sentinel; the bridge missed its first messages. */
function unheard(changes: Partial<SentinelView> = {}): SentinelView {
  const { election: _, ...missed } = leader();
  return { ...missed, ...changes };
}

const candidates: readonly (readonly [string, readonly SentinelView[], string | undefined])[] = [
  ['nobody leads', all('A', 5), undefined],
  ['the leader told of it', [leader(), view(2, 'A', 5)], '6 B'],
  ['the leader has seen it', [unheard({ configEpoch: 6, promotion: 'seen' })], '6 B'],
  ['the leader was heard, and has seen it', [leader({ configEpoch: 6, promotion: 'seen' })], '6 B'],
  ['its beginning was not heard, and it has not seen the promotion yet', [unheard()], undefined],
  [
    'its config-epoch is that of a master that we missed, not that of its failover',
    [unheard({ master: at('C'), configEpoch: 7 })],
    undefined,
  ],
  ['it told of another replica than it promotes', [leader({ election: { epoch: 6, selected: at('C') } })], undefined],
  ['it has not selected yet', [view(1, 'A', 5, { condition: 'failover' })], undefined],
  ['it says it promotes its own master', [leader({ master: at('B') })], undefined],
  ['it is not failing over any more', [leader({ condition: 'up' })], undefined],
  ['its epoch is the record’s', [leader({ election: { epoch: 5, selected: at('B') } })], undefined],
  ['its epoch is older than the record’s', [leader({ election: { epoch: 4, selected: at('B') } })], undefined],
  [
    'two lead: the newer counts',
    [leader(), { ...leader({ promoting: at('C'), election: { epoch: 7, selected: at('C') } }), sentinelId: 's2' }],
    '7 C',
  ],
];
for (const [when, views, expected] of candidates) {
  t.test(`the newest promotion: ${when}`, async (t) => {
    const found = newestPromotion(views, five);
    t.equal(found && `${found.epoch} ${String.fromCharCode(64 + found.selected.port - 6300)}`, expected);
  });
}

t.test('the new master has the other replicas and the old master', async (t) => {
  const promotion = newestPromotion([leader()], five);
  t.strictSame(promotion && replicasAfter(promotion), [at('C'), at('A')]);
});

const follow = { follow: 'promotion' } as const;
const table: Table = {
  'a promotion that is followed': [
    {
      when: 'the selected replica was not asked yet',
      given: { ...announced, ...follow, held: held(five), views: [leader()] },
      expect: { ask: 'B' },
    },
    {
      when: 'the selected replica answers as a master: published at the leader’s epoch',
      given: { ...announced, ...follow, held: held(five), views: [leader()], role: role('B', 'master') },
      expect: {
        publish: 'failover',
        is: {
          generation: 1,
          epoch: 6,
          phase: 'promoted',
          master: at('B'),
          previous: at('A'),
          replicas: [at('C'), at('A')],
        },
      },
    },
    {
      when: 'it is still a replica: the others agree with the record',
      given: {
        ...follow,
        held: held(five),
        views: [leader(), view(2, 'A', 5), view(3, 'A', 5)],
        role: role('B', 'replica'),
      },
      expect: 'stands',
    },
    {
      when: 'neither the record nor another Sentinel knows it as a replica: not followed',
      given: {
        ...follow,
        held: held({ ...five, replicas: [at('C')] }),
        views: [leader(), ...[2, 3].map((n) => view(n, 'A', 5, { replicas: [{ address: at('C'), condition: 'up' }] }))],
        role: role('B', 'master'),
      },
      expect: 'stands',
    },
    {
      when: 'it is out of reach: the bridge waits for the announcement',
      given: {
        ...follow,
        held: held(five),
        views: [leader(), view(2, 'A', 5), view(3, 'A', 5)],
        role: role('B', 'unreachable'),
      },
      expect: 'stands',
    },
    {
      when: 'the bridge follows only announcements',
      given: { held: held(five), views: [leader(), view(2, 'A', 5), view(3, 'A', 5)], role: role('B', 'master') },
      expect: 'stands',
    },
    {
      when: 'another Sentinel has a newer epoch already',
      given: {
        ...follow,
        held: held(five),
        views: [leader(), view(2, 'C', 7)],
        role: role('B', 'master'),
        otherRoles: [role('C', 'master')],
      },
      expect: { publish: 'failover', is: { epoch: 7, master: at('C') } },
    },
    {
      when: 'the promotion of that epoch failed before',
      given: {
        ...follow,
        held: held({ ...five, generation: 2 }),
        abandonedEpoch: 6,
        views: [leader(), view(2, 'A', 5), view(3, 'A', 5)],
        role: role('B', 'master'),
      },
      expect: 'stands',
    },
    {
      when: 'there is no record yet: a majority is needed first',
      given: { ...announced, ...follow, views: [leader()], role: role('B', 'master') },
      expect: 'ask-all',
    },
  ],
  'a promotion that is not confirmed': [
    {
      when: 'a majority adopts it: confirmed',
      given: { held: held(promoted), views: all('B', 6) },
      expect: { publish: 'confirmed', is: { phase: 'confirmed', epoch: 6, master: at('B') } },
    },
    {
      when: 'the majority is at the old epoch: the bridge waits for failover-timeout',
      given: {
        held: held(promoted),
        views: all('A', 5).map((one) => ({ ...one, failoverTimeoutMs: 30_000 })),
        role: role('B', 'master'),
        lagging: { master: at('A'), epoch: 5, sinceMs: 1_000_000 - 29_000 },
      },
      expect: { wait: 'unconfirmed', retryAfterMs: 1_000 },
    },
    {
      when: 'that time is over: the bridge asks the majority’s master',
      given: {
        held: held(promoted),
        views: all('A', 5).map((one) => ({ ...one, failoverTimeoutMs: 30_000 })),
        role: role('B', 'master'),
        lagging: { master: at('A'), epoch: 5, sinceMs: 1_000_000 - 30_000 },
      },
      expect: { ask: 'A' },
    },
    {
      when: 'it is a master: a new generation',
      given: {
        held: held(promoted),
        views: all('A', 5).map((one) => ({ ...one, failoverTimeoutMs: 30_000 })),
        role: role('A', 'master'),
        otherRoles: [role('B', 'master')],
        lagging: { master: at('A'), epoch: 5, sinceMs: 1_000_000 - 30_000 },
      },
      expect: {
        publish: 'rebase',
        is: { generation: 2, epoch: 5, master: at('A'), previous: at('B'), phase: 'confirmed' },
      },
    },
    {
      when: 'it is dead: the bridge waits for the next election',
      given: {
        held: held(promoted),
        views: all('A', 5),
        role: role('A', 'unreachable'),
        otherRoles: [role('B', 'master')],
        lagging: { master: at('A'), epoch: 5, sinceMs: 0 },
      },
      expect: { wait: 'unconfirmed' },
    },
    {
      when: 'the promoted address is a replica again: no wait',
      given: {
        held: held(promoted),
        views: all('A', 5),
        role: role('A', 'master'),
        otherRoles: [role('B', 'replica')],
      },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 5, master: at('A') } },
    },
    {
      when: 'a Sentinel still leads it: the bridge waits without limit',
      given: {
        held: held(promoted),
        views: [leader(), view(2, 'A', 5), view(3, 'A', 5)],
        role: role('A', 'master'),
        otherRoles: [role('B', 'master')],
        lagging: { master: at('A'), epoch: 5, sinceMs: 0 },
      },
      expect: { wait: 'unconfirmed', retryAfterMs: 1_000 },
    },
    {
      when: 'no majority agrees on a master: the bridge waits',
      given: { held: held(promoted), views: [view(2, 'A', 5)], role: role('B', 'master'), lagging: undefined },
      expect: { wait: 'older' },
    },
    {
      when: 'a newer election ends the wait',
      given: { held: held(promoted), views: [view(2, 'C', 7), view(3, 'A', 5)], role: role('C', 'master') },
      expect: { publish: 'failover', is: { epoch: 7, master: at('C'), previous: at('B') } },
    },
  ],
  'an epoch whose promotion was given up': [
    {
      when: 'one Sentinel names the failed promotion later: ignored',
      given: {
        held: held({ ...five, generation: 2 }),
        abandonedEpoch: 6,
        views: [view(1, 'B', 6), view(2, 'A', 5), view(3, 'A', 5)],
        role: role('B', 'master'),
      },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'the same, announced: the bridge asks all first',
      given: {
        ...announced,
        held: held({ ...five, generation: 2 }),
        abandonedEpoch: 6,
        views: [view(1, 'B', 6)],
        role: role('B', 'master'),
      },
      expect: 'ask-all',
    },
    {
      when: 'a majority names it later: followed',
      given: {
        held: held({ ...five, generation: 2 }),
        abandonedEpoch: 6,
        views: all('B', 6),
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { generation: 2, epoch: 6, master: at('B') } },
    },
    {
      when: 'the next election is followed at once',
      given: {
        ...announced,
        held: held({ ...five, generation: 2 }),
        abandonedEpoch: 6,
        views: [view(1, 'B', 7)],
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { generation: 2, epoch: 7, master: at('B') } },
    },
  ],
  'a promotion that Consul has not taken': [
    {
      when: 'a Sentinel still leads it: followed again',
      given: { ...follow, held: held(five), decided: promoted, views: [leader()], role: role('B', 'master') },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B') } },
    },
    {
      when: 'its leader is gone: the bridge asks the replica first',
      given: { ...follow, held: held(five), decided: promoted, views: all('A', 5), role: role('A', 'master') },
      expect: { ask: 'B' },
    },
    {
      when: 'its leader is gone, and the replica is a master: written as decided',
      given: { ...follow, held: held(five), decided: promoted, views: all('A', 5), role: role('B', 'master') },
      expect: {
        publish: 'failover',
        is: { generation: 1, epoch: 6, master: at('B'), phase: 'promoted', previous: at('A') },
      },
    },
    {
      when: 'the replica is a replica again: a new generation, so that this node’s traffic comes back',
      given: {
        ...follow,
        held: held(five),
        decided: promoted,
        views: all('A', 5),
        role: role('B', 'replica'),
        otherRoles: [role('A', 'master')],
      },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 5, master: at('A') } },
    },
    {
      when: 'the Sentinels have adopted it: published as their decision',
      given: { ...follow, held: held(five), decided: promoted, views: all('B', 6), role: role('B', 'master') },
      expect: { publish: 'failover', is: { generation: 1, epoch: 6, master: at('B'), phase: 'confirmed' } },
    },
    {
      when: 'Consul has a newer record now: that one counts',
      given: { ...follow, held: held(record('C', { epoch: 7 })), decided: promoted, views: all('C', 7) },
      expect: 'stands',
    },
  ],
};

testDecisions(table);
