import type { Examination, ExaminedIsolation } from '../../lib/doctor/examination.ts';
import { consul, healthy, opinions } from './world.ts';

/** A master of this machine that its replicas acknowledge. */
const own: ExaminedIsolation = {
  ...{ address: '10.0.0.1:6379', announced: undefined, runId: undefined },
  ...{ role: 'master', listed: 2, ackAgeMs: 1_000, refused: undefined },
};
const loopback = { ...own, address: '127.0.0.1:6379' };

/** Examinations with one fault of isolation each, and the rules that must find it. */
export const isolationFaults: readonly (readonly [
  fault: string,
  examination: Examination,
  rules: readonly string[],
])[] = [
  [
    'a Redis that cannot be paused',
    { ...healthy, isolation: [{ ...own, refused: 'NOPERM this user has no permissions' }] },
    ['isolation-refused'],
  ],
  [
    'a master that hears its Sentinels alone',
    { ...consul({ leader: false }), isolation: [{ ...own, ackAgeMs: 9_000 }] },
    ['consul-unreachable', 'isolation-near'],
  ],
  [
    'a promotion that may come before the pause',
    { ...opinions({ downAfterMs: 3_000 }), isolation: [{ ...own, role: 'replica' }] },
    ['isolation-late'],
  ],
  [
    'a promotion that may come early, of a Redis that is registered by loopback',
    { ...opinions({ downAfterMs: 3_000 }), isolation: [{ ...loopback, runId: 'run1' }] },
    ['isolation-late'],
  ],
  [
    'a promotion that may come early, of a Redis that is registered by its socket and announces an address',
    {
      ...opinions({ downAfterMs: 3_000 }),
      isolation: [{ ...own, address: '/run/redis.sock', announced: '10.0.0.1:6379' }],
    },
    ['isolation-late'],
  ],
  [
    'a promotion that may come early, of a master whose servers are elsewhere',
    { ...opinions({ downAfterMs: 3_000 }), isolation: [{ ...own, address: '10.0.0.9:6379', role: 'replica' }] },
    [],
  ],
];
