import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { sameAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { readRecord, recordOf, startBridge } from '../support/bridging.ts';
import { LedgerWriter, persistentClient } from '../support/writing.ts';

t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'planned' });
const tools = join(import.meta.dirname, '../../../.tools/bin');
const editions = ['redis', 'redis8', 'valkey'].filter(
  (edition) => edition === 'redis' || existsSync(join(tools, `${edition}-server`)),
);

const sharedConsul = await sandbox.consul();

interface Scene {
  readonly edition?: string;
  readonly consul?: ConsulAgent;
  /** Of a writer between two writes. Default 5. */
  readonly pauseMs?: number;
}

async function start(t: Parameters<typeof startBridge>[0], name: string, scene: Scene = {}) {
  const { edition = 'redis', consul = sharedConsul, pauseMs = 5 } = scene;
  const program = (kind: string) => (edition === 'redis' ? {} : { program: `${edition}-${kind}` });
  const shard = await sandbox.redis({ name, replicas: 2, ...program('server') });
  const sentinels = await sandbox.sentinels({ name: `${name}-sentinel`, masters: [shard], ...program('sentinel') });
  // By default Sentinel reads priorities every ten seconds.
  await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'info-period', 200)));
  const bridges = [1, 2].map((n) => startBridge(t, { consul, sentinels, id: `${name}-bridge-${n}` }));
  await recordOf(consul, name);
  await waitFor('both replicas in the record', () => readRecord(consul, name), {
    until: (record) => record?.replicas.length === 2,
  });
  const [bridge] = bridges;
  if (bridge === undefined) throw new Error('there are two bridges');
  const writers = [1, 2, 3].map(
    (n) =>
      new LedgerWriter({
        name: `${n}`,
        key: `w${n}`,
        client: persistentClient(() => masterOf(consul, name)),
        pauseMs,
      }),
  );
  t.teardown(async () => void (await Promise.all(writers.map((writer) => writer.stop()))));
  await waitFor('writes', () => writers.every(({ acknowledged }) => acknowledged.size > 20), { timeoutMs: 60_000 });
  return { name, consul, shard, sentinels, bridge, writers };
}

async function masterOf(consul: ConsulAgent, name: string) {
  const record = await readRecord(consul, name);
  if (record === undefined) throw new Error('there is no record');
  return record.master;
}

t.test('a planned failover', { jobs: 3 }, async (t) => {
  for (const edition of editions) {
    t.test(`loses no acknowledged write under load, on ${edition}`, async (t) => {
      const { name, shard, bridge, writers, consul } = await start(t, `load-${edition}`, { edition, pauseMs: 0 });
      const report = await bridge.part.failOver(name, {});
      t.strictSame(report.from, shard.master.address);
      t.ok(report.offsets.inherited >= report.offsets.paused, JSON.stringify(report.offsets));
      // The demotion also closes the connections of the old master's clients.
      await waitFor('the old master to be a replica', () => shard.master.role(), {
        until: (role) => role === 'replica',
      });
      t.ok(sameAddress((await recordOf(consul, name)).master, report.to));
      const sizes = writers.map(({ acknowledged }) => acknowledged.size);
      const continued = () => writers.every(({ acknowledged }, i) => acknowledged.size > (sizes[i] ?? 0) + 20);
      await waitFor('writes to continue', continued, { timeoutMs: 60_000 });
      await Promise.all(writers.map((writer) => writer.stop()));
      for (const writer of writers) t.strictSame((await writer.lostAt(report.to)).lost, []);
      t.comment(`${edition}: ${report.withoutWritesMs} ms without writes`);
    });
  }

  t.test('promotes the chosen replica, and restores the priorities', async (t) => {
    const { name, shard, bridge, writers } = await start(t, 'chosen');
    const [other, successor] = shard.replicas;
    if (other === undefined || successor === undefined) throw new Error('there are two replicas');
    await other.command('CONFIG', 'SET', 'replica-priority', 1);
    await waitFor('the bridge to know both', () => bridge.part.masters.get(name)?.record?.replicas.length === 2);
    const report = await bridge.part.failOver(name, { successor: successor.address });
    t.strictSame(report.to, successor.address);
    const priorities = await Promise.all(
      shard.replicas.map((server) => server.command('CONFIG', 'GET', 'replica-priority')),
    );
    t.strictSame(priorities, [
      ['replica-priority', '1'],
      ['replica-priority', '100'],
    ]);
    // Sentinel has the promoted replica write its config file while it comes first.
    const [, file] = String(await successor.command('INFO', 'server')).match(/^config_file:(.+?)\r?$/m) ?? [];
    t.notMatch(readFileSync(file ?? '', 'utf8'), /^replica-priority 1$/m, 'nor does it come first after a restart');
    await Promise.all(writers.map((writer) => writer.stop()));
    for (const writer of writers) t.strictSame((await writer.lostAt(report.to)).lost, []);
  });

  t.test('excludes a replica that stays out of sync, restores its priority, and connects again', async (t) => {
    const { name, shard, bridge, writers, sentinels } = await start(t, 'excluded');
    const [successor, other] = shard.replicas;
    if (other === undefined || successor === undefined) throw new Error('there are two replicas');
    // The master has no password, and refuses this one.
    await other.command('CONFIG', 'SET', 'masterauth', 'wrong');
    await other.command('CLIENT', 'KILL', 'TYPE', 'master');
    const links = async () => (await Promise.all(sentinels.map((sentinel) => sentinel.replicaInfos(name)))).flat();
    await waitFor('the Sentinels to see that its link is down', links, {
      until: (infos) => infos.filter((info) => info['master-link-status'] === 'err').length === 3,
    });
    // Only there: a Sentinel selects no replica to which it has just lost its connection.
    const onStep = (step: string) => {
      if (step === 'paused') void shard.master.command('CLIENT', 'KILL', 'TYPE', 'normal');
    };
    const report = await bridge.part.failOver(name, { onStep });
    t.strictSame(report.to, successor.address);
    t.strictSame(await other.command('CONFIG', 'GET', 'replica-priority'), ['replica-priority', '100']);
    await Promise.all(writers.map((writer) => writer.stop()));
    for (const writer of writers) t.strictSame((await writer.lostAt(report.to)).lost, []);
  });

  t.test('fails where no majority of the Sentinels confirms it, and says what may be lost', async (t) => {
    const { name, bridge, sentinels } = await start(t, 'unconfirmed');
    const cut = (step: string) => {
      if (step === 'ordered') for (const sentinel of sentinels.slice(1)) sentinel.pause();
    };
    await t.rejects(bridge.part.failOver(name, { onStep: cut }), {
      code: 'failover-stalled',
      message:
        /no majority of the Sentinels confirmed it within 10000 ms\. Writes that .+ accepted since .+ may be lost/,
    });
    for (const sentinel of sentinels.slice(1)) sentinel.resume();
  });

  t.test('that stalls releases the writes, and changes nothing', async (t) => {
    const { name, shard, bridge, writers, consul } = await start(t, 'stalled');
    const before = await recordOf(consul, name);
    const stop = (step: string) => {
      if (step === 'checked') for (const replica of shard.replicas) replica.pause();
    };
    const stalled = { code: 'failover-stalled', message: /300 ms passed until the replicas reach offset/ };
    await t.rejects(bridge.part.failOver(name, { timeoutMs: 300, onStep: stop }), stalled);
    const sizes = writers.map(({ acknowledged }) => acknowledged.size);
    const continued = () => writers.every(({ acknowledged }, i) => acknowledged.size > (sizes[i] ?? 0) + 5);
    await waitFor('writes to continue', continued, { timeoutMs: 60_000 });
    for (const replica of shard.replicas) replica.resume();
    t.equal(await shard.master.role(), 'master');
    t.match(await recordOf(consul, name), {
      generation: before.generation,
      epoch: before.epoch,
      master: before.master,
    });
    for (const server of shard.servers)
      t.strictSame(await server.command('CONFIG', 'GET', 'replica-priority'), ['replica-priority', '100']);
  });

  t.test('is refused if no replica is in sync, before any pause', async (t) => {
    const { name, shard, bridge, sentinels } = await start(t, 'alone');
    await Promise.all(shard.replicas.map((replica) => replica.kill()));
    await waitFor(
      'the Sentinels to see them down',
      async () => (await Promise.all(sentinels.map((sentinel) => sentinel.replicaInfos(name)))).flat(),
      {
        until: (infos) => infos.every(({ flags = '' }) => flags.includes('down')),
      },
    );
    await t.rejects(bridge.part.failOver(name, {}), {
      code: 'failover-refused',
      message: /no replica is up and in sync/,
    });
    t.strictSame(bridge.fences, []);
    t.equal(await redisCli(shard.master.address, ['SET', 'k', 'v'], { timeoutMs: 300 }), 'OK');
  });

  t.test('is refused while Consul is dead', async (t) => {
    const { name, shard, bridge, consul } = await start(t, 'dark', {
      consul: await sandbox.consul({ name: 'dark-consul' }),
    });
    await consul.kill();
    await waitFor('the bridge to notice', () => bridge.part.state(), {
      until: (state) => (state as { consul: unknown }).consul !== null,
    });
    await t.rejects(bridge.part.failOver(name, {}), { code: 'failover-refused', message: /Consul cannot be reached/ });
    t.equal(await redisCli(shard.master.address, ['SET', 'k', 'v'], { timeoutMs: 300 }), 'OK');
  });
});
