import t from 'tap';
import { all, announced, type Table, testDecisions } from './decision-table.ts';
import { five, leader, promoted } from './promotion-world.ts';
import { at, held, record, role, view } from './world.ts';

const follow = { follow: 'promotion' } as const;
const table: Table = {
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

testDecisions(t, table);
