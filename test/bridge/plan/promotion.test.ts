import t from 'tap';
import { announced, type Table, testDecisions } from './decision-table.ts';
import { five, leader } from './promotion-world.ts';
import { at, held, role, view } from './world.ts';

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
};

testDecisions(t, table);
