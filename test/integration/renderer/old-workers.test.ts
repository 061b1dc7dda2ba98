import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { withinDeadline } from '../../../lib/file-system.ts';
import { HaproxyRuntime } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { clientsOf, openIdle } from '../support/idle-clients.ts';
import { makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'old-workers' });
const consul = await sandbox.consul();
const { signal } = new AbortController();

/** HAProxy with the bundled template, 20 idle clients, and a reload that has left them in an old worker. */
async function setUp(
  t: Test,
  name: string,
  input: { readonly hardStopAfter?: string; readonly master: 'used' | 'unused' | 'missing' },
) {
  const [shard, listen] = [await sandbox.redis({ name, replicas: 1 }), await sandbox.address()];
  const { port: otherPort } = await sandbox.address();
  const folder = makeFolder(t);
  const socket = join(sandbox.folder, `${name}.sock`);
  const destination = join(folder, 'haproxy.cfg');
  const proxy = await sandbox.haproxy({ name: `proxy-${name}`, configFile: destination, listen, start: 'later' });
  const [old, fresh] = [shard.master, shard.replicas[0] as RedisServer];
  const move = (to: RedisServer, epoch: number) => putRecord(consul, { name, master: to.address, epoch, replicas: [] });
  await move(old, 1);
  t.teardown(() => consul.delete(`/v1/kv/redis/record/${name}`));
  const vars = {
    stats_socket: socket,
    bind: listen.host,
    ports: { [name]: listen.port, [`${name}-other`]: otherPort },
  };
  const hardStop = input.hardStopAfter === undefined ? {} : { hard_stop_after: input.hardStopAfter };
  const cli = join(sandbox.folder, input.master === 'used' ? `proxy-${name}-master.sock` : 'missing.sock');
  const master = input.master === 'unused' ? {} : { master: cli };
  const rendering = startRendering(t, {
    consul,
    folder,
    resyncMs: 60_000,
    specs: [
      {
        name: 'haproxy.cfg',
        template: 'haproxy.cfg.hbs',
        vars: { ...vars, ...hardStop },
        wait: { minMs: 1, maxMs: 5 },
        reload: { kind: 'haproxy', socket, fallback: { argv: proxy.reloadCommand }, ...master },
      },
    ],
  });
  await rendering.until('current');
  const { sockets, closed } = await openIdle(listen, 20);
  t.teardown(() => {
    for (const one of sockets) one.destroy();
  });
  // Another shard takes a reload.
  const other = await sandbox.address();
  await putRecord(consul, { name: `${name}-other`, master: other, replicas: [] });
  t.teardown(() => consul.delete(`/v1/kv/redis/record/${name}-other`));
  await waitFor('the reload', () => rendering.reports.filter(({ outcome }) => outcome.kind === 'applied').length, {
    until: (count) => count >= 2,
  });
  const port = async () => {
    const servers = await new HaproxyRuntime(socket).readServers(signal);
    return servers.find(({ backend }) => backend.includes(name) && !backend.includes('other'))?.port;
  };
  return { old, fresh, closed, move, rendering, destination, port };
}

t.test('a change of master closes the sessions in an old worker, over the master CLI', async (t) => {
  const { old, fresh, closed, move, rendering } = await setUp(t, 'cli', { hardStopAfter: '10m', master: 'used' });
  t.equal(closed(), 0, 'the old worker keeps its sessions');
  t.ok((await clientsOf(old)) >= 20);
  await fresh.command('REPLICAOF', 'NO', 'ONE');
  const startMs = performance.now();
  await move(fresh, 2);
  await waitFor('all to be closed', closed, { until: (count) => count === 20, intervalMs: 2 });
  t.comment(`closed after ${Math.round(performance.now() - startMs)} ms`);
  t.equal(await waitFor('nobody on the old master', () => clientsOf(old), { until: (count) => count === 0 }), 0);
  await rendering.until('current');
});

t.test('sessions of other masters in an old worker stay', async (t) => {
  const { closed, rendering } = await setUp(t, 'others', { hardStopAfter: '10m', master: 'used' });
  await putRecord(consul, { name: 'others-other', epoch: 9, master: { host: '127.0.0.1', port: 9 }, replicas: [] });
  await waitFor('the change', () => rendering.reports.filter(({ outcome }) => outcome.kind === 'applied').length, {
    until: (count) => count === 3,
  });
  t.equal(closed(), 0);
});

for (const file of ['read at once', 'read late'] as const) {
  t.test(`a master CLI that does not answer does not delay the change, and is in the outcome (${file})`, async (t) => {
    const name = `silent-${file === 'read late' ? 'late' : 'soon'}`;
    const { fresh, move, rendering, destination, port } = await setUp(t, name, {
      hardStopAfter: '10m',
      master: 'missing',
    });
    await fresh.command('REPLICAOF', 'NO', 'ONE');
    const { promise, resolve } = Promise.withResolvers<void>();
    t.teardown(() => resolve());
    const calls = file === 'read late' ? [1, 2] : [];
    const held = calls.map(() => withinDeadline(destination, () => promise, { timeoutMs: 60_000 }));
    await move(fresh, 2);
    await waitFor('HAProxy to move', port, { until: (now) => now === fresh.address.port });
    resolve();
    await Promise.all(held);
    const changes = () => rendering.reports.filter(({ outcome }) => outcome.kind === 'applied');
    const [, , change] = await waitFor('the change', changes, { until: ({ length }) => length === 3 });
    t.match(change?.outcome.details?.warnings, [/sessions in old workers/]);
    t.equal((await rendering.until('current')).lastOutcome?.kind, 'applied');
  });
}

t.test('a master CLI that does not answer is in the outcome of a run that cannot read the file', async (t) => {
  const { fresh, move, rendering, destination } = await setUp(t, 'unread', { hardStopAfter: '10m', master: 'missing' });
  await fresh.command('REPLICAOF', 'NO', 'ONE');
  rmSync(destination);
  mkdirSync(destination);
  await move(fresh, 2);
  const failed = () => rendering.reports.find(({ outcome }) => outcome.kind === 'failed');
  t.match((await waitFor('the failure', failed))?.outcome.details?.warnings, [/sessions in old workers/]);
});

t.test('without the master CLI, an old worker of the bundled template ends within seconds', async (t) => {
  const { old, closed } = await setUp(t, 'bundled', { master: 'unused' });
  await waitFor('all to be closed', closed, { until: (count) => count === 20 });
  t.equal(await waitFor('nobody on the master', () => clientsOf(old), { until: (count) => count === 0 }), 0);
});
