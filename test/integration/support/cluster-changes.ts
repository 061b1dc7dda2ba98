import { setTimeout as delay } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import type { Test } from 'tap';
import type { ClusterPart } from '../../../lib/cluster/part.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import {
  addressesOf,
  clusterRecordOf,
  idOf,
  mastersOf,
  meet,
  moveSlots,
  type RunningCluster,
  untilRecord,
  viewOf,
} from './clustering.ts';
import { instancesOf } from './registering.ts';

/** How many slots a test moves; 1,000 with `npm run test:cluster`. */
export const reshardedSlots = Number(process.env.RESHARDED_SLOTS ?? 100);

/** A followed cluster of three masters with a replica each and two spares, whose nodes are registered. */
export interface FollowedScene {
  readonly consul: ConsulAgent;
  readonly cluster: RunningCluster;
}

/** The addresses of the nodes that have a role by their tags in the catalog. */
async function tagged({ consul, cluster }: FollowedScene, role: 'master' | 'replica'): Promise<readonly string[]> {
  const instances = await instancesOf(consul, 'redis-cluster');
  return instances
    .filter(({ Service }) => Service.Tags.includes(cluster.name) && Service.Tags.includes(role))
    .map(({ Service }) => formatAddress({ host: Service.Address, port: Service.Port }))
    .sort();
}

export function untilTagged(
  scene: FollowedScene,
  wanted: { readonly role: 'master' | 'replica'; readonly servers: readonly RedisServer[] },
): Promise<unknown> {
  return waitFor(`the tags to show ${wanted.role}s`, () => tagged(scene, wanted.role), {
    until: (addresses) => addresses.join() === addressesOf(wanted.servers).join(),
    timeoutMs: 30_000,
  });
}

/** Node 4 takes over from node 1 by CLUSTER FAILOVER, which loses nothing. */
export async function failOverByHand(t: Test, scene: FollowedScene): Promise<void> {
  const { consul, cluster } = scene;
  const [a, , c, , rb] = nodesOf(cluster);
  const writer = await startWriter(t, scene);
  await waitFor('writes', () => writer.acknowledged.size > 50, { timeoutMs: 30_000 });
  await rb.command('CLUSTER', 'FAILOVER');
  await untilRecord(consul, cluster.name, {
    what: 'the new master',
    until: (r) => mastersOf(r).includes(formatAddress(rb.address)),
  });
  await untilTagged(scene, { role: 'master', servers: [a, c, rb] });
  const before = writer.acknowledged.size;
  await waitFor('writes after it', () => writer.acknowledged.size > before + 50, { timeoutMs: 30_000 });
  t.strictSame(await writer.stop(), []);
}

/** Node 4 takes over from node 1 as planned, which loses nothing. */
export async function failOverAsPlanned(t: Test, scene: FollowedScene, part: ClusterPart): Promise<void> {
  const { cluster } = scene;
  const [a, b, c, , rb] = nodesOf(cluster);
  const writer = await startWriter(t, scene);
  await waitFor('writes', () => writer.acknowledged.size > 50, { timeoutMs: 30_000 });
  const possible = () => part.previewFailover(cluster.name, { node: rb.address });
  await waitFor('a failover to be possible', possible, {
    until: ({ verdict }) => verdict === 'now',
    timeoutMs: 30_000,
  });
  const report = await part.failOver(cluster.name, { node: rb.address });
  t.match(report, { name: cluster.name, from: b.address, to: rb.address });
  const { paused, inherited } = report.offsets;
  t.ok(paused === null || paused <= (inherited ?? 0), JSON.stringify(report));
  const record = await clusterRecordOf(scene.consul, cluster.name);
  t.ok(mastersOf(record).includes(formatAddress(rb.address)));
  await untilTagged(scene, { role: 'master', servers: [a, c, rb] });
  const refused = { code: 'failover-refused' };
  await t.rejects(part.failOver(cluster.name, { node: a.address }), { ...refused, message: /is a master already/ });
  await t.rejects(part.failOver(cluster.name, { node: { host: '127.0.0.1', port: 9 } }), {
    ...refused,
    message: /is not a replica of this cluster/,
  });
  await t.rejects(part.failOver('nobody', { node: b.address }), { code: 'not-found' });
  const before = writer.acknowledged.size;
  await waitFor('writes after it', () => writer.acknowledged.size > before + 50, { timeoutMs: 30_000 });
  t.strictSame(await writer.stop(), []);
}

/** A master and its replica join, slots move to it and back, and all nodes forget both. After {@link failOverByHand} or {@link failOverAsPlanned}. */
export async function growAndShrink(t: Test, scene: FollowedScene & { readonly slots: number }): Promise<void> {
  const { consul, cluster, slots: count } = scene;
  const { name } = cluster;
  const [a, , c, , rb, , spare, spareReplica] = nodesOf(cluster);
  const writer = await startWriter(t, scene);
  await joinSpares(scene);
  const slots = Array.from({ length: count }, (_, i) => i);
  await moveSlots({ from: a, to: spare, slots });
  const record = await untilRecord(consul, name, {
    what: 'the moved slots',
    until: ({ shards }) =>
      shards.some(({ slots: [first], master }) => first?.to === count - 1 && master?.host === spare.address.host),
  });
  t.strictSame(record?.uncovered, []);
  await untilRecord(consul, name, {
    what: 'its replica',
    until: ({ shards }) =>
      shards.some(({ replicas }) => replicas.some(({ host }) => host === spareReplica.address.host)),
  });
  await untilTagged(scene, { role: 'master', servers: [a, c, rb, spare] });
  await moveSlots({ from: spare, to: a, slots });
  await forgetSpares(cluster);
  await untilRecord(consul, name, {
    what: 'three shards again',
    until: (r) => r.shards.length === 3 && mastersOf(r).join() === addressesOf([a, c, rb]).join(),
  });
  t.ok(writer.acknowledged.size > 50);
  t.strictSame(await writer.stop(), []);
}

/** The first spare becomes a master without slots, the second its replica. */
async function joinSpares({ consul, cluster }: FollowedScene): Promise<void> {
  const [a, , , , , , spare, spareReplica] = nodesOf(cluster);
  await meet(a, spare);
  await untilRecord(consul, cluster.name, {
    what: 'a master without slots',
    until: ({ shards }) =>
      shards.some(({ slots, master }) => slots.length === 0 && master?.host === spare.address.host),
  });
  await meet(a, spareReplica);
  await waitFor('the spare replica to know all nodes', () => spareReplica.command('CLUSTER', 'NODES'), {
    until: (nodes) => String(nodes).split('\n').length > 8,
  });
  await waitFor('it to replicate', async () => spareReplica.command('CLUSTER', 'REPLICATE', await idOf(spare)), {
    until: (reply) => reply === 'OK',
  });
  // A new node takes no slots before it knows the whole map, about two seconds later.
  await waitFor('the spare to be ready', () => viewOf(spare), { until: ({ state }) => state === 'ok' });
}

async function forgetSpares(cluster: RunningCluster): Promise<void> {
  const [a, b, c, ra, rb, rc, spare, spareReplica] = nodesOf(cluster);
  for (const node of [spareReplica, spare]) {
    const id = await idOf(node);
    await Promise.all(
      [a, b, c, ra, rb, rc].map((other) => other.command('CLUSTER', 'FORGET', id).catch(() => undefined)),
    );
    await node.command('CLUSTER', 'RESET', 'HARD').catch(() => undefined);
  }
}

type EightNodes = [
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
  RedisServer,
];

export function nodesOf(cluster: RunningCluster): EightNodes {
  return cluster.nodes as EightNodes;
}

/** A writer that finds the cluster through Consul's DNS alone. It stops with the test. */
async function startWriter(t: Test, { consul, cluster }: FollowedScene): Promise<ClusterWriter> {
  const service = `${cluster.name}.redis-cluster.service.consul`;
  const found = await waitFor('nodes in DNS', () => consul.dnsSrv(service), {
    // Over UDP, Consul answers with at most three of them (dns_config.udp_answer_limit).
    until: (answers) => answers.length > 0,
  });
  const seeds = await Promise.all(
    found.map(async ({ target, port }) => ({ host: (await consul.dnsA(target))[0] ?? '', port })),
  );
  const writer = new ClusterWriter(seeds);
  t.teardown(() => writer.close());
  return writer;
}

/** Writes one key after another, and remembers which of them the cluster acknowledged. */
class ClusterWriter {
  readonly acknowledged = new Set<string>();
  readonly #client: Cluster;
  readonly #run: Promise<void>;
  #isWriting = true;

  constructor(seeds: readonly { readonly host: string; readonly port: number }[]) {
    this.#client = new Cluster([...seeds], {
      redisOptions: { connectTimeout: 1_000 },
      slotsRefreshTimeout: 2_000,
      clusterRetryStrategy: () => 50,
    });
    this.#client.on('error', () => {});
    this.#run = this.#write();
  }

  /** Stops writing, and returns the acknowledged keys that are lost. */
  async stop(): Promise<readonly string[]> {
    this.#isWriting = false;
    await this.#run;
    const lost: string[] = [];
    const keys = [...this.acknowledged];
    while (keys.length > 0) {
      const some = keys.splice(0, 100);
      const values = await Promise.all(some.map((key) => this.#client.get(key)));
      lost.push(...some.filter((_, i) => values[i] === null));
    }
    this.#client.disconnect();
    return lost;
  }

  close(): void {
    this.#isWriting = false;
    this.#client.disconnect();
  }

  async #write(): Promise<void> {
    for (let i = 0; this.#isWriting; i += 1) {
      const key = `key:${i}`;
      try {
        await this.#client.set(key, String(i));
        this.acknowledged.add(key);
      } catch {
        // Not acknowledged: an application would try again.
      }
      // The rate of an application, which leaves two cores time for the cluster.
      await delay(5);
    }
  }
}
