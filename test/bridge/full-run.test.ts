import t from 'tap';
import { FullRun, type FullRunOptions } from '../../lib/bridge/full-run.ts';
import type { BridgeHint } from '../../lib/bridge/hint.ts';
import { MasterMemory } from '../../lib/bridge/memory.ts';
import type { SentinelReading } from '../../lib/bridge/observe/sentinel-reading.ts';
import type { Run } from '../../lib/loop/run.ts';
import type { StoredRecord } from '../../lib/model/record.ts';
import type { SecondMaster } from '../../lib/model/second-master.ts';
import { at, held, record, view } from './plan/world.ts';

const second: SecondMaster = { address: at('B'), state: 'open', why: null };

/** A bridge that has reported a second master of `m`. */
async function start() {
  const memory = new MasterMemory();
  memory.trust(record('A'));
  const world = {
    readings: [seen()] as readonly SentinelReading[],
    unmonitored: undefined as string | undefined,
    held: held(record('A')) as StoredRecord,
    found: [second] as readonly SecondMaster[],
  };
  const options = {
    records: { outage: undefined },
    sentinels: { read: async () => world.readings, count: () => 1 },
    redis: { role: async () => undefined, keep: () => undefined },
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
    onLate: () => undefined,
  };
  const full = new FullRun(options as unknown as FullRunOptions);
  const never = new AbortController().signal;
  const run = { key: 'm', reconcileId: 'r', hints: [], signal: never, interrupted: never };
  const reconcile = async () => {
    await full.reconcile(run as unknown as Run<BridgeHint>, { wokenMs: 0 });
    return memory.secondMasters.current.map(({ address, since }) => ({ address, since }));
  };
  const reported = await reconcile();
  return { world, reconcile, reported };
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
