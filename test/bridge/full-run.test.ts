import t from 'tap';
import { FullRun, type FullRunOptions } from '../../lib/bridge/full-run.ts';
import type { BridgeHint } from '../../lib/bridge/hint.ts';
import { MasterMemory } from '../../lib/bridge/memory.ts';
import type { ViewQuestion } from '../../lib/bridge/observe/sentinel-member.ts';
import type { SentinelReading } from '../../lib/bridge/observe/sentinel-reading.ts';
import { Precedence } from '../../lib/client/precedence.ts';
import type { Run } from '../../lib/loop/run.ts';
import type { Address } from '../../lib/model/address.ts';
import type { StoredRecord } from '../../lib/model/record.ts';
import type { SecondMaster } from '../../lib/model/second-master.ts';
import { at, held, record, view } from './plan/world.ts';

const second: SecondMaster = { address: at('B'), state: 'open', why: null };

/** A bridge that has reported a second master of `m`. */
async function start(precedence = new Precedence()) {
  const memory = new MasterMemory();
  memory.trust(record('A'));
  const asked: string[] = [];
  const waiting: AbortSignal[] = [];
  const roles: string[] = [];
  const world = {
    readings: [seen()] as readonly SentinelReading[],
    unmonitored: undefined as string | undefined,
    held: held(record('A')) as StoredRecord,
    found: [second] as readonly SecondMaster[],
    /** How the Sentinels are asked. */
    read: async (onAsked: () => void): Promise<readonly SentinelReading[]> => {
      onAsked();
      return world.readings;
    },
  };
  const options = {
    records: { outage: undefined },
    sentinels: {
      read: async (name: string, { queued, onAsked }: ViewQuestion = {}) => {
        asked.push(name);
        if (queued !== undefined) waiting.push(queued);
        return world.read(onAsked ?? (() => undefined));
      },
      count: () => 1,
    },
    redis: { role: async (address: Address) => void roles.push(address.host), keep: () => undefined },
    fencer: { enforce: async () => ({ stale: [], secondMasters: world.found }) },
    failoverCompletion: undefined,
    decider: {
      find: (name: string, { views }: { views: unknown }) => {
        const reading = { catalogContents: { keys: new Map([['record/m', 1]]) } };
        return { name, views, held: world.held, unmonitored: world.unmonitored, reading };
      },
      decide: async (finding: unknown) => ({ finding, decision: { kind: 'keep' }, situation: {} }),
    },
    execution: { carryOut: async () => ({ kind: 'unchanged' }) },
    memory: () => memory,
    settings: { roleDeadlineMs: 100 },
    precedence,
    onLate: () => undefined,
  };
  const full = new FullRun(options as unknown as FullRunOptions);
  const never = new AbortController().signal;
  const reconcile = async (interrupted = never) => {
    const run = { key: 'm', reconcileId: 'r', hints: [], signal: never, interrupted };
    await full.reconcile(run as unknown as Run<BridgeHint>, { wokenMs: 0 });
    return memory.secondMasters.current.map(({ address, since }) => ({ address, since }));
  };
  const reported = await reconcile();
  return { world, asked, waiting, roles, reconcile, reported };
}

function seen(): SentinelReading {
  const one = view(1, 'A', 5);
  return { kind: 'seen', sentinel: one.sentinel, sentinelId: one.sentinelId, view: one };
}

t.test('a second master stays reported until the servers are asked again', async (t) => {
  const { world, reconcile, reported } = await start();
  t.match(reported, [{ address: at('B'), since: String }]);
  world.readings = [];
  t.strictSame(await reconcile(), reported, 'without a Sentinel, nobody was asked');
  world.readings = [seen()];
  t.strictSame(await reconcile(), reported);
  world.found = [];
  t.strictSame(await reconcile(), [], 'it was asked');
});

t.test('a second master of what was removed is forgotten', async (t) => {
  const removed = await start();
  removed.world.readings = [];
  removed.world.held = { kind: 'absent' };
  t.strictSame(await removed.reconcile(), [], 'its record was deleted');
  const unmonitored = await start();
  unmonitored.world.readings = [];
  unmonitored.world.unmonitored = 'no Sentinel monitors it any more';
  t.strictSame(await unmonitored.reconcile(), [], 'no Sentinel monitors it');
});

t.test('a full run asks nobody while the work of a failover goes first', async (t) => {
  const precedence = new Precedence({ longestWaitMs: 60_000 });
  const { asked, reconcile } = await start(precedence);
  const failover = Promise.withResolvers<void>();
  const first = precedence.first(() => failover.promise);
  const interruption = new AbortController();
  const interrupted = reconcile(interruption.signal);
  const waiting = reconcile();
  await new Promise(setImmediate);
  t.strictSame(asked, ['m'], 'only the run before');
  interruption.abort();
  await interrupted;
  t.strictSame(asked, ['m'], 'an announcement ends the wait');
  failover.resolve();
  await Promise.all([first, waiting]);
  t.strictSame(asked, ['m', 'm']);
});

t.test('its questions to Sentinels wait for each other, until an announcement interrupts it', async (t) => {
  const { waiting, reconcile } = await start();
  const { signal } = new AbortController();
  await reconcile(signal);
  t.equal(waiting.at(-1), signal);
});

t.test(
  'the master is asked for its role with the first of the Sentinels, not while they wait for others',
  async (t) => {
    const { world, roles, reconcile } = await start();
    t.equal(roles.length, 1, 'once in a run');
    const [waiting, answers] = [Promise.withResolvers<void>(), Promise.withResolvers<readonly SentinelReading[]>()];
    world.read = async (onAsked) => {
      await waiting.promise;
      for (let sentinels = 0; sentinels < 3; sentinels += 1) onAsked();
      return answers.promise;
    };
    const run = reconcile();
    await new Promise(setImmediate);
    t.equal(roles.length, 1, 'the Sentinels wait');
    waiting.resolve();
    await new Promise(setImmediate);
    t.equal(roles.length, 2, 'none has answered yet');
    answers.resolve(world.readings);
    await run;
    t.equal(roles.length, 2);
  },
);

t.test('the master is asked for its role also if no Sentinel was asked, unless the run is interrupted', async (t) => {
  const { world, roles, reconcile } = await start();
  world.read = async () => [];
  await reconcile();
  t.equal(roles.length, 2);
  const interruption = new AbortController();
  const dropped = Promise.withResolvers<readonly SentinelReading[]>();
  world.read = () => dropped.promise;
  const interrupted = reconcile(interruption.signal);
  interruption.abort();
  dropped.resolve([]);
  await interrupted;
  await new Promise(setImmediate);
  t.equal(roles.length, 2);
});
