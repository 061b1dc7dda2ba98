import type {
  Examination,
  ExaminedMaster,
  ExaminedRedis,
  RedisSettings,
  SentinelOpinion,
} from '../../lib/doctor/examination.ts';
import { trackMaintenance } from '../../lib/model/maintenance.ts';

/* A healthy setup of one master with two replicas and three Sentinels, and changes of it. */

export const at = (last: number, port = 6379) => ({ host: `10.0.0.${last}`, port });
export const reached = { kind: 'reached' } as const;
const settings: RedisSettings = {
  requirepassHash: 'p',
  masterauthHash: 'p',
  hasMasterUser: false,
  priority: 100,
  minReplicasToWrite: 1,
  readOnly: true,
  maxMemory: 0,
  persists: true,
};

export function redis(last: number, change: Partial<ExaminedRedis> = {}): ExaminedRedis {
  const expected = last === 1 ? 'master' : 'replica';
  const follows = expected === 'replica' ? ({ follows: at(1), link: 'up' } as const) : {};
  return {
    address: at(last),
    expected,
    role: expected,
    state: reached,
    runId: `run${last}`,
    version: '7.0.15',
    settings,
    configFile: 'kept',
    saveFailed: false,
    ...follows,
    ...change,
  };
}

export function opinion(last: number, change: Partial<SentinelOpinion> = {}): SentinelOpinion {
  return {
    sentinelId: `s${last}`,
    sentinel: at(last, 26379),
    master: at(1),
    configEpoch: 1,
    condition: 'up',
    linked: true,
    quorum: 2,
    knownSentinels: 3,
    downAfterMs: 5_000,
    failoverTimeoutMs: 60_000,
    replicas: [2, 3].map((replica) => ({ address: at(replica), runId: `run${replica}`, condition: 'up' })),
    peers: [1, 2, 3]
      .filter((one) => one !== last)
      .map((one) => ({ address: at(one, 26379), condition: 'up' as const })),
    ...change,
  };
}

export function master(change: Partial<ExaminedMaster> = {}): ExaminedMaster {
  return {
    name: 'shard1',
    opinions: [1, 2, 3].map((i) => opinion(i)),
    instances: [1, 2, 3].map((i) => redis(i)),
    ...change,
  };
}

export const sentinel = (last: number) =>
  ({ address: at(last, 26379), origin: 'configured', state: reached, id: `s${last}`, tiltSince: null }) as const;

export const healthy: Examination = {
  atMs: Date.parse('2026-01-02T00:00:00.000Z'),
  sentinels: [sentinel(1), sentinel(2), sentinel(3)],
  masters: [master()],
  consul: {
    state: reached,
    leader: true,
    version: '1.15.2',
    dns: { onlyPassing: false, nodeTtlMs: 0, serviceTtlMs: { web: 5_000 } },
    missingRules: [],
  },
  clocks: [{ whose: '10.0.0.1:6379', aheadMs: 40, uncertaintyMs: 1 }],
};

export const of = (change: Partial<ExaminedMaster>): Examination => ({ ...healthy, masters: [master(change)] });
export const opinions = (change: Partial<SentinelOpinion>, count = 3): Examination =>
  of({ opinions: Array.from({ length: count }, (_, i) => opinion(i + 1, { knownSentinels: count, ...change })) });
export const instances = (...list: ExaminedRedis[]): Examination => of({ instances: list });
export const tuned = (last: number, change: Partial<RedisSettings>): ExaminedRedis =>
  redis(last, { settings: { ...settings, ...change } });
export const consul = (change: Partial<Examination['consul']>): Examination => ({
  ...healthy,
  consul: { ...healthy.consul, ...change },
});
export const dns = (change: object): Examination =>
  consul({ dns: { onlyPassing: false, nodeTtlMs: 0, serviceTtlMs: {}, ...change } });
export const down = { kind: 'unreachable', why: 'ECONNREFUSED' } as const;
/** `scope` is a master's name, or null for all; `text` the value of the key. */
export const maintained = (scope: string | null, text: string): Examination => {
  const all = trackMaintenance(new Map(), new Map([[scope, text]]), { nowMs: 0, wallMs: healthy.atMs });
  return consul({ maintenance: [...all].map(([scope, maintenance]) => ({ scope, maintenance })) });
};
