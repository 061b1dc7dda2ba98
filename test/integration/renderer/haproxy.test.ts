import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import { HaproxyRuntime } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { clientsOf, openIdle } from '../support/idle-clients.ts';
import { makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'haproxy' });
const consul = await sandbox.consul();
const signal = new AbortController().signal;
const tools = join(import.meta.dirname, '../../../.tools/bin');

/** Two Redis servers, HAProxy before them, and a renderer that keeps it. */
async function setUp(t: Test, input: { name: string; program?: string }) {
  const { name, program = 'haproxy' } = input;
  // The file has all masters that have a record.
  await consul.delete('/v1/kv/redis/?recurse');
  const [shard, listen] = await Promise.all([sandbox.redis({ name, replicas: 1 }), sandbox.address()]);
  const folder = makeFolder(t);
  const socket = join(sandbox.folder, `${name}.sock`);
  const destination = join(folder, 'haproxy.cfg');
  const proxy = await sandbox.haproxy({
    name: `proxy-${name}`,
    program,
    configFile: destination,
    listen,
    start: 'later',
  });
  const old = shard.master;
  const fresh = shard.replicas[0] as RedisServer;
  await moveTo(consul, name, old.address);
  const spec = {
    name: 'haproxy.cfg',
    template: 'haproxy.cfg.hbs',
    vars: { stats_socket: socket, bind: listen.host, ports: { [name]: listen.port } },
    check: { argv: [program === 'haproxy' ? program : join(tools, program), '-c', '-f', '{{file}}'] },
    reload: { kind: 'haproxy', socket, fallback: { argv: proxy.reloadCommand } },
    verify: { probes: [{ kind: 'redis', address: listen, master: name }] },
  } as const;
  const rendering = startRendering(t, { consul, folder, specs: [spec], resyncMs: 60_000 });
  await rendering.until('current');
  return { name, listen, socket, destination, proxy, old, fresh, rendering, spec, folder };
}

async function moveTo(consul: ConsulAgent, name: string, master: Address, epoch = 1): Promise<void> {
  await putRecord(consul, { name, master, epoch, replicas: [] });
}

const programs = ['haproxy', ...(existsSync(join(tools, 'haproxy3')) ? ['haproxy3'] : [])];

for (const program of programs) {
  t.test(
    `${program}: a failover moves 500 idle connections with no reload, and none stays on the old master`,
    async (t) => {
      const name = `idle-${program}`;
      const { listen, destination, proxy, old, fresh, rendering, socket } = await setUp(t, { name, program });
      const { sockets, closed } = await openIdle(listen, 500);
      t.teardown(() => {
        for (const one of sockets) one.destroy();
      });
      t.ok((await clientsOf(old)) >= 500);
      const { pid } = proxy;
      await fresh.command('REPLICAOF', 'NO', 'ONE');
      const startMs = performance.now();
      await moveTo(consul, name, fresh.address, 2);
      await waitFor('all to be closed', closed, { until: (count) => count === 500, intervalMs: 2 });
      t.comment(`closed after ${Math.round(performance.now() - startMs)} ms`);
      await waitFor('nobody on the old master', () => clientsOf(old), { until: (count) => count === 0 });
      t.match(await redisCli(listen, ['ROLE']), ['master']);
      // HAProxy's servers move before the file is there.
      const server = `server master ${fresh.address.host}:${fresh.address.port} check`;
      await waitFor('the file', () => readFileSync(destination, 'utf8').includes(server));
      await rendering.until('current');
      t.equal(proxy.pid, pid);
      const states = await new HaproxyRuntime(socket).readServers(signal);
      t.match(states, [{ backend: name, server: 'master', ...fresh.address, state: 'ready' }]);
      const info = await new HaproxyRuntime(socket).send(['show info'], signal);
      t.match(info, /\nStopping: 0\n/);
      t.match(rendering.stages(), {
        rendered: Number,
        swapped: Number,
        reloaded: Number,
        checked: Number,
        verified: Number,
      });
    },
  );
}

t.test(
  'a failover that comes with other changes reloads, and no session of the old worker stays on the old master',
  async (t) => {
    const { name, listen, old, fresh, rendering, socket } = await setUp(t, { name: 'mixed' });
    const { sockets, closed } = await openIdle(listen, 50);
    t.teardown(() => {
      for (const one of sockets) one.destroy();
    });
    const pidOf = async () => /\nPid: (\d+)/.exec(await new HaproxyRuntime(socket).send(['show info'], signal))?.[1];
    const worker = await pidOf();
    await fresh.command('REPLICAOF', 'NO', 'ONE');
    // One transaction would do both. Here the second shard's record comes first, and one rendering has both changes.
    const second = await sandbox.redis({ name: 'second' });
    await consul.put('/v1/txn', [kvSet('second', second.master.address), kvSet(name, fresh.address)]);
    await waitFor('another worker', pidOf, { until: (pid) => pid !== undefined && pid !== worker });
    await waitFor('all to be closed', closed, { until: (count) => count === 50 });
    await waitFor('nobody on the old master', () => clientsOf(old), { until: (count) => count === 0 });
    await rendering.until('current');
    t.match(await redisCli(listen, ['ROLE']), ['master']);
  },
);

function kvSet(name: string, master: Address) {
  const value = JSON.stringify({
    version: 1,
    name,
    generation: 1,
    epoch: 5,
    phase: 'confirmed',
    master,
    replicas: [],
    previous: null,
    reason: 'test',
    changedAt: '2024-01-01T00:00:00.000Z',
    changedBy: 'test',
  });
  return { KV: { Verb: 'set', Key: `redis/record/${name}`, Value: Buffer.from(value).toString('base64') } };
}

t.test('a reload repairs a HAProxy whose servers somebody changed by its socket', async (t) => {
  const { name, listen, fresh, rendering, socket } = await setUp(t, { name: 'drift' });
  await new HaproxyRuntime(socket).send([`set server ${name}/master addr 127.0.0.1 port 1`], signal);
  await fresh.command('REPLICAOF', 'NO', 'ONE');
  await moveTo(consul, name, fresh.address, 2);
  await waitFor('the new master', () => redisCli(listen, ['ROLE']), {
    until: (role) => Array.isArray(role) && role[0] === 'master',
  });
  await rendering.until('current');
});

t.test('a server that somebody moved over the socket is moved back without a reload', async (t) => {
  const { name, listen, old, rendering, socket } = await setUp(t, { name: 'moved' });
  const haproxy = new HaproxyRuntime(socket);
  const pidOf = async () => /\nPid: (\d+)/.exec(await haproxy.send(['show info'], signal))?.[1];
  const worker = await pidOf();
  await haproxy.send([`set server ${name}/master addr 127.0.0.1 port 1`], signal);
  rendering.part.renderer.retry('haproxy.cfg');
  await waitFor('the server at its address', () => haproxy.readServers(signal), {
    until: ([server]) => server?.host === old.address.host && server.port === old.address.port,
  });
  await waitFor('the master', () => redisCli(listen, ['ROLE']), { until: Array.isArray });
  t.equal(await pidOf(), worker);
  await waitFor('a report of it', () =>
    rendering.reports.some(
      ({ outcome }) => outcome.kind === 'applied' && /again: moved\/master\.$/.test(outcome.summary),
    ),
  );
});

t.test('a server that an operator took out of service stays so', async (t) => {
  const { name, rendering, socket } = await setUp(t, { name: 'out' });
  const haproxy = new HaproxyRuntime(socket);
  await haproxy.send([`set server ${name}/master state maint`], signal);
  rendering.part.renderer.retry('haproxy.cfg');
  await waitFor('the run', () => rendering.state().lastOutcome?.kind, { until: (kind) => kind === 'unchanged' });
  t.match(await haproxy.readServers(signal), [{ server: 'master', state: 'maint' }]);
});

t.test('a HAProxy that does not answer at its socket is started by the fallback', async (t) => {
  const { name, listen, fresh, proxy, rendering } = await setUp(t, { name: 'gone' });
  await proxy.kill();
  await fresh.command('REPLICAOF', 'NO', 'ONE');
  await moveTo(consul, name, fresh.address, 2);
  await waitFor('the new master', () => redisCli(listen, ['ROLE']), {
    until: (role) => Array.isArray(role) && role[0] === 'master',
  });
  await rendering.until('current');
});

t.test(
  'a config that passes its check but points nowhere is rolled back to the byte, and the service answers',
  async (t) => {
    const { listen, destination, spec, folder, rendering } = await setUp(t, { name: 'nowhere' });
    await rendering.stop();
    const bundled = readFileSync(join(import.meta.dirname, '../../../templates/haproxy.cfg.hbs'), 'utf8');
    // Another listener than the verified one: -c accepts it.
    const template = bundled.replace(/bind \{\{default @root\.vars\.bind.*/, `bind ${listen.host}:{{key "port"}}`);
    await consul.putKey('port', String(listen.port));
    const second = startRendering(t, {
      consul,
      folder,
      specs: [{ ...spec, template, verify: { ...spec.verify, deadlineMs: 3_000 } }],
      resyncMs: 60_000,
    });
    await second.until('current');
    const before = readFileSync(destination);
    await consul.putKey('port', '1');
    await second.until('refused');
    t.same(readFileSync(destination), before);
    t.match(await redisCli(listen, ['ROLE']), ['master']);
  },
);

t.test('a HAProxy that reloads without an error, but does not read the file, is a warning', async (t) => {
  const { socket, folder } = await setUp(t, { name: 'unread' });
  const fragment = (name: string, at: string) => ({
    ...{ name, template: 'backend fragment\n    server one 127.0.0.1:1\n' },
    reload: { kind: 'haproxy', socket: at, fallback: { argv: ['true'] } } as const,
  });
  const specs = [fragment('other.cfg', socket), fragment('silent.cfg', join(folder, 'none.sock'))];
  const rendering = startRendering(t, { consul, folder, specs, resyncMs: 60_000 });
  const reasons = {
    'other.cfg': /seems not to read \S+\/other\.cfg\. It has no server fragment\/one.* restart HAProxy/,
    'silent.cfg': /whether it reads \S+\/silent\.cfg is not known\. HAProxy's socket .*none\.sock cannot be reached/,
  };
  for (const [name, reason] of Object.entries(reasons)) {
    const { lastOutcome } = await rendering.until('current', name);
    t.match(String(lastOutcome?.details?.warnings), reason);
  }
});
