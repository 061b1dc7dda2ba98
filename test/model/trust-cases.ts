import type { MasterRecord } from '../../lib/model/record.ts';
import { makeRecord } from '../template/world.ts';

/** A record of the master `m`. */
const at = (host: string, epoch: number, generation = 1) =>
  makeRecord({ name: 'm', master: { host, port: 1 }, epoch, generation });

/** The record that is followed before each case. */
export const last = at('10.0.0.1', 5);

export interface Case {
  readonly what: string;
  /** Consul's record. */
  readonly record?: MasterRecord | 'rubbish';
  /** The host of the plain key. */
  readonly key?: string;
  /** The hosts of the service. */
  readonly services?: readonly string[];
  /** Whose watches are not up to date. */
  readonly outdated?: 'both' | 'key' | 'services';
  /** Whether the token may read neither. */
  readonly unavailable?: true;
  /** Whether the key has the record's ModifyIndex. */
  readonly oneTransaction?: true;
  /** Default `read`. */
  readonly kind?: 'read' | 'pending';
  readonly decided?: MasterRecord;
  /** Whether an older or unproven record has stayed long enough. */
  readonly lasting?: true;
  /** Whether Consul lost its data. */
  readonly lost?: true;
  /** The host that is followed; undefined where the master is gone. */
  readonly host: string | undefined;
  readonly reason?: string;
}

/** What Consul holds, and which host is followed. */
export const table: readonly Case[] = [
  {
    what: 'a change in one transaction with the key, whose service has not arrived',
    record: at('10.0.0.2', 6),
    key: '10.0.0.2',
    services: ['10.0.0.1'],
    oneTransaction: true,
    host: '10.0.0.2',
  },
  {
    what: 'a change whose record was written again since, when all agrees',
    record: at('10.0.0.2', 6),
    key: '10.0.0.2',
    services: ['10.0.0.2'],
    host: '10.0.0.2',
  },
  {
    what: 'such a change beside an instance of another program',
    record: at('10.0.0.2', 6),
    key: '10.0.0.2',
    services: ['10.9.9.9', '10.0.0.2'],
    host: '10.0.0.2',
  },
  { what: 'a change without any evidence', record: at('10.0.0.2', 6), host: '10.0.0.2' },
  { what: 'a change that the key alone proves', record: at('10.0.0.2', 6), key: '10.0.0.2', host: '10.0.0.2' },
  {
    what: 'a change that the service alone proves',
    record: at('10.0.0.2', 6),
    services: ['10.0.0.2'],
    host: '10.0.0.2',
  },
  {
    what: 'an edit by hand',
    record: at('10.9.9.9', 9),
    key: '10.0.0.1',
    services: ['10.0.0.1'],
    host: '10.0.0.1',
    reason: 'contradicted',
  },
  {
    what: 'an edit of the record and the key by hand',
    record: at('10.9.9.9', 9),
    key: '10.9.9.9',
    services: ['10.0.0.1'],
    host: '10.0.0.1',
    reason: 'contradicted',
  },
  {
    what: 'an edit of the record and the service by hand',
    record: at('10.9.9.9', 9),
    key: '10.0.0.1',
    services: ['10.9.9.9'],
    host: '10.0.0.1',
    reason: 'contradicted',
  },
  {
    what: 'an edit in one transaction with a key of another address',
    record: at('10.9.9.9', 9),
    key: '10.0.0.1',
    services: ['10.0.0.1'],
    oneTransaction: true,
    host: '10.0.0.1',
    reason: 'contradicted',
  },
  {
    what: 'a change that only outdated watches contradict, as when Consul ends just after it',
    record: at('10.0.0.2', 6),
    key: '10.0.0.1',
    services: ['10.0.0.1'],
    outdated: 'both',
    host: '10.0.0.1',
    reason: 'unproven',
  },
  {
    what: 'such a change that has stayed',
    record: at('10.0.0.2', 6),
    key: '10.0.0.1',
    services: ['10.0.0.1'],
    outdated: 'both',
    lasting: true,
    host: '10.0.0.2',
  },
  {
    what: 'a change that only watches contradict that cannot be read',
    record: at('10.0.0.2', 6),
    key: '10.0.0.1',
    services: ['10.0.0.1'],
    unavailable: true,
    host: '10.0.0.2',
  },
  {
    what: 'a change in one transaction with the key, and an outdated watch that contradicts it',
    record: at('10.0.0.2', 6),
    key: '10.0.0.2',
    services: ['10.0.0.1'],
    outdated: 'services',
    oneTransaction: true,
    host: '10.0.0.2',
  },
  {
    what: 'an edit of the record and the key, and an outdated watch that contradicts it',
    record: at('10.0.0.2', 6),
    key: '10.0.0.2',
    services: ['10.0.0.1'],
    outdated: 'services',
    host: '10.0.0.1',
    reason: 'unproven',
  },
  {
    what: 'a change that a current watch contradicts beside an outdated one, however long it stays',
    record: at('10.0.0.2', 6),
    key: '10.0.0.1',
    services: ['10.0.0.1'],
    outdated: 'services',
    lasting: true,
    host: '10.0.0.1',
    reason: 'contradicted',
  },
  { what: 'an edit of the key alone', record: last, key: '10.9.9.9', services: ['10.0.0.1'], host: '10.0.0.1' },
  { what: 'a key that is no address', record: at('10.0.0.2', 6), key: '', host: '10.0.0.1', reason: 'contradicted' },
  {
    what: 'an edit to an older version',
    record: at('10.0.0.2', 4),
    key: '10.0.0.1',
    host: '10.0.0.1',
    reason: 'older',
  },
  {
    what: 'another address at the same version',
    record: at('10.0.0.2', 5),
    key: '10.0.0.2',
    services: ['10.0.0.1'],
    host: '10.0.0.1',
    reason: 'older',
  },
  {
    what: 'another spelling of the same host at the same version',
    record: at('::ffff:10.0.0.1', 5),
    key: '10.0.0.1',
    host: '::ffff:10.0.0.1',
  },
  {
    what: 'a change that the key shares in another spelling',
    record: at('redis-2.example', 6),
    key: 'Redis-2.Example.',
    host: 'redis-2.example',
  },
  {
    what: 'an older version with all the evidence in other spellings',
    record: at('fd00::5', 1),
    key: 'fd00:0:0::0005',
    services: ['fd00::5'],
    lasting: true,
    host: 'fd00::5',
  },
  {
    what: 'an older version with all the evidence, as of a Consul that replays its log',
    record: at('10.0.0.2', 1),
    key: '10.0.0.2',
    services: ['10.0.0.2'],
    host: '10.0.0.1',
    reason: 'older',
  },
  {
    what: 'an older version with all the evidence that has stayed',
    record: at('10.0.0.2', 1),
    key: '10.0.0.2',
    lasting: true,
    host: '10.0.0.2',
  },
  { what: 'an older version with the same address', record: at('10.0.0.1', 1), host: '10.0.0.1' },
  { what: 'a value that is no record', record: 'rubbish', host: '10.0.0.1', reason: 'unreadable' },
  { what: 'a deleted record', key: '10.0.0.1', host: '10.0.0.1', reason: 'deleted' },
  { what: 'a deleted record and key', services: ['10.0.0.1'], host: '10.0.0.1', reason: 'deleted' },
  { what: 'a removed master', host: undefined },
  { what: 'a record that Consul lost with all its data', lost: true, host: '10.0.0.1', reason: 'lost' },
  { what: 'a lost record that is back', record: at('10.0.0.2', 6), key: '10.0.0.2', lost: true, host: '10.0.0.2' },
  { what: 'a master whose evidence was not read yet', kind: 'pending', host: '10.0.0.1', reason: 'deleted' },
  {
    what: "this node's decision",
    record: at('10.0.0.2', 6),
    decided: at('10.0.0.2', 6),
    key: '10.0.0.1',
    services: ['10.0.0.1'],
    host: '10.0.0.2',
  },
  {
    what: 'a deleted record with a newer decision',
    decided: at('10.0.0.2', 6),
    key: '10.0.0.1',
    host: '10.0.0.2',
    reason: 'deleted',
  },
];
