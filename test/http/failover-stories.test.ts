import t from 'tap';
import { describeFailovers, foldOthers } from '../../lib/http/failover-stories.ts';
import type { JournalEntry } from '../../lib/telemetry/journal.ts';

const start = Date.parse('2026-01-01T03:00:00.000Z');
let lastId = 0;

function entry(atMs: number, over: Partial<JournalEntry>): JournalEntry {
  lastId += 1;
  const at = new Date(start + atMs).toISOString();
  return {
    ...{ id: lastId, firstId: lastId, at, firstAt: at, count: 1, loop: 'bridge', key: 'shard1', reconcileId: 'a' },
    ...{ kind: 'applied', summary: '', hints: [], details: {}, error: null, durationMs: 4, failures: 0 },
    ...over,
  };
}

const [a, b] = ['10.0.0.5', '10.0.0.6'].map((host) => ({ host, port: 6379 }));
const record = (epoch: number, [previous, master] = [a, b]) => ({
  ...{ version: 1, name: 'shard1', generation: 1, epoch, phase: 'promoted', master, replicas: [previous], previous },
  ...{ reason: 'failover', changedAt: new Date(start).toISOString(), changedBy: 'web-1/1' },
});
const hint = (sentinel: number, event: string, agoMs: number) => ({
  source: `sentinel 10.0.0.${sentinel}:26379`,
  event,
  agoMs,
});
const crashHint = (master = '10.0.0.5:6379') => ({
  source: `redis ${master}`,
  event: 'closed the connection',
  agoMs: 0,
});
const stages = { observedMs: 1.2, plannedMs: 2, committedMs: 8.4 };
const change = (atMs: number, epoch: number, over: Partial<JournalEntry> = {}) =>
  entry(atMs, { summary: 'moved', details: { cause: 'failover', record: record(epoch), stages }, ...over });
const fence = (atMs: number, summary: string, over: Partial<JournalEntry> = {}) =>
  entry(atMs, { loop: 'fence', summary: `former master 10.0.0.5:6379: ${summary}`, ...over });
const confirm = (atMs: number, epoch: number) =>
  entry(atMs, { summary: 'confirmed', details: { cause: 'confirmed', record: record(epoch) } });

const storiesOf = (...inOrder: readonly JournalEntry[]) => describeFailovers(inOrder.toReversed());

t.test('a failover by Sentinel: when, who saw it down, who led, how long, what was fenced', async (t) => {
  const stories = storiesOf(
    entry(-1_200, {
      summary: 'repaired',
      hints: [hint(5, '+sdown', 100), hint(6, '+sdown', 60), hint(6, '+odown', 10)],
    }),
    fence(-300, 'writes paused, because a Sentinel selected a replica', {
      details: { action: 'pause-before-promotion' },
    }),
    change(0, 8, { hints: [hint(6, '+elected-leader', 900), hint(6, '+switch-master', 8)] }),
    fence(12, 'writes paused'),
    confirm(1_000, 8),
    fence(2_100, 'made a replica'),
  );
  t.strictSame(stories[0]?.lines, [
    '2026-01-01T03:00:00.000Z  failover: 10.0.0.5:6379 → 10.0.0.6:6379, epoch 8',
    'seen down by: 10.0.0.5:26379 (s_down, 1.3 s before), 10.0.0.6:26379 (s_down, 1.3 s before), 10.0.0.6:26379 (o_down, 1.2 s before)',
    'led by: Sentinel 10.0.0.6:26379',
    'took: observed after 1.2 ms, planned after 2 ms, committed after 8.4 ms, confirmed 1.0 s later',
    'former master: writes paused, because a Sentinel selected a replica (300 ms before); writes paused (12 ms later); ' +
      'made a replica (2.1 s later); what it acknowledged and no replica had is lost',
  ]);
  t.match(stories, [{ from: '10.0.0.5:6379', to: '10.0.0.6:6379', epoch: 8, generation: 1 }]);
});

t.test('a planned failover names the operator, and what the new master has', async (t) => {
  const details = {
    cause: 'planned',
    epoch: 9,
    generation: 1,
    withoutWritesMs: 231,
    offsets: { paused: 70, inherited: 70 },
  };
  const [story] = storiesOf(change(0, 9), entry(3_000, { loop: 'failover', details }));
  t.match(story?.lines, [
    /planned failover: /,
    'seen down by: nobody; an operator ordered it',
    /^led by: not known/,
    /231 ms without writes$/,
    'former master: made a replica; nothing was lost',
  ]);
  const demoted = [fence(1_000, 'writes paused', { count: 30 }), fence(1_100, 'made a replica')];
  const [bridged] = storiesOf(change(0, 9), ...demoted, entry(3_000, { loop: 'failover', details }));
  const wanted = 'writes paused (30 times, last 1.0 s later); made a replica (1.1 s later); nothing was lost';
  t.equal(bridged?.lines[4], `former master: ${wanted}`);
  const lost = { ...details, offsets: { paused: 70, inherited: null } };
  const [other] = storiesOf(change(0, 9), entry(3_000, { loop: 'failover', details: lost }));
  t.match(other?.lines[4], /did not report how much/);
});

t.test('a crash, a new generation, and a leader that only the votes show', async (t) => {
  const votes = [
    { sentinel: '10.0.0.5:26379', condition: 'o_down' },
    { sentinel: '10.0.0.7:26379', condition: 'failover' },
  ];
  const details = { cause: 'rebase', record: { ...record(3), generation: 2 }, votes };
  const crash = { loop: 'crash', summary: 'it crashed', hints: [crashHint()] };
  const [story] = storiesOf(entry(-90, crash), entry(0, { details }));
  t.match(story?.lines, [
    /new generation: .*, epoch 3, generation 2$/,
    'seen down by: this bridge (it crashed)',
    'led by: Sentinel 10.0.0.7:26379',
    'took: 4 ms',
    /^former master: what it acknowledged/,
  ]);
});

t.test('a crash whose failover this bridge did not order', async (t) => {
  const downs = (...entries: readonly JournalEntry[]) => storiesOf(...entries).map(({ lines }) => lines[1]);
  const crash = (atMs: number, kind: JournalEntry['kind'], summary: string) =>
    entry(atMs, { loop: 'crash', kind, summary, hints: [crashHint()] });
  t.strictSame(downs(crash(-900, 'held', 'not in step'), change(0, 8)), ['seen down by: this bridge (not in step)']);
  const late = downs(change(0, 8), crash(40, 'fenced', 'b has ordered it'), change(500_000, 9));
  t.strictSame(late, ['seen down by: this bridge (b has ordered it)', 'seen down by: not known to this bridge']);
  const next = downs(change(0, 8), crash(480_000, 'fenced', 'b has ordered it'), change(480_500, 9));
  t.strictSame(next, ['seen down by: not known to this bridge', 'seen down by: this bridge (b has ordered it)']);
  const both = downs(crash(-900, 'held', 'no right'), crash(-20, 'applied', 'ordered'), change(0, 8));
  t.strictSame(both, ['seen down by: this bridge (ordered)']);
});

t.test('a crash of another master, and one that was not certain at the end, is no cause of a failover', async (t) => {
  const held = (over: Partial<JournalEntry>) =>
    entry(-900, { loop: 'crash', kind: 'held', summary: 'it crashed', hints: [crashHint()], ...over });
  const downOf = (crash: JournalEntry) => storiesOf(crash, change(0, 8))[0]?.lines[1];
  const none = 'seen down by: not known to this bridge';
  t.equal(downOf(held({ hints: [crashHint('10.0.0.6:6379')] })), none);
  for (const end of ['back', 'stopped', 'unclear']) t.equal(downOf(held({ details: { end } })), none, end);
  t.equal(downOf(held({ details: { end: 'no-replica' } })), 'seen down by: this bridge (it crashed)');
});

t.test('a new generation of the same master has no former master', async (t) => {
  const details = { cause: 'rebase', record: { ...record(8), generation: 2 } };
  const [, same] = storiesOf(change(0, 8), entry(7_000, { details }));
  t.match(same?.lines, [/new generation: 10\.0\.0\.6:6379 stays master, epoch 8, generation 2$/]);
  t.equal(same?.lines[4], 'former master: none');
});

t.test('stories are newest last, and what belongs to one is not in another', async (t) => {
  const stories = storiesOf(
    change(0, 8, { hints: [hint(5, '+odown', 5)] }),
    fence(10, 'made a replica'),
    change(20_000, 9, { hints: [hint(6, '+odown', 5)] }),
    change(500_000, 10),
  );
  t.strictSame(
    stories.map(({ epoch }) => epoch),
    [8, 9, 10],
  );
  t.match(stories[0]?.lines[4], /made a replica/);
  t.notMatch(stories[1]?.lines.join(), /10\.0\.0\.5:26379|made a replica/);
  t.match(stories[2]?.lines[1], 'seen down by: not known to this bridge');
  t.strictSame(
    storiesOf(entry(0, { details: { cause: 'failover', record: 'garbage' } })),
    [],
    'an entry of a damaged file',
  );
});

t.test('everything else is folded: the same thing once, with its count and last time', async (t) => {
  const inOrder = [
    entry(0, { summary: 'repaired check', count: 3 }),
    change(1, 8),
    confirm(2, 8),
    entry(5, { summary: 'no majority', kind: 'held' }),
    entry(9, { summary: 'repaired check' }),
  ];
  t.match(foldOthers(inOrder.toReversed()), [
    { summary: 'repaired check', count: 4, at: '2026-01-01T03:00:00.009Z' },
    { summary: 'no majority', count: 1, kind: 'held' },
  ]);
});
