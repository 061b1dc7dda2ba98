import t from 'tap';
import { RecordSource } from '../../../lib/bridge/observe/records.ts';
import { ConsulClient } from '../../../lib/client/consul.ts';
import { CatalogWatches } from '../../../lib/consul/watches.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, recordOf, servicesOf, startBridge } from '../support/bridging.ts';

/* The time without a hint is longer than the tests: only a hint can be the reason for what happens here. */
t.setTimeout(240_000);
const resyncMs = 600_000;
const sandbox = await Sandbox.openFor(t, { name: 'no-hints' });
const consul = await sandbox.consul();
const shard = await sandbox.redis({ name: 'lonely' });
const sentinels = await sandbox.sentinels({ masters: [shard], downAfterMs: 10_000 });

const checkOf = async () => {
  const found = await servicesOf(consul, shard.name);
  return found.flatMap(({ Checks }) => Checks).find(({ Output }) => Output.startsWith('no Sentinel'))?.Output;
};

t.test('the end of a master that no Sentinel monitors is noticed at once', async (t) => {
  const bridge = startBridge(t, { consul, sentinels, resyncMs });
  await recordOf(consul, shard.name);
  const isCalm = () => bridge.part.masters.isCalm(shard.name);
  await waitFor('a calm master', isCalm, { until: (calm) => calm });
  for (const sentinel of sentinels) await sentinel.command('SENTINEL', 'REMOVE', shard.name);
  bridge.part.wake(shard.name, { source: 'test', event: 'removed' });
  const timeoutMs = 30_000;
  await waitFor('the check to say so', checkOf, { until: (output) => output === 'no Sentinel monitors it', timeoutMs });
  t.notOk(isCalm(), 'it is not calm any more');
  await shard.master.kill();
  const isEnd = ({ event, source }: { event: string; source: string }) =>
    source.startsWith('redis ') && event === 'closed';
  const woken = () => bridge.reports.find(({ key, hints }) => key === shard.name && hints.some(isEnd));
  const report = await waitFor('a run', woken, { until: (found) => found !== undefined, timeoutMs });
  // It asks again until nobody can have reached the master.
  t.match(report, { outcome: { kind: 'unchanged', retryAfterMs: Number } });
  await bridge.stop();
});

t.test('a bridge reads a record that others have read, although no Sentinel answers', async (t) => {
  for (const sentinel of sentinels) await sentinel.kill();
  const client = new ConsulClient(consul.http);
  const watches = new CatalogWatches({ client });
  const others = new RecordSource({ watches, naming: { environment: undefined }, onChange: () => {} });
  t.teardown(() => others.release());
  await waitFor('the watches', () => others.missing(), { until: (missing) => missing === undefined });
  const bridge = startBridge(t, { consul, sentinels, resyncMs, watches });
  const runs = () => bridge.reports.filter(({ key, loop }) => loop === 'bridge' && key === shard.name);
  await waitFor('a run', runs, { until: ({ length }) => length > 0, timeoutMs: 10_000 });
  t.match(only(bridge.part.masters.list()), { name: shard.name });
});
