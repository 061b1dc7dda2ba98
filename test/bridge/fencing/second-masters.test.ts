import t from 'tap';
import { Fencer } from '../../../lib/bridge/fencing/fencer.ts';
import { findSecondMasters } from '../../../lib/bridge/fencing/second-masters.ts';
import type { RedisPool } from '../../../lib/client/redis-pool.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';
import { type Address, sameAddress } from '../../../lib/model/address.ts';
import { describeSecondMaster } from '../../../lib/model/second-master.ts';
import type { RoleAnswer, SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, role, view } from '../plan/world.ts';

const listing = (condition: SentinelView['replicas'][number]['condition']) => ({
  replicas: [{ address: at('B'), condition }],
});
const seen = (changes: Partial<SentinelView>) => [1, 2, 3].map((n) => view(n, 'A', 5, changes));
const denied = { code: 'redis-denied', message: 'REPLICAOF at 10.0.0.2:6302: NOPERM' } as SwitchmasterError;
type Asked = Parameters<typeof findSecondMasters>[0];

const cases: readonly (readonly [title: string, given: Partial<Asked>, state: string | undefined])[] = [
  ['a replica', { roles: [role('B', 'replica')] }, undefined],
  ['a master that nothing was done about', {}, 'open'],
  [
    'one that was made a replica',
    { outcomes: new Map([['10.0.0.2:6302', { kind: 'applied', action: 'demote' }]]) },
    undefined,
  ],
  [
    'one that refuses',
    { outcomes: new Map([['10.0.0.2:6302', { kind: 'failed', error: denied, action: 'demote' }]]) },
    'open',
  ],
  ['one whose writes wait', { isPaused: (address: Address) => sameAddress(address, at('B')) }, 'paused'],
  ['one in maintenance', { whyNot: 'm is in maintenance' }, 'left'],
  ['one that no Sentinel lists', { views: seen({ replicas: [] }) }, 'unlisted'],
  [
    'a replica that a failover promotes',
    { views: [view(1, 'A', 5, { condition: 'failover' }), ...seen({}).slice(1)] },
    undefined,
  ],
  ['a server that a Sentinel names as the master', { views: [view(1, 'B', 6), ...seen({}).slice(1)] }, undefined],
  [
    'one that refuses the bridge, and that the Sentinels read as a master',
    { roles: [unreachable()], views: seen(listing('master')) },
    'open',
  ],
  [
    'one that refuses the bridge, and that the Sentinels read as a replica',
    { roles: [unreachable()], views: seen(listing('up')) },
    undefined,
  ],
  [
    'a former master before the confirmation',
    { record: record('A', { phase: 'promoted', previous: at('B') }) },
    'open',
  ],
  [
    'another replica before the confirmation',
    { record: record('A', { phase: 'promoted', previous: at('C') }) },
    undefined,
  ],
];

function unreachable(): RoleAnswer {
  return { ...role('B', 'unreachable'), error: 'NOAUTH Authentication required' };
}

t.test('a server that answers as a master beside the record is a second master', async (t) => {
  for (const [title, given, state] of cases) {
    const found = findSecondMasters({
      ...{ record: record('A'), roles: [role('B', 'master')], views: seen(listing('up')), whyNot: undefined },
      ...{ isPaused: () => false, outcomes: new Map() },
      ...given,
    });
    t.strictSame(
      found.map((one) => one.state),
      state === undefined ? [] : [state],
      title,
    );
    for (const second of found)
      t.match(describeSecondMaster(second, at('A')), /^10\.0\.0\.2:6302 answers as a master beside 10\.0\.0\.1:6301: /);
  }
});

t.test('a former master that does not answer to a demotion is not paused: it may have carried it out', async (t) => {
  const commands: string[] = [];
  const fakeRedis = {
    role: async (address: Address) => ({ address, role: 'master' }),
    connected: async () => undefined,
    command: async (_address: Address, [words]: readonly (readonly string[])[]) => {
      commands.push(`${words?.[0]}`);
      throw new SwitchmasterError('redis-timeout', 'no answer within 300 ms');
    },
  } as unknown as RedisPool;
  const fencer = new Fencer({
    redis: fakeRedis,
    settings: { fence: 'demote' },
    whyNot: () => undefined,
    onReport: () => undefined,
  });
  const given = record('A', { replicas: [at('B')], previous: at('B') });
  const views = [view(1, 'A', 5, { replicas: [{ address: at('B'), condition: 'up' }] })];
  const members = [at('A'), at('B')];
  const weigh = async () => ({ evidence: 'proven' as const, views });
  const { stale, secondMasters } = await fencer.enforce(given, { members, views, weigh, stillHolds: () => true });
  t.equal(stale.length, 1);
  t.strictSame(secondMasters, [{ address: at('B'), state: 'open', why: 'no answer within 300 ms' }]);
  t.strictSame(commands, ['REPLICAOF']);
});
