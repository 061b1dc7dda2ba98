import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Test } from 'tap';
import { CrashCase } from '../../lib/crash/case.ts';
import type { CrashCaseParts } from '../../lib/crash/case-options.ts';
import type { CrashEnd, CrashSubject } from '../../lib/crash/subject.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { Address } from '../../lib/model/address.ts';
import { type CrashDecision, contradictConnection } from '../../lib/model/crash.ts';
import { Semaphore } from '../../lib/semaphore.ts';

export async function listen(port = 0): Promise<Server> {
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A master that is gone, and the world of the bridge that judges it. */
export async function startCase(t: Test, { crashAfterMs = 60, waitMs = 3_000 } = {}) {
  const server = await listen();
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const master: Address = { host: '127.0.0.1', port };
  const world = {
    ...{
      entered: 0,
      left: 0,
      reads: 0,
      infos: 0,
      forgotten: 0,
      claims: 0,
      refusals: 0,
      decisions: 0,
      losses: 0,
      orders: 0,
    },
    isLoading: true,
    decision: { kind: 'wait', end: 'contradicted', why: 'nothing is certain' } as CrashDecision<string>,
    /** Of a master that came back without its keys. */
    emptied: { kind: 'order', target: 'replica' } as CrashDecision<string>,
    orderedBy: undefined as string | undefined,
    whyNot: undefined as string | undefined,
    /** Whether another bridge notes an order first. */
    isClaimLost: false,
    lease: 'inside' as 'inside' | 'full',
    onClaim: (): void | Promise<void> => {},
    /** What is done about the evidence, in order. */
    steps: [] as string[],
    /** What the process that came back answers. */
    info: { runId: 'after', keys: 0 },
    /** Whether its replicas have keys that a master without keys would take from them. */
    keys: 'more' as 'more' | 'none',
    refusal: new SwitchmasterError('redis-refused', 'no suitable replica'),
    cancelled: [] as number[],
    answers: [] as number[],
    // The servers around it answer then.
    answered: Promise.resolve(),
  };
  const ends: CrashEnd<string>[] = [];
  const subject: CrashSubject<string> = {
    name: 'shard1',
    master,
    ways: [{ to: master, from: undefined }],
    runIds: ['before'],
    whyNot: () => world.whyNot,
    readInfo: async () => {
      world.infos += 1;
      const { isLoading, info } = world;
      const keyspace = `db0:keys=${info.keys},expires=0\r\n`;
      return `run_id:${info.runId}\r\nrole:master\r\nloading:${isLoading ? 1 : 0}\r\naof_enabled:0\r\n${keyspace}`;
    },
    readOthers: async () => {
      world.reads += 1;
      const { forgotten } = world;
      await world.answered;
      return () => void world.answers.push(forgotten);
    },
    forgetOthers: () => {
      world.forgotten += 1;
      world.answers = [];
    },
    wouldLoseKeys: ({ keys }) => (world.answers.length === 0 ? undefined : world.keys === 'more' && keys === 0),
    decide: ({ sign, lastOrderAgeMs, ...known }) => {
      if (lastOrderAgeMs !== undefined) return { kind: 'refuse', end: 'too-soon', why: 'an order was just given' };
      world[sign.kind === 'emptied' ? 'losses' : 'decisions'] += 1;
      if (sign.kind === 'emptied') return world.emptied;
      const why = contradictConnection(sign, known);
      if (why !== undefined) return { kind: 'wait', end: 'unclear', why };
      if (world.refusals > 0) return { kind: 'order', target: 'replica' };
      return world.decision;
    },
    describe: () => ({}),
    order: async () => {
      world.orders += 1;
      if (world.refusals === 0) return;
      world.refusals -= 1;
      throw world.refusal;
    },
    failoverTimeMs: () => 60_000,
    followed: async () => undefined,
    settled: async () => undefined,
    report: () => undefined,
  };
  const leave = async () => {
    world.left += 1;
  };
  const enter = async () => {
    world.entered += 1;
    return world.lease === 'inside' ? ({ kind: 'inside', leave } as const) : ({ kind: 'full', holders: 1 } as const);
  };
  const evidence = {
    follow: () => () => undefined,
    publish: async () => undefined,
    withdraw: async () => void world.steps.push('withdraw'),
    bridges: () => [],
    lastOrder: async () => ({ ageMs: world.claims === 0 ? undefined : 5, index: world.claims, by: undefined }),
    orderedElsewhere: async () => {
      world.steps.push('read the order');
      return world.orderedBy;
    },
    claimOrder: async (_, { last }) => {
      world.claims += 1;
      await world.onClaim();
      if (world.isClaimLost) return undefined;
      return { before: last, index: world.claims };
    },
    cancelOrder: async (_, { index }) => void world.cancelled.push(index),
  } satisfies Partial<CrashCaseParts['evidence']> as unknown as CrashCaseParts['evidence'];
  const stop = new AbortController();
  const parts = { steering: { enter }, evidence, bridgeId: 'bridge', crashAfterMs };
  const permit = new Semaphore({ places: () => 1 }).permit(() => 1);
  const begun = { permit, startedMs: performance.now(), orderBefore: 0, isOutdated: () => false };
  const run = { ...begun, waitMs: () => waitMs, onEnd: (end: CrashEnd<string>) => ends.push(end) };
  const judged = new CrashCase(subject, parts, run).pursue(stop.signal);
  judged.catch(() => undefined);
  t.teardown(() => stop.abort());
  return { port, world, ends, judged, stop };
}
