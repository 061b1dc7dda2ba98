import t from 'tap';
import { AnnouncementReader } from '../../lib/bridge/announcement.ts';
import type { Decider } from '../../lib/bridge/decider.ts';
import type { Observation } from '../../lib/bridge/finding.ts';
import type { AnnouncementHint, BridgeHint } from '../../lib/bridge/hint.ts';
import type { SentinelReading } from '../../lib/bridge/observe/sentinel-reading.ts';
import type { SentinelSource } from '../../lib/bridge/observe/sentinels.ts';
import type { Decision } from '../../lib/bridge/plan/decision.ts';
import type { RedisPool } from '../../lib/client/redis-pool.ts';
import { ActiveRun } from '../../lib/loop/run.ts';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import { at, view } from './plan/world.ts';

/** An announcement of Sentinel `n`. */
function announced(n: number): AnnouncementHint {
  const { sentinel } = view(n, 'B', 6);
  return { kind: 'announcement', sentinel, target: undefined, source: 's', event: '+switch-master', receivedMs: 1 };
}

/** Sentinels that answer when the test has them answer, and a decision that needs the answer of one of `enough`. */
function stage(...enough: readonly number[]) {
  const asked: string[] = [];
  const answers = new Map<string, (readings: readonly SentinelReading[]) => void>();
  const read = (_: string, { only: [sentinel] }: { only: readonly [Address] }) => {
    asked.push(formatAddress(sentinel));
    return new Promise((resolve) => answers.set(formatAddress(sentinel), resolve));
  };
  const observed: Observation[] = [];
  const find = (name: string, observation: Observation) => {
    observed.push(observation);
    return { name, views: observation.views, role: observation.role };
  };
  const decide = async (finding: ReturnType<typeof find>) => {
    const suffices = finding.views.some(({ sentinelId }) => enough.some((n) => sentinelId === `s${n}`));
    const decision: Pick<Decision, 'kind'> = { kind: suffices ? 'stands' : 'ask-all' };
    return { finding, decision };
  };
  const askedRoles: string[] = [];
  const role = async (address: Address) => {
    askedRoles.push(formatAddress(address));
    return { address, role: 'master' };
  };
  const reader = new AnnouncementReader({
    sentinels: { read } as unknown as SentinelSource,
    redis: { role } as unknown as RedisPool,
    decider: { find, decide } as unknown as Decider,
    settings: { roleDeadlineMs: 500 },
  });
  const answer = (n: number) => {
    const seen = view(n, 'B', 6);
    const { sentinel, sentinelId } = seen;
    answers.get(formatAddress(sentinel))?.([{ kind: 'seen', sentinel, sentinelId, view: seen }]);
  };
  return { reader, answer, asked, askedRoles, observed };
}

function runOf(...hints: readonly BridgeHint[]): ActiveRun<BridgeHint> {
  return new ActiveRun<BridgeHint>({ key: 'm', reconcileId: 'r', hints, signal: new AbortController().signal });
}

const woken = { wokenMs: 0 };
const [first, second] = [formatAddress(announced(1).sentinel), formatAddress(announced(2).sentinel)];

t.test('a run that no announcement woke reads no announcement', async (t) => {
  const { reader, asked } = stage(1);
  const run = runOf({ source: 'consul', event: 'changed', receivedMs: 1 });
  t.equal(await reader.decide(run, woken), undefined);
  t.strictSame(asked, []);
});

t.test('one answer that suffices is enough, and one Sentinel is asked once', async (t) => {
  const { reader, answer, asked } = stage(1);
  const deciding = reader.decide(runOf(announced(1), announced(1)), woken);
  answer(1);
  t.match(await deciding, { decision: { kind: 'stands' } });
  t.strictSame(asked, [first]);
});

t.test(
  'the next announcement is read where the first answer does not suffice, and not again by the next run',
  async (t) => {
    const { reader, answer, asked } = stage(2);
    const run = runOf(announced(1));
    const deciding = reader.decide(run, woken);
    const later = announced(2);
    run.interrupt(later);
    t.strictSame(asked, [first], 'the first answer has a head start');
    answer(1);
    await waitFor('the second Sentinel to be asked', () => asked.length === 2);
    answer(2);
    t.match(await deciding, { decision: { kind: 'stands' } });
    t.equal(await reader.decide(runOf(later), woken), undefined);
    t.strictSame(asked, [first, second]);
  },
);

t.test('fresh answers that came with a hint decide without a question, and old ones do not', async (t) => {
  const seen = view(1, 'B', 6);
  const { sentinel, sentinelId } = seen;
  const role = { address: { host: '127.0.0.1', port: 6380 }, role: 'master' } as const;
  const readings = Promise.resolve([{ kind: 'seen', sentinel, sentinelId, view: seen } as const]);
  const withAnswers = (untilMs: number): AnnouncementHint => ({
    ...announced(1),
    answers: { readings, role, untilMs },
  });
  const { reader, answer, asked } = stage(1);
  t.match(await reader.decide(runOf(withAnswers(performance.now() + 1_000)), woken), {
    finding: { views: [seen], role },
    decision: { kind: 'stands' },
  });
  t.strictSame(asked, []);
  const deciding = reader.decide(runOf(withAnswers(performance.now())), woken);
  answer(1);
  t.match(await deciding, { decision: { kind: 'stands' } });
  t.strictSame(asked, [first]);
});

t.test('where answers from before the announcement do not suffice, the Sentinel is asked again', async (t) => {
  const { sentinel, sentinelId } = view(2, 'A', 5);
  const seen = { kind: 'seen', sentinel, sentinelId, view: view(2, 'A', 5) } as const;
  const target = at('B');
  const role = Promise.resolve({ address: target, role: 'master' } as const);
  const { reader, answer, asked, observed } = stage(1);
  const answers = { readings: Promise.resolve([seen]), role, untilMs: performance.now() + 1_000 };
  const deciding = reader.decide(runOf({ ...announced(1), target, answers }), woken);
  await waitFor('the Sentinel to be asked', () => asked.length === 1);
  answer(1);
  t.match(await deciding, { decision: { kind: 'stands' } });
  t.match(observed, [
    { views: [seen.view], announced: target },
    { views: [view(1, 'B', 6)], announced: undefined },
  ]);
});

t.test('a target that was out of reach just now is not asked again with its Sentinel', async (t) => {
  const target = at('B');
  for (const role of ['unreachable', 'master', 'replica'] as const) {
    const { sentinel, sentinelId } = view(2, 'A', 5);
    const seen = { kind: 'seen', sentinel, sentinelId, view: view(2, 'A', 5) } as const;
    const { reader, answer, asked, askedRoles, observed } = stage(1);
    const answers = {
      readings: Promise.resolve([seen]),
      role: { address: target, role },
      untilMs: performance.now() + 1_000,
    };
    const deciding = reader.decide(runOf({ ...announced(1), target, answers }), woken);
    await waitFor('the Sentinel to be asked', () => asked.length === 1);
    answer(1);
    t.match(await deciding, { decision: { kind: 'stands' } });
    t.strictSame(askedRoles, role === 'unreachable' ? [] : [formatAddress(target)], role);
    t.match(observed[1], { views: [view(1, 'B', 6)], role: { address: target } });
  }
});

t.test('an announcement that comes while a Sentinel does not answer is read after its head start', async (t) => {
  const { reader, answer, asked } = stage(2);
  const run = runOf(announced(1));
  const deciding = reader.decide(run, woken);
  run.interrupt(announced(2));
  await waitFor('the second Sentinel to be asked', () => asked.length === 2);
  answer(2);
  t.match(await deciding, { decision: { kind: 'stands' } });
});

t.test('all Sentinels have to be asked where no announcement suffices', async (t) => {
  const { reader, answer } = stage();
  const deciding = reader.decide(runOf(announced(1)), woken);
  answer(1);
  t.equal(await deciding, undefined);
});
