import { once } from 'node:events';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { CrashCases, type CrashCasesOptions } from '../../lib/crash/cases.ts';
import type { CrashEnd, CrashSubject } from '../../lib/crash/subject.ts';
import type { Address } from '../../lib/model/address.ts';
import type { CrashDecision } from '../../lib/model/crash.ts';
import type { CrashEndKind } from '../../lib/model/crash-end.ts';
import { waitFor } from '../sandbox/condition.ts';

interface Closed {
  readonly master: Address;
  readonly note?: string;
}

/** The crashes of a bridge, and one master that is gone. `decide` is what follows from each proof. */
async function open(t: Test, decide: () => CrashDecision<string>) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const master = { host: '127.0.0.1', port };
  const world = {
    ...{ isNamed: true, isSeenElsewhere: false, decisions: 0, judged: [] as (string | undefined)[] },
    whyNot: undefined as string | undefined,
    evidenceChanged: () => {},
  };
  const reports: CrashEndKind[] = [];
  const toSubject = (closed: Closed): CrashSubject<string> => ({
    ...{ name: 'm', master, ways: [{ to: master, from: undefined }], runIds: [] },
    whyNot: () => world.whyNot,
    readInfo: async () => '',
    readOthers: async () => () => {},
    forgetOthers: () => {},
    wouldLoseKeys: () => undefined,
    decide: () => {
      world.decisions += 1;
      return decide();
    },
    describe: () => ({}),
    order: async () => {},
    followed: async () => void world.judged.push(closed.note),
    report: ({ kind }: CrashEnd<string>) => reports.push(kind),
  });
  const evidence = {
    start: () => {},
    follow: (_: string, onNews: () => void) => {
      // A case follows it too, before its end.
      if (reports.length > 0) world.evidenceChanged = onNews;
      return () => {};
    },
    stop: async () => {},
    publish: async () => {},
    withdraw: async () => {},
    bridges: () => [],
    orderIndex: () => 0,
    orderedElsewhere: async () => undefined,
    isSeenElsewhere: () => world.isSeenElsewhere,
    lastOrder: async () => ({ ageMs: undefined, by: undefined, index: 0 }),
    claimOrder: async () => ({ before: { ageMs: undefined, by: undefined, index: 0 }, index: 1 }),
  };
  const options: Omit<CrashCasesOptions<Closed, string>, 'evidence'> = {
    steering: { enter: async () => ({ kind: 'inside', leave: async () => {} }) },
    ...{ bridgeId: 'bridge', crashAfterMs: 60 },
    toSubject: async (closed) => toSubject(closed),
    ...{ masterOf: (closed) => closed.master, nameOf: () => 'm' },
    ...{ isCurrent: () => world.isNamed, whyNot: () => world.whyNot, onClosedAgain: () => {} },
  };
  const cases = new CrashCases({ ...options, evidence } as unknown as CrashCasesOptions<Closed, string>);
  cases.start();
  t.teardown(() => cases.stop());
  return { cases, world, reports, master, close: () => cases.close('m', () => ({ master })) };
}

const refuse = (end: CrashEndKind, forMs?: number): CrashDecision<string> => ({
  ...{ kind: 'refuse', end, why: `because of ${end}` },
  ...(forMs === undefined ? {} : { forMs }),
});
const order: CrashDecision<string> = { kind: 'order', target: 'replica' };

t.test('crashes are judged again', async (t) => {
  t.jobs = 8;
  const obstacles = ['right-missing', 'no-replica', 'consul', 'refused', 'others-act', 'too-soon'] as const;
  for (const end of obstacles) {
    t.test(`when the obstacle is over: ${end}`, { buffered: true }, async (t) => {
      let isOver = false;
      const { world, reports, cases, close, master } = await open(t, () => (isOver ? order : refuse(end)));
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
    const { world, close } = await open(t, () => refuse('too-soon', 4_000));
    const startedMs = performance.now();
    close();
    await waitFor('two judgements', () => world.decisions, { until: (count) => count > 1 });
    t.ok(performance.now() - startedMs > 4_000);
  });

  t.test('not while it is in maintenance, without any question', { buffered: true }, async (t) => {
    const { world, reports, close } = await open(t, () => (world.whyNot === undefined ? order : refuse('maintenance')));
    world.whyNot = 'm is in maintenance';
    close();
    await waitFor('the end', () => reports.length, { until: (count) => count > 0 });
    const { decisions } = world;
    const startedMs = performance.now();
    await waitFor('the first time to be over', () => performance.now() - startedMs > 2_500);
    t.equal(world.decisions, decisions);
    world.whyNot = undefined;
    await waitFor('the order', () => reports.at(-1), { until: (kind) => kind === 'ordered' });
    t.strictSame(reports, ['maintenance', 'ordered']);
  });

  t.test('at once when something happened that concerns them', { buffered: true }, async (t) => {
    let isOver = false;
    const { cases, world, reports, close } = await open(t, () => (isOver ? order : refuse('maintenance')));
    close();
    await waitFor('the end', () => reports.length, { until: (count) => count > 0 });
    isOver = true;
    cases.judgeAgain('m', { note: 'changed' });
    await waitFor('the order', () => world.judged.length, { until: (count) => count > 0, timeoutMs: 1_500 });
    t.strictSame(world.judged, ['changed'], 'with what changed');
  });

  t.test('when another bridge sees the crash, but not again and again', { buffered: true }, async (t) => {
    const { world, reports, close } = await open(t, () => refuse('contradicted', 60_000));
    close();
    await waitFor('the end', () => reports.length, { until: (count) => count > 0 });
    world.isSeenElsewhere = true;
    const { decisions } = world;
    world.evidenceChanged();
    t.equal(world.decisions, decisions, 'it has just been judged');
    const changed = () => {
      world.evidenceChanged();
      return world.decisions;
    };
    await waitFor('another judgement', changed, { until: (count) => count > decisions });
    t.strictSame(reports, ['contradicted']);
  });

  const endings: Readonly<Record<string, (opened: Awaited<ReturnType<typeof open>>) => void>> = {
    'a process accepts connections': ({ cases }) => cases.connected('m'),
    'the record names another master': ({ world }) => Object.assign(world, { isNamed: false }),
  };
  for (const [when, happens] of Object.entries(endings)) {
    t.test(`not any more when ${when}`, { buffered: true }, async (t) => {
      const opened = await open(t, () => refuse('no-replica'));
      const { world, reports, cases, close } = opened;
      close();
      await waitFor('the crash', () => cases.unordered('m'), { until: (crash) => crash !== null });
      happens(opened);
      t.equal(cases.unordered('m'), null);
      const { decisions } = world;
      const startedMs = performance.now();
      await waitFor('the first pause to be over', () => performance.now() - startedMs > 2_500);
      t.equal(world.decisions, decisions);
      t.strictSame(reports, ['no-replica']);
    });
  }
});

t.test('a daemon that stops while it judges a known crash again adds nothing', async (t) => {
  const { cases, world, reports, close } = await open(t, () =>
    world.decisions > 1 ? { kind: 'wait', end: 'contradicted', why: 'not yet' } : refuse('no-replica'),
  );
  close();
  await waitFor('the second judgement', () => world.decisions, { until: (count) => count > 1 });
  await cases.stop();
  t.strictSame(reports, ['no-replica']);
});
