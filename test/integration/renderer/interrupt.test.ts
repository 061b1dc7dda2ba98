import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import { HaproxyRuntime } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, putRecord, type SpecInput, sh, startRendering } from '../support/rendering.ts';

/*
 * A change of master never waits for what its template is doing. Every long step below takes 20 s, and the socket or the
 * file must follow within a second: 100 ms on a machine that does nothing else.
 */
const longS = 20;
const promptMs = 1_000;

const sandbox = await Sandbox.openFor(t, { name: 'interrupt' });
const consul = await sandbox.consul({ config: { session_ttl_min: '1s' } });
const signal = new AbortController().signal;
const old: Address = { host: '127.0.0.1', port: 1 };

const template = (socket: string, name: string) => `# {{key "${name}/setting"}}
global
    stats socket ${socket} level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
{{#each redisMasters}}
backend {{name}}
    server master {{address}}
{{/each}}
`;

/** HAProxy with the shards NAME-a and NAME-b, and a renderer whose check or reload takes long on demand. */
async function setUp(
  t: Test,
  name: string,
  more: (paths: { socket: string; destination: string }) => Partial<SpecInput>,
) {
  const folder = makeFolder(t);
  const [socket, log] = [join(sandbox.folder, `${name}.sock`), join(folder, 'log')];
  const destination = join(folder, 'haproxy.cfg');
  const slow = (step: 'check' | 'reload') => join(folder, `slow-${step}`);
  const shards = ['a', 'b'].map((shard) => `${name}-${shard}`);
  for (const shard of shards) await putRecord(consul, { name: shard, master: old, replicas: [] });
  t.teardown(() => Promise.all(shards.map((shard) => consul.delete(`/v1/kv/redis/record/${shard}`))));
  await consul.putKey(`${name}/setting`, '0');
  const proxy = await sandbox.haproxy({ name, configFile: destination, start: 'later' });
  const slowly = (step: 'check' | 'reload', ...argv: readonly string[]) => [
    ...sh(
      `test -e ${slow(step)} && ! grep -q '# bad' ${destination} && { echo begun >> ${log}; sleep ${longS}; }; exec "$@"`,
    ),
    'sh',
    ...argv,
  ];
  const rendering = startRendering(t, {
    consul,
    folder,
    resyncMs: 60_000,
    queue: 'on',
    specs: [
      {
        name: 'haproxy.cfg',
        template: template(socket, name),
        wait: { minMs: 1, maxMs: 5 },
        reload: { kind: 'haproxy', socket, fallback: { argv: slowly('reload', ...proxy.reloadCommand) } },
        check: { argv: slowly('check', 'true') },
        ...more({ socket, destination }),
      },
    ],
  });
  await rendering.until('current');
  const begun = () => existsSync(log) && readFileSync(log, 'utf8') !== '';
  return {
    rendering,
    destination,
    delay: (step: 'check' | 'reload') => writeFileSync(slow(step), ''),
    hurry: (step: 'check' | 'reload') => rmSync(slow(step)),
    untilBegun: () => waitFor('the long step to begin', begun, { intervalMs: 5 }),
    set: (value: string) => consul.putKey(`${name}/setting`, value),
    move: (shard: string, port: number) =>
      putRecord(consul, { name: `${name}-${shard}`, master: { ...old, port }, epoch: port, replicas: [] }),
    text: () => readFileSync(destination, 'utf8'),
    port: async (shard: string) => {
      const servers = await new HaproxyRuntime(socket).readServers(signal);
      return servers.find(({ backend }) => backend === `${name}-${shard}`)?.port;
    },
  };
}

type Scene = Awaited<ReturnType<typeof setUp>>;

/** Changes a master and measures how long `read` takes to show its new port. */
async function follows(
  t: Test,
  scene: Scene,
  change: { shard: string; port: number; read: () => Promise<number | undefined> },
): Promise<void> {
  const { shard, port, read } = change;
  const startMs = performance.now();
  await scene.move(shard, port);
  await waitFor(`shard ${shard} to move`, read, {
    until: (now) => now === port,
    intervalMs: 2,
    timeoutMs: (longS * 1_000) / 2,
  });
  const tookMs = Math.round(performance.now() - startMs);
  t.comment(`followed after ${tookMs} ms`);
  t.ok(tookMs < promptMs, `${tookMs} ms`);
}

t.test('a verify does not hold up the change of another master', async (t) => {
  const fails = join(makeFolder(t), 'fails');
  const probe = { kind: 'command', command: { argv: sh(`test ! -e ${fails}`) } } as const;
  const scene = await setUp(t, 'verify', () => ({ verify: { probes: [probe], deadlineMs: longS * 1_000 } }));
  writeFileSync(fails, '');
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  await follows(t, scene, { shard: 'b', port: 3, read: () => scene.port('b') });
  t.equal(scene.rendering.state().state, 'write', 'the verify is still owed');
  rmSync(fails);
  await scene.rendering.until('current');
  t.match(scene.text(), /:2\n.*:3\n/s);
});

t.test('a check does not hold up a change of master', async (t) => {
  const scene = await setUp(t, 'check', () => ({}));
  scene.delay('check');
  await scene.set('1');
  await scene.untilBegun();
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  t.match(scene.text(), /^# 0\n/, 'the unchecked file is not in place');
  scene.hurry('check');
  await scene.move('b', 3);
  await scene.rendering.until('current');
  t.match(scene.text(), /^# 1\n.*:2\n.*:3\n/s);
});

t.test('a reload does not hold up a change of master, and is repeated with the new file', async (t) => {
  const scene = await setUp(t, 'reload', () => ({}));
  scene.delay('reload');
  await scene.set('1');
  await scene.untilBegun();
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  scene.hurry('reload');
  await scene.rendering.until('current');
  t.match(scene.text(), /^# 1\n.*:2\n/s);
  t.equal(await scene.port('a'), 2);
});

t.test('a rollback does not hold up a change of master', async (t) => {
  const scene = await setUp(t, 'rollback', ({ destination }) => ({
    verify: {
      probes: [{ kind: 'command', command: { argv: sh(`! grep -q '# bad' ${destination}`) } }],
      deadlineMs: 200,
    },
  }));
  scene.delay('reload');
  await scene.set('bad');
  await scene.untilBegun();
  t.match(scene.text(), /^# 0\n/, 'the last good file is back');
  await follows(t, scene, { shard: 'a', port: 2, read: () => scene.port('a') });
  scene.hurry('reload');
  await scene.set('1');
  await scene.rendering.until('current');
  t.match(scene.text(), /^# 1\n.*:2\n/s);
});

t.test('a drain does not hold up a change of master, and its servers are ready again', async (t) => {
  const [target, listen] = [await sandbox.address(), await sandbox.address()];
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(target);
  t.teardown(() => server.close());
  const [socket, configFile] = [join(sandbox.folder, 'front.sock'), sandbox.path('front.cfg')];
  writeFileSync(
    configFile,
    `global
    stats socket ${socket} level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
listen front
    bind ${listen.host}:${listen.port}
    server one ${target.host}:${target.port}
`,
  );
  await sandbox.haproxy({ name: 'front', configFile, listen });
  const front = new HaproxyRuntime(socket);
  const drain = { socket, servers: ['front/one'], timeoutMs: longS * 1_000 };
  const log = join(makeFolder(t), 'reloads');
  const scene = await setUp(t, 'drain', () => ({
    reload: { kind: 'command', command: { argv: sh(`echo x >> ${log}`) }, drain },
    rolling: { limit: 1 },
  }));
  const session = connect(listen);
  session.on('error', () => undefined);
  t.teardown(() => session.destroy());
  await waitFor('the session', async () => (await front.countSessions(signal)).get('front/one'), {
    until: (count) => count === 1,
  });
  await scene.set('1');
  await waitFor('the new file', scene.text, { until: (text) => text.startsWith('# 1') });
  const before = readFileSync(log, 'utf8').length;
  await follows(t, scene, {
    shard: 'a',
    port: 2,
    read: async () =>
      readFileSync(log, 'utf8').length > before ? Number(/:([23])\n/.exec(scene.text())?.[1]) : undefined,
  });
  await scene.rendering.until('current');
  t.match(await front.send(['show servers state'], signal), / one \S+ 2 0 /, 'running, without drain or maintenance');
});
