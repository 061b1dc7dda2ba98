import { join } from 'node:path';
import t, { type Test } from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { clientsOf, openIdle } from '../support/idle-clients.ts';
import { makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'old-workers' });
const consul = await sandbox.consul();

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
  return { old, fresh, closed, move, rendering };
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

t.test('a master CLI that does not answer does not delay the change, and is in the outcome', async (t) => {
  const { fresh, move, rendering } = await setUp(t, 'silent', { hardStopAfter: '10m', master: 'missing' });
  await fresh.command('REPLICAOF', 'NO', 'ONE');
  await move(fresh, 2);
  await waitFor('the change', () => rendering.state().lastOutcome, {
    until: (outcome) => /sessions in old workers/.test(JSON.stringify(outcome?.details?.warnings ?? '')),
  });
  t.equal(rendering.state().state, 'current');
});

t.test('without the master CLI, an old worker of the bundled template ends within seconds', async (t) => {
  const { old, closed } = await setUp(t, 'bundled', { master: 'unused' });
  await waitFor('all to be closed', closed, { until: (count) => count === 20 });
  t.equal(await waitFor('nobody on the master', () => clientsOf(old), { until: (count) => count === 0 }), 0);
});
