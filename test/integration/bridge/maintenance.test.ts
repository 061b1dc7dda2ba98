import t from 'tap';
import type { MaintenanceOrder } from '../../../lib/http/views.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { Shard } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, type RunningBridge, recordOf, startBridge } from '../support/bridging.ts';

/* What a bridge does not do in maintenance. Sentinels convert no former master here, so what becomes one is the bridge's work. */
t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'maintenance' });
const [consul, killed, timed] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'killed/1' }),
  sandbox.redis({ name: 'timed' }),
]);
const sentinels = await sandbox.sentinels({ masters: [killed, timed], downAfterMs: 3_000 });
const bridge = startBridge(t, { consul, sentinels, onCrash: 'failover', id: 'first' });
const order = (given: Omit<MaintenanceOrder, 'by'>) => bridge.maintenance.order({ by: 'ops@test', ...given });

/** Sentinel converts a former master that has been one for four such periods. */
const setPublishPeriod = (ms: number) =>
  Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'publish-period', ms)));

/** What a bridge has done to the nodes of a master, or ordered about it. */
const actionsOf = (of: RunningBridge, name: string) =>
  of.reports.filter(({ loop, key, outcome }) => {
    return ['fence', 'crash'].includes(loop) && key === name && outcome.kind === 'applied';
  });

/** Two runs of a bridge that begin after this call: then it has seen what is there now. */
async function twoRuns(of: RunningBridge, name: string): Promise<void> {
  const runs = () => of.reports.filter(({ loop, key }) => loop === 'bridge' && key === name).length;
  const before = runs();
  await waitFor('three runs', runs, { until: (count) => count > before + 2, timeoutMs: 30_000 });
}

async function untilReplica({ master }: Shard): Promise<void> {
  await waitFor(`${master.name} to be a replica`, () => master.role(), {
    until: (role) => role === 'replica',
    timeoutMs: 30_000,
  });
}

/** Without a measured replica, no crash leads to an order. */
async function untilMeasured({ name, replicas }: Shard): Promise<void> {
  const lag = () => bridge.part.masters.lag(name, only(replicas).address);
  await waitFor('the lag', lag, { until: (known) => typeof known?.behindMs === 'number' });
}

const maintenanceReports = (of: RunningBridge) =>
  of.reports.filter(({ loop }) => loop === 'maintenance').map(({ key, outcome }) => ({ key, ...outcome }));

t.test('in maintenance a bridge follows a failover and orders nothing; after it, it fences', async (t) => {
  const name = 'killed/1';
  await recordOf(consul, 'killed%2F1', { master: killed.master });
  const replica = only(killed.replicas);
  await untilMeasured(killed);
  t.match(await order({ state: 'on', scope: name, reason: 'upgrade' }), { changed: true, before: null });
  t.match(JSON.parse((await consul.key('redis/maintenance/killed%2F1')) ?? ''), { by: 'ops@test', reason: 'upgrade' });
  t.match(bridge.part.masters.get(name)?.maintenance, { state: 'on', master: name, endsAt: null });
  t.equal(bridge.part.masters.get('timed')?.maintenance, null);
  t.match(await bridge.part.previewFailover(name, {}), { verdict: 'refused', why: /in maintenance: by ops@test/ });
  const named = await bridge.part.previewFailover(name, { successor: replica.address });
  t.not(named.verdict, 'refused', `${named.why}`);

  await killed.master.kill();
  await recordOf(consul, 'killed%2F1', { master: replica, timeoutMs: 60_000 });
  t.strictSame(actionsOf(bridge, name), [], 'Sentinel failed over by itself');
  await setPublishPeriod(60_000);
  await killed.master.start();
  await waitFor('the former master to answer', () => killed.master.role(), { until: (role) => role === 'master' });
  // One that starts within maintenance reads it before it acts.
  const second = startBridge(t, { consul, sentinels, id: 'second', masters: [name] });
  await waitFor('its reading', () => second.part.masters.get(name)?.maintenance, {
    until: (one) => one?.state === 'on',
  });
  await Promise.all([twoRuns(bridge, name), twoRuns(second, name)]);
  t.strictSame([...actionsOf(bridge, name), ...actionsOf(second, name)], []);
  await second.stop();

  t.match(await order({ state: 'off', scope: name }), { changed: true, before: { reason: 'upgrade' }, after: null });
  await untilReplica(killed);
  const demoted = () => bridge.fences.filter(({ action, outcome }) => action === 'demote' && outcome === 'applied');
  await waitFor('the report', demoted, { until: ({ length }) => length > 0 });
  t.match(await order({ state: 'off', scope: name }), { changed: false, before: null, after: null });
  t.match(maintenanceReports(bridge), [
    { key: name, summary: /^killed\/1 is in maintenance: by ops@test, since .*, without an end \(upgrade\)$/ },
    { key: name, summary: 'maintenance ended by hand' },
  ]);
});

t.test('maintenance of all masters ends by itself, its key too, and a former master is fenced then', async (t) => {
  await setPublishPeriod(2_000);
  await recordOf(consul, 'timed', { master: timed.master });
  await order({ state: 'on', scope: null, forMs: 6_000 });
  const ended = () =>
    bridge.reports.find(({ outcome }) => 'summary' in outcome && /time is over$/.test(outcome.summary));
  await failOver(only(sentinels), 'timed');
  await recordOf(consul, 'timed', { master: only(timed.replicas) });
  await setPublishPeriod(60_000);
  await waitFor('the end', ended, { until: (report) => report !== undefined, timeoutMs: 30_000 });
  await untilReplica(timed);
  const endedMs = ended()?.startedMs ?? Number.POSITIVE_INFINITY;
  const early = actionsOf(bridge, 'timed').filter(({ startedMs }) => startedMs < endedMs);
  t.strictSame(early, []);
  await waitFor('the key to be deleted', () => consul.key('redis/maintenance'), {
    until: (value) => value === undefined,
    timeoutMs: 30_000,
  });
  t.match(maintenanceReports(bridge).slice(-2), [
    { key: '*', summary: /^all masters are in maintenance: by ops@test, since .*, until / },
    { key: '*', summary: 'maintenance of all masters ended because its time is over' },
  ]);
});

t.test('a value that nobody can read is maintenance of its master, and a problem of nobody else', async (t) => {
  await consul.putKey('redis/maintenance/timed', 'on, please');
  const read = () => bridge.part.masters.get('timed')?.maintenance;
  const maintenance = await waitFor('the maintenance', read, { until: (one) => one?.state === 'on' });
  t.match(maintenance, { problem: /not a JSON object/, text: /cannot be read/ });
  t.equal(bridge.part.masters.get('killed/1')?.maintenance, null);
  t.match(await order({ state: 'off', scope: 'timed' }), { changed: true, before: { problem: /JSON/ } });
  t.equal(bridge.part.masters.get('timed')?.maintenance, null);
  await t.rejects(order({ state: 'on', scope: 'nobody' }), { code: 'not-found' });
  t.match(await order({ state: 'on', scope: null, dryRun: true }), { changed: true, after: { state: 'on' } });
  t.equal(await consul.key('redis/maintenance'), undefined);
});
