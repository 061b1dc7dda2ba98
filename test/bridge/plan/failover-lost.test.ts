import { all, announced, type Table, testDecisions } from './decision-table.ts';
import { at, held, record, role, view } from './world.ts';

const five = record('A', { epoch: 5 });

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
      when: 'epoch 0 is an epoch',
      given: { views: all('A', 0), role: role('A', 'master') },
      expect: { publish: 'initial', is: { epoch: 0 } },
    },
    { when: 'its target is asked first', given: { views: all('A', 5) }, expect: { ask: 'A' } },
    {
      when: 'it cannot be reached: published all the same',
      given: { views: all('A', 5), role: role('A', 'unreachable') },
      expect: { publish: 'initial', is: { master: at('A') } },
    },
    {
      when: 'it is a replica',
      given: { views: all('A', 5), role: role('A', 'replica') },
      expect: { wait: 'not-master-yet' },
    },
    {
      when: 'one Sentinel announces',
      given: { ...announced, views: [view(1, 'B', 6)], role: role('B', 'master') },
      expect: 'look-closer',
    },
    {
      when: 'a minority answers',
      given: { views: [view(1, 'A', 5)], role: role('A', 'master') },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'a lone Sentinel answers that was rebuilt and knows nobody, but the bridge knows of three',
      given: { views: [view(1, 'A', 0, { knownSentinels: 1 })], role: role('A', 'master') },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'there is but one Sentinel',
      given: { views: [view(1, 'A', 0, { knownSentinels: 1 })], knownSentinels: 1, role: role('A', 'master') },
      expect: { publish: 'initial', is: { phase: 'confirmed' } },
    },
    {
      when: 'two of three answer, and they are of different epochs: they are about to agree',
      given: { views: [view(1, 'A', 5), view(2, 'B', 6)], role: role('B', 'master') },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'one names another master at a newer epoch than the others, who may be about to adopt it',
      given: { views: [view(1, 'D', 999), ...all('A', 5).slice(1)], role: role('D', 'master') },
      expect: { wait: 'no-majority', retryAfterMs: 10_000 },
    },
    {
      when: 'they go on without it for long enough: it is not theirs, and the majority counts',
      given: {
        views: [view(1, 'D', 999), ...all('A', 5).slice(1)],
        role: role('A', 'master'),
        lagging: { master: at('A'), epoch: 5, sinceMs: 1_000_000 - 10_000 },
      },
      expect: { publish: 'initial', is: { epoch: 5, master: at('A'), phase: 'confirmed' } },
    },
    { when: 'no Sentinel answers', given: {}, expect: { wait: 'no-sentinel' } },
    { when: 'no Sentinel monitors it', given: { unmonitored: 'none' }, expect: { wait: 'no-sentinel' } },
    { when: 'what was announced is gone', given: { ...announced }, expect: 'look-closer' },
  ],
  'no Sentinel monitors it any more': [
    {
      when: 'the record is left behind: it stands',
      given: { held: held(five), unmonitored: 'none' },
      expect: 'stands',
    },
    {
      when: 'the record was taken away: it is not put back',
      given: { remembered: five, unmonitored: 'none' },
      expect: { wait: 'no-sentinel' },
    },
    {
      when: 'the record is not the newest that there was',
      given: { held: held(record('A', { epoch: 4 })), remembered: five, unmonitored: 'none' },
      expect: { wait: 'no-sentinel' },
    },
  ],
  'somebody removed or edited the record': [
    {
      when: 'deleted: put back as it was',
      given: { remembered: five, views: all('A', 5) },
      expect: {
        publish: 'restored',
        is: { generation: 1, epoch: 5, master: at('A'), changedAt: five.changedAt, changedBy: 'bridge-0' },
      },
    },
    {
      when: 'deleted, and only an announcement was looked at',
      given: { ...announced, remembered: five, views: [view(1, 'A', 5)] },
      expect: 'look-closer',
    },
    {
      when: 'deleted, and a minority answers',
      given: { remembered: five, views: [view(1, 'A', 5)] },
      expect: { wait: 'no-majority' },
    },
    {
      when: 'deleted while a failover went on: the new one, above what was remembered',
      given: { remembered: { ...five, generation: 2 }, views: [view(1, 'B', 6)], role: role('B', 'master') },
      expect: { publish: 'failover', is: { generation: 2, epoch: 6, previous: at('A') } },
    },
    {
      when: 'not a record any more: put back',
      given: { held: { kind: 'unreadable', modifyIndex: 9 }, remembered: five, views: all('A', 5) },
      expect: { publish: 'restored', is: { epoch: 5, master: at('A') } },
    },
    {
      when: 'another address by hand: put back',
      given: { held: held(record('C', { epoch: 5 })), remembered: five, views: all('A', 5) },
      expect: { publish: 'restored', is: { master: at('A') } },
    },
    {
      when: 'an older epoch by hand: put back',
      given: { held: held(record('A', { epoch: 3 })), remembered: five, views: all('A', 5) },
      expect: { publish: 'restored', is: { epoch: 5, master: at('A') } },
    },
    {
      when: 'an older generation (Consul was restored from a snapshot): put back',
      given: {
        held: held(record('C', { generation: 1, epoch: 9 })),
        remembered: { ...five, generation: 2 },
        views: all('A', 5),
      },
      expect: { publish: 'restored', is: { generation: 2, epoch: 5, master: at('A') } },
    },
    {
      when: 'rolled back, and the Sentinels have moved on meanwhile',
      given: {
        held: held(record('C', { epoch: 3 })),
        remembered: five,
        views: all('B', 6),
        role: role('B', 'master'),
      },
      expect: { publish: 'failover', is: { epoch: 6, master: at('B'), previous: at('A') } },
    },
    {
      when: 'a higher epoch by hand: a majority on a lower one, which must last',
      given: { held: held(record('C', { epoch: 99 })), remembered: record('C', { epoch: 99 }), views: all('A', 5) },
      expect: { wait: 'rebase', retryAfterMs: 10_000 },
    },
  ],
};

testDecisions(table);
