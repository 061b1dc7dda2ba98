import t from 'tap';
import { Secret } from '../../../lib/config/secret.ts';
import { blocksOf, readPage } from '../../docs/pages.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { readRecord, recordOf, startBridge } from '../support/bridging.ts';
import { otherEditions } from '../support/editions.ts';

const sandbox = await Sandbox.openFor(t, { name: 'acl' });
const page = await readPage('docs/reference/redis-acl.md');
const [atRedis, atSentinel] = blocksOf(page)
  .filter(({ language }) => language === 'redis')
  .map(({ content }) => content.trim().split(' '));
if (atRedis === undefined || atSentinel === undefined) throw new Error('the page names no users');
const access = { username: 'switchmaster', password: new Secret('PASSWORD') };

for (const edition of ['redis', ...otherEditions]) {
  t.test(`the documented Redis users have every permission that a planned failover needs, on ${edition}`, async (t) => {
    const program = (kind: string) => (edition === 'redis' ? {} : { program: `${edition}-${kind}` });
    const [consul, shard] = await Promise.all([
      sandbox.consul({ name: `consul-${edition}` }),
      sandbox.redis({ name: edition, replicas: 2, ...program('server') }),
    ]);
    const sentinels = await sandbox.sentinels({
      name: `${edition}-sentinel`,
      masters: [shard],
      ...program('sentinel'),
    });
    await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'info-period', 200)));
    await Promise.all([
      ...shard.servers.map((server) => server.command(...atRedis)),
      ...sentinels.map((sentinel) => sentinel.command(...atSentinel)),
    ]);
    const bridge = startBridge(t, { consul, sentinels, access });
    await recordOf(consul, edition);
    const whole = () => readRecord(consul, edition);
    await waitFor('both replicas', whole, { until: (record) => record?.replicas.length === 2 });
    const [, successor] = shard.replicas;
    if (successor === undefined) throw new Error('there are two replicas');
    const report = await bridge.part.failOver(edition, { successor: successor.address });
    t.strictSame(report.to, successor.address);
    t.equal(report.manner, edition === 'valkey9' ? 'coordinated' : 'paused');
    // The fencer reports a demotion after its optional steps; the planned failover ends once ROLE is replica. In a coordinated one,
    // the old master makes itself a replica.
    if (report.manner === 'paused')
      await waitFor('the demotion', () => bridge.fences, {
        until: (fences) => fences.some(({ action, outcome }) => action === 'demote' && outcome === 'applied'),
      });
    t.ok(bridge.fences.every(({ outcome }) => outcome === 'applied'));
    for (const server of [...shard.servers, ...sentinels])
      t.strictSame(await server.command('ACL', 'LOG'), [], server.name);
  });
}
