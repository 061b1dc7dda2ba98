import { performance } from 'node:perf_hooks';
import t from 'tap';
import { Fencer } from '../../../lib/bridge/fencing/fencer.ts';
import { assessEvidence } from '../../../lib/bridge/fencing/plan.ts';
import type { RedisPool } from '../../../lib/client/redis-pool.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';
import { sameAddress } from '../../../lib/model/address.ts';
import type { RoleAnswer, SentinelView } from '../../../lib/model/sentinel.ts';
import { at, record, view } from '../plan/world.ts';

// For how long a former master stays paused that nobody demotes. fencer.test.ts has pauses of real servers.
const startMs = 100_000;
let nowMs = startMs;
Object.defineProperty(performance, 'now', { configurable: true, value: () => nowMs });
t.teardown(() => Reflect.deleteProperty(performance, 'now'));

const change = { from: at('A'), to: at('B') };
const six = record('B', { epoch: 6, previous: at('A'), replicas: [at('A')] });
const replica = (condition: SentinelView['replicas'][number]['condition']) => [{ address: at('A'), condition }];
const failoverTimeoutMs = 60_000;
const adopted = (n: number) => view(n, 'B', 6, { replicas: replica('s_down'), failoverTimeoutMs });
const [one, two] = [adopted(1), adopted(2)];
const agree = [one, two, adopted(3)];
const leader = view(3, 'A', 5, { condition: 'failover', promoting: at('B'), failoverTimeoutMs });

interface Scene {
  readonly views: readonly SentinelView[];
  readonly fence?: 'demote' | 'pause';
  readonly phase?: 'promoted' | 'confirmed';
  /** What the former master answers at a time in seconds. */
  readonly role?: (second: number) => RoleAnswer['role'];
  /** What CLIENT PAUSE ends with. */
  readonly answersLate?: boolean;
}

/** The seconds at which the former master is paused, in ten minutes. The bridge looks every two seconds. */
async function pausesIn({ views, fence = 'demote', phase = 'confirmed', role, answersLate }: Scene) {
  nowMs = startMs;
  const second = () => (nowMs - startMs) / 1_000;
  const pauses: number[] = [];
  const redis = {
    role: async (address: typeof change.from) => ({
      address,
      role: sameAddress(address, at('A')) ? (role?.(second()) ?? 'master') : 'master',
    }),
    connected: async () => {},
    command: async (_address: unknown, commands: readonly string[][]) => {
      if (commands[0]?.[1] === 'PAUSE') pauses.push(second());
      if (answersLate && second() > 0) throw new SwitchmasterError('redis-timeout', 'no answer within 300 ms');
      return commands.map(() => 'OK');
    },
  } as unknown as RedisPool;
  const fencer = new Fencer({ redis, settings: { fence }, whyNot: () => undefined, onReport: () => {} });
  const known = { ...six, phase };
  const evidence = assessEvidence({ record: known, views, knownSentinels: 3, consul: 'reachable' });
  const asked: boolean[] = [];
  await fencer.changeMaster('m', change);
  for (let i = 0; i < 300; i += 1) {
    nowMs += 2_000;
    const weigh = async () => ({ views, evidence });
    const { stale } = await fencer.enforce(known, { members: [], views, weigh, stillHolds: () => true });
    asked.push(stale.length > 0);
  }
  return { pauses, asked };
}

const scenes: Readonly<Record<string, Scene & { readonly lastBetween: readonly [number, number] }>> = {
  'three Sentinels agree, and the bridge may only pause': { views: agree, fence: 'pause', lastBetween: [14, 16] },
  'one Sentinel is stale': { views: [one, two, view(3, 'A', 5)], lastBetween: [14, 16] },
  'one Sentinel is stale, and the bridge may only pause': {
    views: [one, two, view(3, 'A', 5)],
    fence: 'pause',
    lastBetween: [14, 16],
  },
  'only one Sentinel has adopted the promotion': {
    views: [one, view(2, 'A', 5), view(3, 'A', 5)],
    lastBetween: [14, 18],
  },
  'a minority has adopted it, before the confirmation': {
    views: [one, view(2, 'A', 5), view(3, 'A', 5)],
    phase: 'promoted',
    lastBetween: [14, 18],
  },
  'no Sentinel lists it any more': { views: agree.map((each) => ({ ...each, replicas: [] })), lastBetween: [0, 0] },
  'the server answers each CLIENT PAUSE too late': {
    views: [one, two, view(3, 'A', 5)],
    answersLate: true,
    lastBetween: [14, 16],
  },
  'it does not answer each third time': {
    views: [one, two, view(3, 'A', 5)],
    role: (second) => (second % 6 === 0 ? 'unreachable' : 'master'),
    lastBetween: [14, 18],
  },
  'a Sentinel still runs the failover': { views: [one, two, leader], lastBetween: [56, 64] },
  'a Sentinel still runs it before the confirmation': {
    views: [leader, view(2, 'A', 5, { failoverTimeoutMs })],
    phase: 'promoted',
    lastBetween: [56, 64],
  },
};
for (const [when, { lastBetween, ...scene }] of Object.entries(scenes))
  t.test(`the pause of a former master ends: ${when}`, async (t) => {
    const { pauses } = await pausesIn(scene);
    const [min, max] = lastBetween;
    const last = pauses.at(-1) ?? Number.NaN;
    t.ok(last >= min && last <= max, `paused at ${pauses.join(', ')} s`);
    const gaps = pauses.map((second, i) => second - (pauses[i - 1] ?? second));
    t.ok(Math.max(...gaps) < 5, 'and does not end before that');
  });

t.test('a paused master that does not answer is asked again soon, and its pause does not end', async (t) => {
  const views = [leader, two];
  const { pauses, asked } = await pausesIn({ views, role: (second) => (second === 2 ? 'unreachable' : 'master') });
  t.ok(asked[0]);
  t.ok((pauses[1] ?? Number.NaN) < 5);
});

t.test('a change that is made again, because Consul takes no record, pauses the master no longer', async (t) => {
  nowMs = startMs;
  const pauses: number[] = [];
  const command = async (address: typeof change.from, commands: readonly string[][]) => {
    if (commands[0]?.[1] === 'PAUSE' && sameAddress(address, at('A'))) pauses.push((nowMs - startMs) / 1_000);
    return commands.map(() => 'OK');
  };
  const redis = { connected: async () => {}, command } as unknown as RedisPool;
  const fencer = new Fencer({ redis, settings: { fence: 'demote' }, whyNot: () => undefined, onReport: () => {} });
  for (; nowMs < startMs + 30_000; nowMs += 3_000) await fencer.changeMaster('m', change);
  t.strictSame(pauses, [0, 3, 6, 9, 12, 15]);
  await fencer.changeMaster('m', { from: at('B'), to: at('A') });
  await fencer.changeMaster('m', change);
  t.equal(pauses.at(-1), 30, 'another change pauses it again');
});
