import t from 'tap';
import { all, announced, type Table, testDecisions } from './decision-table.ts';
import { at, held, record, role, view } from './world.ts';

const five = record('A', { epoch: 5 });
const published = (generation: number, epoch: number, master: string) => ({ generation, epoch, master: at(master) });

const table: Table = {
  'there is no record': [
    {
      when: 'all Sentinels agree: generation 1',
      given: { views: all('A', 5), role: role('A', 'master') },
      expect: {
        publish: 'initial',
        is: { generation: 1, epoch: 5, master: at('A'), previous: null, phase: 'confirmed', reason: 'first seen' },
      },
    },
    {
      when: 'its service has the version and the master: the record continues',
      given: { views: all('A', 5), role: role('A', 'master'), published: published(3, 5, 'A') },
      expect: { publish: 'initial', is: { generation: 3, epoch: 5 } },
    },
    {
      when: 'a failover has happened since: the same generation',
      given: { views: all('B', 6), role: role('B', 'master'), published: published(3, 5, 'A') },
      expect: { publish: 'initial', is: { generation: 3, epoch: 6 } },
    },
    {
      when: 'the Sentinels have begun their epochs again: a new generation',
      given: { views: all('A', 1), role: role('A', 'master'), published: published(3, 5, 'A') },
      expect: { publish: 'initial', is: { generation: 4, epoch: 1 } },
    },
    {
      when: 'they name another master at the version of the service: a new generation',
      given: { views: all('B', 5), role: role('B', 'master'), published: published(3, 5, 'A') },
      expect: { publish: 'initial', is: { generation: 4, epoch: 5 } },
    },
    {
      when: 'epoch 0 is an epoch',
      given: { views: all('A', 0), role: role('A', 'master') },
      expect: { publish: 'initial', is: { epoch: 0 } },
    },
    { when: 'the bridge asks the target first', given: { views: all('A', 5) }, expect: { ask: 'A' } },
    {
      when: 'the target is out of reach: published anyway',
      given: { views: all('A', 5), role: role('A', 'unreachable') },
      expect: { publish: 'initial', is: { master: at('A') } },
    },
    {
      when: 'the target is a replica',
      given: { views: all('A', 5), role: role('A', 'replica') },
      expect: { wait: 'not-master-yet' },
    },
    {
      when: 'one Sentinel announces',
      given: { ...announced, views: [view(1, 'B', 6)], role: role('B', 'master') },
      expect: 'ask-all',
    },
    {
      when: 'a minority answers',
      given: { views: [view(1, 'A', 5)], role: role('A', 'master') },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'only a rebuilt Sentinel answers that knows no other, but the bridge knows three',
      given: { views: [view(1, 'A', 0, { knownSentinels: 1 })], role: role('A', 'master') },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'there is only one Sentinel',
      given: { views: [view(1, 'A', 0, { knownSentinels: 1 })], knownSentinels: 1, role: role('A', 'master') },
      expect: { publish: 'initial', is: { phase: 'confirmed' } },
    },
    {
      when: 'two of three answer with different epochs: they may still agree',
      given: { views: [view(1, 'A', 5), view(2, 'B', 6)], role: role('B', 'master') },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'one names another master at a newer epoch, which the others may still adopt',
      given: { views: [view(1, 'D', 999), ...all('A', 5).slice(1)], role: role('D', 'master') },
      expect: { wait: 'no-majority', retryAfterMs: 10_000 },
    },
    {
      when: 'the others do not adopt it for long enough: the majority counts',
      given: {
        views: [view(1, 'D', 999), ...all('A', 5).slice(1)],
        role: role('A', 'master'),
        lagging: { master: at('A'), epoch: 5, sinceMs: 1_000_000 - 10_000 },
      },
      expect: { publish: 'initial', is: { epoch: 5, master: at('A'), phase: 'confirmed' } },
    },
    { when: 'no Sentinel answers', given: {}, expect: { wait: 'no-sentinel' } },
    { when: 'no Sentinel monitors it', given: { unmonitored: 'none' }, expect: { wait: 'no-sentinel' } },
    { when: 'the announced change is gone', given: { ...announced }, expect: 'ask-all' },
  ],
  'no Sentinel monitors it any more': [
    {
      when: 'no Sentinel monitors the master of the record: the record stays',
      given: { held: held(five), unmonitored: 'none' },
      expect: 'stands',
    },
    {
      when: 'somebody removed the record: the bridge does not restore it',
      given: { remembered: five, unmonitored: 'none' },
      expect: { wait: 'no-sentinel' },
    },
    {
      when: 'the record is older than the remembered one',
      given: { held: held(record('A', { epoch: 4 })), remembered: five, unmonitored: 'none' },
      expect: { wait: 'no-sentinel' },
    },
  ],
  'somebody removed or edited the record': [
    {
      when: 'deleted: restored unchanged',
      given: { remembered: five, views: all('A', 5) },
      expect: {
        publish: 'restored',
        is: { generation: 1, epoch: 5, master: at('A'), changedAt: five.changedAt, changedBy: 'bridge-0' },
      },
    },
    {
      when: 'deleted, and only the announcing Sentinel was asked',
      given: { ...announced, remembered: five, views: [view(1, 'A', 5)] },
      expect: 'ask-all',
    },
    {
      when: 'deleted, and a minority answers',
      given: { remembered: five, views: [view(1, 'A', 5)] },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'deleted during a failover: the new master, above the remembered record',
      given: { remembered: { ...five, generation: 2 }, views: [view(1, 'B', 6)], role: role('B', 'master') },
      expect: { publish: 'failover', is: { generation: 2, epoch: 6, previous: at('A') } },
    },
    {
      when: 'not a record any more: restored',
      given: { held: { kind: 'unreadable', modifyIndex: 9 }, remembered: five, views: all('A', 5) },
      expect: { publish: 'restored', is: { epoch: 5, master: at('A') } },
    },
    {
      when: 'another address by hand: restored',
      given: { held: held(record('C', { epoch: 5 })), remembered: five, views: all('A', 5) },
      expect: { publish: 'restored', is: { master: at('A') } },
    },
    {
      when: 'an older epoch by hand: restored',
      given: { held: held(record('A', { epoch: 3 })), remembered: five, views: all('A', 5) },
      expect: { publish: 'restored', is: { epoch: 5, master: at('A') } },
    },
    {
      when: 'an older generation (Consul was restored from a snapshot): restored',
      given: {
        held: held(record('C', { generation: 1, epoch: 9 })),
        remembered: { ...five, generation: 2 },
        views: all('A', 5),
      },
      expect: { publish: 'restored', is: { generation: 2, epoch: 5, master: at('A') } },
    },
    {
      when: 'rolled back, and the Sentinels have failed over meanwhile',
      given: {
        held: held(record('C', { epoch: 3 })),
        remembered: five,
        views: all('B', 6),
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B'), previous: at('A') } },
    },
    {
      when: 'a higher epoch by hand: a majority names a lower one, which must last',
      given: { held: held(record('C', { epoch: 99 })), remembered: record('C', { epoch: 99 }), views: all('A', 5) },
      expect: { wait: 'rebase', retryAfterMs: 10_000 },
    },
  ],
};

testDecisions(t, table);
