import t, { type Test } from 'tap';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOverByHand, growAndShrink, nodesOf, reshardedSlots, untilTagged } from '../support/cluster-changes.ts';
import { addressesOf, mastersOf, startCluster, startFollower, untilRecord } from '../support/clustering.ts';
import { otherEditions } from '../support/editions.ts';
import { startRegistrar } from '../support/registering.ts';

// A Redis Cluster of Valkey, and of Redis 8 with `npm run test:editions`; of what is installed where they are not unpacked.
t.setTimeout(600_000);
const sandbox = await Sandbox.openFor(t, { name: 'cluster-editions' });

t.test('the record follows planned changes, which lose nothing, and the loss of a master', { jobs: 2 }, async (t) => {
  for (const edition of otherEditions.length === 0 ? ['redis'] : otherEditions) {
    t.test(edition, (t) => tryEdition(t, edition));
  }
});

async function tryEdition(t: Test, name: string): Promise<void> {
  // A registrar removes from its agent what it does not know.
  const [consul, cluster] = await Promise.all([
    sandbox.consul({ name: `consul-${name}` }),
    startCluster(sandbox, { name, program: `${name}-server`, spares: 2 }),
  ]);
  const scene = { consul, cluster, slots: reshardedSlots };
  const [a, b, c, , rb, rc] = nodesOf(cluster);
  startFollower(t, { consul, clusters: [{ name, seeds: [b.address] }] });
  startRegistrar(t, {
    consul,
    instances: cluster.nodes.map(
      ({ address }) => ({ kind: 'cluster', name, address, checks: { intervalMs: 400 } }) as const,
    ),
  });
  await untilTagged(scene, { role: 'master', servers: [a, b, c] });
  await failOverByHand(t, scene);
  await growAndShrink(t, scene);
  await c.kill();
  const record = await untilRecord(consul, name, {
    what: 'the promotion',
    until: (r) => r.state === 'ok' && mastersOf(r).join() === addressesOf([a, rb, rc]).join(),
  });
  t.strictSame(record?.uncovered, []);
  t.equal(record?.shards.length, 3);
  await Promise.all(cluster.nodes.map((node) => node.kill()));
}
