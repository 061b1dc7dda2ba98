import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { HaproxyRuntime } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { follows, longS, setUp as setScene } from '../support/moving.ts';
import { makeFolder, sh } from '../support/rendering.ts';

/* A change of master never waits for what its template is doing. Every long step below takes 20 s. */

const sandbox = await Sandbox.openFor(t, { name: 'interrupt' });
const consul = await sandbox.consul({ config: { session_ttl_min: '1s' } });
const signal = new AbortController().signal;
const setUp = (t: Test, name: string, more: Parameters<typeof setScene>[2]) =>
  setScene(t, { sandbox, consul, name }, more);

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
