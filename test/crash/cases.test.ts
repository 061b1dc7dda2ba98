import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { CrashDecision } from '../../lib/model/crash.ts';
import { waitFor } from '../sandbox/condition.ts';
import { openCases, refuse } from './cases-world.ts';

const order: CrashDecision<string> = { kind: 'order', target: 'replica' };

t.test('crashes are judged again', async (t) => {
  t.jobs = 8;
  const obstacles = ['right-missing', 'no-replica', 'consul', 'refused', 'others-act', 'too-soon'] as const;
  for (const end of obstacles) {
    t.test(`when the obstacle is over: ${end}`, { buffered: true }, async (t) => {
      let isOver = false;
      const { world, reports, cases, close, master } = await openCases(t, () => (isOver ? order : refuse(end)));
      close();
      // The first judgement again ends as before.
      await waitFor('two judgements', () => world.decisions, { until: (count) => count > 1 });
      t.strictSame(reports, [end], 'one entry for the crash');
      const shown = end === 'others-act' ? null : { address: master, why: `because of ${end}` };
      t.match(cases.unordered('m'), shown);
      isOver = true;
      await waitFor('the order', () => reports.at(-1), { until: (kind) => kind === 'ordered' });
      t.strictSame(reports, [end, 'ordered']);
      await waitFor('its end', () => cases.unordered('m'), { until: (crash) => crash === null });
    });
  }

  t.test('not before the time in which nothing can be ordered is over', { buffered: true }, async (t) => {
    const { world, close } = await openCases(t, () => refuse('too-soon', 4_000));
    const startedMs = performance.now();
    close();
    await waitFor('two judgements', () => world.decisions, { until: (count) => count > 1 });
    t.ok(performance.now() - startedMs > 4_000);
  });

  t.test('not while it is in maintenance, without any question', { buffered: true }, async (t) => {
    const { world, reports, close } = await openCases(t, () =>
      world.whyNot === undefined ? order : refuse('maintenance'),
    );
    world.whyNot = 'm is in maintenance';
    close();
    await waitFor('the end', () => reports.length, { until: (count) => count > 0 });
    await waitFor('the time for another judgement', () => world.asked > 0);
    t.equal(world.begun, 1);
    world.whyNot = undefined;
    await waitFor('the order', () => reports.at(-1), { until: (kind) => kind === 'ordered' });
    t.strictSame(reports, ['maintenance', 'ordered']);
  });

  t.test('at once when something happened that concerns them', { buffered: true }, async (t) => {
    let isOver = false;
    const { cases, world, reports, close } = await openCases(t, () => (isOver ? order : refuse('maintenance', 60_000)));
    close();
    await waitFor('the end', () => reports.length, { until: (count) => count > 0 });
    isOver = true;
    cases.judgeAgain('m', { note: 'changed' });
    await waitFor('the order', () => world.judged.length, { until: (count) => count > 0, timeoutMs: 30_000 });
    t.strictSame(world.judged, ['changed'], 'with what changed');
  });

  t.test('when another bridge sees the crash, but not again and again', { buffered: true }, async (t) => {
    const { world, reports, close } = await openCases(t, () => refuse('contradicted', 600_000));
    Object.assign(world, { isSeenElsewhere: () => true, isNewsAtOnce: true });
    close();
    const changed = await waitFor('the end', () => world.evidenceChanged);
    t.equal(world.begun, 1, 'it has just been judged');
    world.isNewsAtOnce = false;
    const judgements = async () => {
      changed?.();
      await setImmediate();
      return world.begun;
    };
    await waitFor('another judgement', judgements, { until: (count) => count > 1 });
    t.equal(await judgements(), 2, 'not while one is at work');
    t.strictSame(reports, ['contradicted']);
  });

  t.test('each time after an order, which is news each time', { buffered: true }, async (t) => {
    const { cases, world, reports, close } = await openCases(t, () => order);
    close();
    for (const count of [1, 2]) {
      await waitFor('the order', () => world.judged.length === count);
      t.strictSame(reports, Array(count).fill('ordered'));
      // As after an election that no Sentinel has won.
      cases.judgeAgain('m');
    }
  });

  t.test('after the order of another bridge that has failed', { buffered: true }, async (t) => {
    const decisions: CrashDecision<string>[] = [{ kind: 'leave', why: 'Sentinel s fails over by itself' }];
    const { world, cases, reports, close, master } = await openCases(
      t,
      () => decisions.shift() ?? refuse('no-majority'),
    );
    world.orderedBy = 'b';
    close();
    await waitFor('two ends', () => reports.length > 1);
    t.strictSame(reports, ['ordered-elsewhere', 'no-majority']);
    const crash = await waitFor('the problem', () => cases.unordered('m'));
    t.match(crash, { address: master, why: 'because of no-majority' });
  });

  t.test('and stay a problem when a Sentinel finds them down, who may be waiting', { buffered: true }, async (t) => {
    const decisions: CrashDecision<string>[] = [refuse('no-majority')];
    const down: CrashDecision<string> = { kind: 'leave', why: 'Sentinel s fails over by itself' };
    const { world, cases, reports, close } = await openCases(t, () => decisions.shift() ?? down);
    close();
    const before = await waitFor('the problem', () => cases.unordered('m'));
    await waitFor('a third judgement', () => world.begun > 2);
    t.strictSame(reports, ['no-majority', 'others-act']);
    t.strictSame(cases.unordered('m'), before);
  });

  t.test('not at once after the longest pauses, which no timer takes', { buffered: true }, async (t) => {
    const { world, close, firstPause } = await openCases(t, () => refuse('too-soon', 2 ** 40));
    close();
    await firstPause();
    t.equal(world.begun, 1);
  });

  const endings: Readonly<Record<string, (opened: Awaited<ReturnType<typeof openCases>>) => void>> = {
    'a process accepts connections': ({ cases }) => cases.connected('m'),
    'the record names another master': ({ world }) => Object.assign(world, { isNamed: false }),
  };
  for (const [when, happens] of Object.entries(endings)) {
    t.test(`not any more when ${when}`, { buffered: true }, async (t) => {
      const opened = await openCases(t, () => refuse('no-replica'));
      const { world, reports, cases, close, firstPause } = opened;
      close();
      await waitFor('the crash', () => cases.unordered('m'), { until: (crash) => crash !== null });
      happens(opened);
      t.equal(cases.unordered('m'), null);
      await firstPause();
      t.equal(world.begun, 1);
      t.strictSame(reports, ['no-replica']);
    });
  }
});

t.test('a daemon that stops while it judges a known crash again adds nothing', async (t) => {
  const { cases, world, reports, close } = await openCases(t, () =>
    world.decisions > 1 ? { kind: 'wait', end: 'contradicted', why: 'not yet' } : refuse('no-replica'),
  );
  close();
  await waitFor('the second judgement', () => world.decisions, { until: (count) => count > 1 });
  await cases.stop();
  t.strictSame(reports, ['no-replica']);
});

t.test('no other judgement begins beside the one of a connection that was closed again', async (t) => {
  const decisions: CrashDecision<string>[] = [refuse('no-replica')];
  const waiting: CrashDecision<string> = { kind: 'wait', end: 'contradicted', why: 'not yet' };
  const { world, close, firstPause, reports } = await openCases(t, () => decisions.shift() ?? waiting);
  close();
  await waitFor('the end', () => world.evidenceChanged);
  close();
  await firstPause();
  t.equal(world.begun, 2);
  await waitFor('its end', () => reports.length > 1);
  t.strictSame(reports, ['no-replica', 'contradicted']);
});

t.test('the pauses grow also after judgements that are unclear', async (t) => {
  const { setTimeout: wait } = globalThis;
  const pauses: number[] = [];
  const sooner = (end: () => void, ms: number) => {
    if (ms < 2_000) return wait(end, ms);
    pauses.push(ms);
    return wait(end, 1);
  };
  t.intercept(globalThis, 'setTimeout', { value: sooner, configurable: true });
  const { world, close } = await openCases(t, () => refuse('no-replica'));
  close();
  await waitFor('the end', () => pauses.length > 0);
  // An address that this host does not have: its attempts to connect are unclear.
  world.from = '192.0.2.1';
  await waitFor('four pauses', () => pauses.length > 3);
  t.strictSame(pauses.slice(0, 4), [2_000, 4_000, 8_000, 15_000]);
});
