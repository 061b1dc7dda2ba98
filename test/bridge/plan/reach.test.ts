import t from 'tap';
import { reachLimitMs, replicaRetryMs } from '../../../lib/bridge/plan/reach.ts';
import { masterChecks } from '../../../lib/model/master-check.ts';
import { view } from './world.ts';

const views = [view(1, 'A', 5, { downAfterMs: 10_000 }), view(2, 'A', 5, { downAfterMs: 20_000 })];

t.test('a master that was reached before has the time in which Sentinel judges it', async (t) => {
  t.equal(reachLimitMs(masterChecks.up, views), 25_000);
  t.equal(reachLimitMs(masterChecks.suspected, [view(1, 'A', 5)]), 35_000, 'by default of Sentinel');
});

t.test('a new master must be reached soon', async (t) => {
  t.equal(reachLimitMs(undefined, views), 5_000);
  t.equal(reachLimitMs(masterChecks.unreached, views), 5_000);
});

t.test('bridges do not contradict the one that found it unreachable', async (t) => {
  t.equal(reachLimitMs(masterChecks.unreachable, views), 0);
});

t.test('a replica that no Sentinel has seen is asked for less and less often', async (t) => {
  const table = [0, 900, 1_000, 2_000, 4_000, 8_000, 60_000].map(replicaRetryMs);
  t.strictSame(table, [1_000, 1_000, 1_000, 2_000, 4_000, 8_000, 8_000]);
});
