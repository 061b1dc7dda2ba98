import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, recordOf, startBridge } from '../support/bridging.ts';

const sandbox = await Sandbox.openFor(t, { name: 'announcement' });

t.test('a failover is published by what the leader and the replica answered before its announcement', async (t) => {
  const names = Array.from({ length: 6 }, (_, i) => `shard${i}`);
  const [consul, ...shards] = await Promise.all([sandbox.consul(), ...names.map((name) => sandbox.redis({ name }))]);
  const sentinels = await sandbox.sentinels({ masters: shards });
  const bridge = startBridge(t, { consul, sentinels, follow: 'announcement' });
  await Promise.all(names.map((name) => recordOf(consul, name)));
  const publicationOf = (name: string) =>
    bridge.reports.flatMap(({ key, outcome }) =>
      key === name && outcome.kind === 'applied' && outcome.details?.cause === 'failover' ? [outcome.details] : [],
    )[0];
  // On a busy machine, an announcement may come so late that the servers are asked again.
  let isBefore = false;
  for (const shard of shards) {
    await failOver(only(sentinels), shard.name);
    const master = only(shard.replicas);
    const { epoch } = await recordOf(consul, shard.name, { master });
    const details = await waitFor('the report', () => publicationOf(shard.name));
    t.match(details, { record: { epoch, master: master.address }, role: { role: 'master' } });
    isBefore = JSON.stringify(details?.votes).includes('"condition":"failover"');
    if (isBefore) break;
  }
  t.ok(isBefore, 'the leader was failing over when it answered');
});
