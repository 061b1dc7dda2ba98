import t from 'tap';
import { all, announced, type Table, testDecisions } from './decision-table.ts';
import { leader, promoted } from './promotion-world.ts';
import { at, held, record, role, view } from './world.ts';

/** The last record of a bridge, and the record after somebody edited it. */
const five = record('A', { epoch: 5 });
const foreign = record('D', { epoch: 105, previous: null });
const proven = { held: held(foreign), remembered: foreign, trusted: five, edit: 'proven' } as const;
const suspected = { ...proven, edit: 'suspected' } as const;
const by = (edited: typeof five) => ({ ...proven, held: held(edited), remembered: edited });
const onlyA = [view(2, 'A', 5), view(3, 'A', 5)];

const table: Table = {
  'the record may have been edited by hand': [
    {
      when: 'only the watches show it: the bridge reads Consul again',
      given: { ...suspected, views: all('A', 5) },
      expect: 'ask-consul',
    },
    {
      when: 'a failover is announced meanwhile: the bridge reads Consul again first',
      given: { ...suspected, ...announced, views: [view(1, 'B', 6)], role: role('B', 'master') },
      expect: 'ask-consul',
    },
    {
      when: 'Consul could not be read again: the bridge waits for a second',
      given: { ...proven, edit: 'unproven', views: all('B', 6), role: role('B', 'master') },
      expect: { wait: 'rebase', retryAfterMs: 1_000 },
    },
    {
      when: 'Consul could not be read again, and the edit names the phase promoted: the same',
      given: { ...by({ ...foreign, phase: 'promoted' }), edit: 'unproven', views: all('B', 6) },
      expect: { wait: 'rebase', retryAfterMs: 1_000 },
    },
    {
      when: 'no record is trusted yet: the same',
      given: { ...suspected, trusted: undefined, views: all('A', 5) },
      expect: { wait: 'rebase', retryAfterMs: 1_000 },
    },
    {
      when: 'Consul could not be read again, and a Sentinel names its master at its epoch: a bridge may have written it',
      given: { ...proven, edit: 'unproven', views: [...onlyA, view(1, 'D', 105)] },
      expect: 'stands',
    },
    {
      when: 'Consul could not be read again, and a Sentinel promotes its master at its epoch: the same',
      given: { ...by(promoted), edit: 'unproven', views: [leader(), ...onlyA] },
      expect: { wait: 'unconfirmed' },
    },
  ],
  'the record was edited by hand': [
    {
      when: 'the Sentinels name the master of the last one: that one again, in a new generation, at once',
      given: { ...proven, views: all('A', 5) },
      expect: {
        publish: 'rebase',
        is: {
          generation: 2,
          epoch: 5,
          master: at('A'),
          phase: 'confirmed',
          reason: 'rebase: the record was edited by hand',
        },
      },
    },
    {
      when: 'the last one was not confirmed yet, and now is',
      given: { ...proven, trusted: { ...five, phase: 'promoted' }, views: all('A', 5) },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 5, phase: 'confirmed' } },
    },
    {
      when: 'a minority answers',
      given: { ...proven, views: [view(1, 'A', 5)] },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'one Sentinel announces a failover: its master, above the edit, with the former master',
      given: { ...proven, ...announced, views: [view(1, 'B', 6)], role: role('B', 'master') },
      expect: {
        publish: 'rebase',
        is: {
          generation: 2,
          epoch: 6,
          master: at('B'),
          phase: 'promoted',
          previous: at('A'),
          reason: 'failover, and the record was edited by hand',
        },
      },
    },
    {
      when: 'its target was not asked yet',
      given: { ...proven, ...announced, views: [view(1, 'B', 6)] },
      expect: { ask: 'B' },
    },
    {
      when: 'a promotion is followed before it is announced',
      given: { ...proven, follow: 'promotion', views: [leader(), ...onlyA], role: role('B', 'master') },
      expect: {
        publish: 'rebase',
        is: { generation: 2, epoch: 6, master: at('B'), phase: 'promoted', previous: at('A') },
      },
    },
    {
      when: 'the Sentinels lead a failover that has not come far: the last one again, with their majority',
      given: { ...proven, follow: 'promotion', views: [leader(), ...onlyA], role: role('B', 'replica') },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 5, master: at('A') } },
    },
    {
      when: 'the edit is between the last record and the failover: no new generation is needed',
      given: { ...by(record('D', { epoch: 6, previous: null })), views: all('B', 7), role: role('B', 'master') },
      expect: { publish: 'failover', is: { generation: 1, epoch: 7, master: at('B'), previous: at('A') } },
    },
    {
      when: 'the edit has the epoch of the failover: a new generation, since one version has one master',
      given: { ...by(record('D', { epoch: 6 })), views: all('B', 6), role: role('B', 'master') },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 6, master: at('B'), previous: at('A') } },
    },
    {
      when: 'only its epoch was edited',
      given: { ...by(record('A', { epoch: 105 })), views: all('B', 6), role: role('B', 'master') },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 6, master: at('B'), previous: at('A') } },
    },
    {
      when: 'somebody wrote what the failover leads to: everything is written at that version',
      given: { ...by(promoted), follow: 'promotion', views: [leader(), ...onlyA], role: role('B', 'master') },
      expect: { publish: 'rebase', is: { generation: 1, epoch: 6, master: at('B'), previous: at('A') } },
    },
    {
      when: 'it was edited during a promotion: the promotion again, in a new generation',
      given: {
        ...by(record('A', { generation: 2, epoch: 5 })),
        trusted: promoted,
        follow: 'promotion',
        views: [leader(), ...onlyA],
        role: role('B', 'master'),
      },
      expect: { publish: 'rebase', is: { generation: 3, epoch: 6, master: at('B'), phase: 'promoted' } },
    },
    {
      when: 'only its generation was edited, and nothing else happens: everything is written at that version',
      given: { ...by({ ...five, generation: 7 }), views: all('A', 5) },
      expect: { publish: 'rebase', is: { generation: 7, epoch: 5, master: at('A') } },
    },
    {
      when: 'only its generation was edited',
      given: { ...by({ ...five, generation: 7 }), views: all('B', 6), role: role('B', 'master') },
      expect: { publish: 'rebase', is: { generation: 8, epoch: 6, master: at('B'), previous: at('A') } },
    },
    {
      when: 'the edit names the phase promoted: nobody waits for its confirmation',
      given: { ...by({ ...foreign, phase: 'promoted' }), views: all('B', 6), role: role('B', 'master') },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 6, master: at('B'), phase: 'confirmed' } },
    },
    {
      when: 'the edit was deleted again',
      given: { ...proven, held: { kind: 'absent' }, views: all('B', 6), role: role('B', 'master') },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 6, master: at('B'), previous: at('A') } },
    },
    {
      when: 'the Sentinels were rebuilt as well: they are waited for',
      given: { ...proven, views: all('B', 1), role: role('B', 'master') },
      expect: { wait: 'rebase', retryAfterMs: 10_000 },
    },
    {
      when: 'the Sentinels name different masters',
      given: { ...proven, views: [view(1, 'B', 6), view(2, 'C', 6)] },
      expect: 'conflict',
    },
    {
      when: 'an operator asks for a new generation',
      given: { ...proven, rebaseAsked: 'asked', views: all('A', 5), role: role('A', 'master') },
      expect: { publish: 'rebase', is: { generation: 2, epoch: 5, master: at('A') } },
    },
  ],
  'the record was edited by hand at its own version': [
    {
      when: 'a failover: its previous master is the one of the bridge',
      given: {
        held: held(record('D', { epoch: 5 })),
        remembered: five,
        trusted: five,
        views: all('B', 6),
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { generation: 1, epoch: 6, master: at('B'), previous: at('A') } },
    },
  ],
};

testDecisions(t, table);
