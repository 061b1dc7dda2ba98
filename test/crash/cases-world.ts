import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
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

/** The crash of another master, whose judgements show that time has passed. */
const clock = 'clock';

/** The crashes of a bridge, and one master that is gone. `decide` is what follows from each proof. */
export async function openCases(t: Test, decide: (name: string) => CrashDecision<string>) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const master = { host: '127.0.0.1', port };
  const world = {
    ...{ isNamed: true, decisions: 0, ticks: 0, judged: [] as (string | undefined)[] },
    masters: 1_000,
    /** What a process answers that accepts connections. */
    info: '',
    isSeenElsewhere: (_name: string): boolean => false,
    /** How long an ordered failover takes, and how many judgements and failovers were under way at most. */
    ...{
      settlesMs: 0,
      underWay: 0,
      mostUnderWay: 0,
      judging: 0,
      mostJudging: 0,
      settling: 0,
      asking: new Set<Closed>(),
    },
    /** What each order fails with, and the masters whose case ended after another close. */
    ...{ orderFails: undefined as Error | undefined, again: [] as (string | undefined)[] },
    /** How many judgements were begun, and how often it was asked before one whether something may be ordered. */
    ...{ begun: 0, asked: 0 },
    whyNot: undefined as string | undefined,
    /** The address from which this host connects. */
    from: undefined as string | undefined,
    orderedBy: undefined as string | undefined,
    /** Evidence of others arrives as soon as a bridge is interested. */
    isNewsAtOnce: false,
    evidenceChanged: undefined as (() => void) | undefined,
  };
  const reports: CrashEndKind[] = [];
  const ticking = {
    decide: (): CrashDecision<string> => {
      world.ticks += 1;
      return refuse('no-replica');
    },
    report: () => {},
  };
  const toSubject = (closed: Closed): CrashSubject<string> => ({
    ...{ name: nameOf(closed), master: closed.master, runIds: [] },
    ways: [{ to: closed.master, from: world.from }],
    whyNot: () => world.whyNot,
    readInfo: async () => world.info,
    // A judgement and its failover are under way from the first question on.
    readOthers: async () => {
      if (!world.asking.has(closed)) {
        world.asking.add(closed);
        world.underWay += 1;
        world.mostUnderWay = Math.max(world.mostUnderWay, world.underWay);
        world.judging += 1;
        world.mostJudging = Math.max(world.mostJudging, world.judging);
      }
      return () => {};
    },
    forgetOthers: () => {},
    wouldLoseKeys: () => undefined,
    decide: () => {
      world.decisions += 1;
      return decide(nameOf(closed));
    },
    describe: () => ({}),
    order: async () => {
      if (world.orderFails !== undefined) throw world.orderFails;
    },
    followed: async () => void world.judged.push(closed.note),
    settled: async () => {
      world.settling += 1;
      await delay(world.settlesMs, undefined, { ref: false });
      world.settling -= 1;
      world.underWay -= 1;
    },
    failoverTimeMs: () => 60_000,
    report: ({ kind }: CrashEnd<string>) => {
      world.judging -= 1;
      reports.push(kind);
    },
    ...(closed.note === clock ? ticking : {}),
  });
  const evidence = {
    start: () => {},
    follow: (name: string, onNews: () => void) => {
      // A case follows it too, before its end.
      if (name !== clock && reports.length > 0) {
        world.evidenceChanged = onNews;
        if (world.isNewsAtOnce) onNews();
      }
      return () => {};
    },
    stop: async () => {},
    publish: async () => {},
    withdraw: async () => {},
    cancelOrder: async () => {},
    bridges: () => [],
    orderIndex: () => 0,
    orderedElsewhere: async () => world.orderedBy,
    isSeenElsewhere: (name: string) => world.isSeenElsewhere(name),
    lastOrder: async () => ({ ageMs: undefined, by: undefined, index: 0 }),
    claimOrder: async () => ({ before: { ageMs: undefined, by: undefined, index: 0 }, index: 1 }),
  };
  const options: Omit<CrashCasesOptions<Closed, string>, 'evidence'> = {
    steering: { enter: async () => ({ kind: 'inside', leave: async () => {} }) },
    ...{ bridgeId: 'bridge', crashAfterMs: 60 },
    toSubject: async (closed) => {
      if (closed.note !== clock) world.begun += 1;
      return toSubject(closed);
    },
    ...{ masterOf: (closed) => closed.master, nameOf, masters: () => world.masters },
    ...{
      isCurrent: ({ note }) => note === clock || world.isNamed,
      onClosedAgain: ({ note }) => void world.again.push(note),
    },
    whyNot: ({ note }) => {
      if (note === clock) return undefined;
      world.asked += 1;
      return world.whyNot;
    },
  };
  const cases = new CrashCases({ ...options, evidence } as unknown as CrashCasesOptions<Closed, string>);
  cases.start();
  t.teardown(() => cases.stop());
  /** Until a crash that begins now is judged again: what is due after the first pause has happened. */
  const firstPause = async () => {
    cases.close(clock, () => ({ master, note: clock }));
    await waitFor('two judgements of another crash', () => world.ticks, { until: (count) => count > 1 });
  };
  return { cases, world, reports, master, firstPause, close: () => cases.close('m', () => ({ master })) };
}

function nameOf({ note }: Closed): string {
  return note ?? 'm';
}

export const refuse = (end: CrashEndKind, forMs?: number): CrashDecision<string> => ({
  ...{ kind: 'refuse', end, why: `because of ${end}` },
  ...(forMs === undefined ? {} : { forMs }),
});
