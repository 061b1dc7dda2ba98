import type { Examination, ExaminedMaster, SentinelOpinion } from '../../lib/doctor/examination.ts';
import type { judgedCodes } from '../../lib/doctor/judgement.ts';
import type { MasterState } from '../../lib/http/views.ts';
import type { IgnoredKey } from '../../lib/model/records.ts';
import { at, down, opinion, redis } from './world.ts';

/** What is wrong, as the doctor reads it and as a daemon follows it. */
export interface Situation {
  readonly title: string;
  readonly code: (typeof judgedCodes)[number];
  readonly master?: Partial<ExaminedMaster>;
  readonly record?: Partial<NonNullable<MasterState['record']>>;
  readonly fence?: 'none';
  /** Sentinels in TILT mode. */
  readonly tilted?: readonly number[];
  /** Sentinels that do not answer. */
  readonly away?: readonly number[];
  /** Sentinels that were never reached, and that no other lists. */
  readonly unlisted?: readonly number[];
  readonly consul?: Partial<Examination['consul']>;
  /** What the daemon's last read of Consul failed with. */
  readonly lost?: string;
  readonly ignoredKeys?: readonly IgnoredKey[];
}

export const seen = (...ones: readonly number[]) => ones.map((one) => opinion(one));
const all = (change: Partial<SentinelOpinion>) => seen(1, 2, 3).map((one) => ({ ...one, ...change }));
const replicasAs = (condition: 's_down' | 'link-down' | 'master' | 'up') =>
  opinion(1).replicas.map((replica) => (replica.address.host === at(3).host ? { ...replica, condition } : replica));
export const twoMasters = {
  opinions: all({ replicas: replicasAs('master') }),
  instances: [redis(1), redis(2), redis(3, { role: 'master' })],
};
const noReplica = { opinions: all({ replicas: [] }), instances: [redis(1)] };
const other = { name: 'redis-master', id: 'left', node: 'web-1', address: '10.9.9.9', port: 6379, tags: ['shard1'] };
const hiding = new Map([['shard1', [{ node: 'redis-shard1', id: 'by-hand', services: ['redis-master'] }]]]);
const former = [{ master: 'shard1', environment: '', address: at(1), node: 'redis-shard1' }];
const ownHost = { host: 'localhost', port: 6379 };
export const tiltedAt = new Date('2026-01-01T23:59:50.000Z');
const bogus = { key: 'redis/record/copy', kind: 'unreadable', message: 'the key holds no record' } as const;

export const situations: readonly Situation[] = [
  { title: 'Consul does not answer', code: 'consul-unreachable', consul: { state: down }, lost: 'ECONNREFUSED' },
  {
    title: 'Consul has no leader',
    code: 'consul-unreachable',
    consul: { leader: false },
    lost: 'Consul has no leader and accepts no writes',
  },
  { title: 'a key among the records is no record', code: 'record-unreadable', ignoredKeys: [bogus] },
  { title: 'a majority contradicts the record', code: 'record-unbacked', record: { epoch: 9 } },
  {
    title: 'the master is objectively down',
    code: 'master-down',
    master: { opinions: all({ condition: 'o_down' }), instances: [redis(1, { state: down }), redis(2), redis(3)] },
  },
  {
    title: 'the master answers as a replica',
    code: 'master-down',
    master: { instances: [redis(1, { role: 'replica' }), redis(2), redis(3)] },
  },
  {
    title: 'one Sentinel sees the master down',
    code: 'master-suspected',
    master: { opinions: [...seen(1, 2), opinion(3, { condition: 's_down' })] },
  },
  { title: 'a promotion is never announced', code: 'promotion-unconfirmed', record: { phase: 'promoted' } },
  { title: 'one Sentinel of three is gone', code: 'sentinel-unreachable', master: { opinions: seen(1, 2) }, away: [3] },
  { title: 'two Sentinels of three are gone', code: 'sentinels-lost', master: { opinions: seen(1) }, away: [2, 3] },
  {
    title: 'a Sentinel was never reached, and no other lists it',
    code: 'sentinel-uncounted',
    unlisted: [7],
  },
  { title: 'a Sentinel is in TILT mode', code: 'sentinel-tilt', tilted: [1] },
  { title: 'two Sentinels of three are in TILT mode', code: 'sentinel-tilt', tilted: [1, 2] },
  {
    title: 'a Sentinel is at another epoch',
    code: 'sentinel-differs',
    master: { opinions: [...seen(1, 2), opinion(3, { configEpoch: 0 })] },
  },
  {
    title: 'a Sentinel names another master',
    code: 'sentinels-disagree',
    master: { opinions: [...seen(1, 2), opinion(3, { master: at(2) })] },
  },
  {
    title: 'the master is known by a loopback address',
    code: 'loopback-published',
    record: { master: ownHost },
    master: { opinions: all({ master: ownHost }), instances: [redis(1, { address: ownHost }), redis(2), redis(3)] },
  },
  { title: 'there is no replica', code: 'master-without-replica', master: noReplica, record: { replicas: [] } },
  {
    title: 'a replica is down',
    code: 'replica-down',
    master: {
      opinions: all({ replicas: replicasAs('s_down') }),
      instances: [redis(1), redis(2), redis(3, { state: down })],
    },
  },
  {
    title: 'a replica lost its master',
    code: 'replica-not-replicating',
    master: {
      opinions: all({ replicas: replicasAs('link-down') }),
      instances: [redis(1), redis(2), redis(3, { link: 'down' })],
    },
  },
  {
    title: 'a replica says that it is a master',
    code: 'second-master',
    master: twoMasters,
  },
  {
    title: 'a replica says that it is a master, and the settings leave it to Sentinel',
    code: 'second-master',
    fence: 'none',
    master: twoMasters,
  },
  {
    title: 'a Redis refuses the password',
    code: 'redis-denied',
    master: {
      instances: [redis(1), redis(2), redis(3, { state: { kind: 'denied', why: 'WRONGPASS invalid' } })],
    },
  },
  {
    title: 'a Redis that Sentinels see up cannot be reached',
    code: 'redis-unreached',
    master: { instances: [redis(1), redis(2), redis(3, { state: down })] },
  },
  { title: 'somebody else registered the master', code: 'foreign-instance', consul: { foreign: [other] } },
  { title: 'a check hides the master', code: 'foreign-check', consul: { foreignChecks: hiding } },
  { title: 'another environment has the master too', code: 'other-environment', consul: { otherEnvironments: former } },
];
