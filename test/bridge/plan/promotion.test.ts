import t from 'tap';
import { announced, type Table, testDecisions } from './decision-table.ts';
import { five, leader, promoted } from './promotion-world.ts';
import { at, held, record, role, view } from './world.ts';

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
      when: 'the leader announced the replica after it had answered: followed like a promotion',
      given: {
        ...announced,
        held: held(five),
        views: [leader({ configEpoch: 6, promotion: 'seen' })],
        announced: at('B'),
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { epoch: 6, phase: 'promoted', master: at('B'), previous: at('A') } },
    },
    {
      when: 'the leader announced it before it had taken the epoch of the failover: asked again',
      given: { ...announced, held: held(five), views: [leader()], announced: at('B'), role: role('B', 'master') },
      expect: 'ask-all',
    },
    {
      when: 'the leader announced another address than the replica that it promoted: asked again',
      given: {
        ...announced,
        held: held(five),
        views: [leader({ configEpoch: 6, promotion: 'seen' })],
        announced: at('C'),
        role: role('B', 'master'),
      },
      expect: 'ask-all',
    },
    {
      when: 'the announced replica is a replica again: asked again',
      given: {
        ...announced,
        held: held(five),
        views: [leader({ configEpoch: 6, promotion: 'seen' })],
        announced: at('B'),
        role: role('B', 'replica'),
      },
      expect: 'ask-all',
    },
    {
      when: 'the announced replica was out of reach: asked again',
      given: {
        ...announced,
        held: held(five),
        views: [leader({ configEpoch: 6, promotion: 'seen' })],
        announced: at('B'),
        role: role('B', 'unreachable'),
      },
      expect: 'ask-all',
    },
    {
      when: 'a record has the announced epoch already: asked again',
      given: {
        ...announced,
        held: held(promoted),
        views: [leader({ configEpoch: 6, promotion: 'seen' })],
        announced: at('B'),
        role: role('B', 'master'),
      },
      expect: 'ask-all',
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
      when: 'the bridge decided on a newer failover, and Consul has not taken it yet: an older announcement is not followed',
      given: {
        ...announced,
        held: held(five),
        decided: record('C', { epoch: 7, phase: 'promoted', previous: at('A') }),
        views: [leader({ configEpoch: 6, promotion: 'seen' })],
        announced: at('B'),
        role: role('B', 'master'),
      },
      expect: 'ask-all',
    },
    {
      when: 'the bridge decided on a newer failover, and Consul has not taken it yet: an older promotion is not followed',
      given: {
        ...follow,
        held: held(five),
        decided: record('C', { epoch: 7, phase: 'promoted', previous: at('A') }),
        views: [leader(), view(2, 'A', 5), view(3, 'A', 5)],
        role: role('B', 'master'),
      },
      expect: { ask: 'C' },
    },
    {
      when: 'the bridge decided on another replica at this very epoch: one version never has two masters',
      given: {
        ...announced,
        ...follow,
        held: held(five),
        decided: record('C', { epoch: 6, phase: 'promoted', previous: at('A') }),
        views: [leader()],
        role: role('B', 'master'),
      },
      expect: 'ask-all',
    },
    {
      when: 'there is no record yet: a majority is needed first',
      given: { ...announced, ...follow, views: [leader()], role: role('B', 'master') },
      expect: 'ask-all',
    },
  ],
};

testDecisions(t, table);
