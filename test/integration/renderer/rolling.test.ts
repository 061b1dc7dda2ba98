import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ConsulClient } from '../../../lib/client/consul.ts';
import { acquireLease } from '../../../lib/consul/lock.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import {
  command,
  makeFolder,
  mostAtOnce,
  putRecord,
  type Rendering,
  sh,
  startRendering,
} from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'rolling' });
const consul = await sandbox.consul({ config: { session_ttl_min: '1s' } });
const client = new ConsulClient({ ...consul.http });
t.teardown(() => client.close());
const signal = new AbortController().signal;
const rolling = { limit: 2, group: 'fleet' };
const daemonCount = 10;

t.test('of ten daemons never more than two reload at once, and a failover does not queue', async (t) => {
  await consul.putKey('fleet/setting', '0');
  await putRecord(consul, { name: 'shard1' });
  const log = join(sandbox.folder, 'reloads');
  // Each reload logs its start and its end, and is slow, so that they would overlap. None ends while the file is there.
  const held = join(sandbox.folder, 'held');
  const wait = `while [ -e ${held} ]; do sleep 0.05; done`;
  const reload = command(...sh(`echo "+" >> ${log}; sleep 0.4; ${wait}; echo "-" >> ${log}`));
  const template = '{{key "fleet/setting"}} {{#each redisMasters}}{{address}}{{/each}}\n';
  const daemons: Rendering[] = [];
  for (let n = 0; n < daemonCount; n++) {
    const spec = { template, reload, rolling, wait: { minMs: 1, maxMs: 5 } };
    daemons.push(
      startRendering(t, { consul, folder: mkdtempSync(join(sandbox.folder, 'daemon-')), specs: [spec], queue: 'on' }),
    );
  }
  const all = (text: string) =>
    waitFor(
      `all to have ${text}`,
      () => daemons.filter(({ state }) => state().state === 'current' && fileOf(state().destination) === text).length,
      {
        until: (count) => count === daemonCount,
        timeoutMs: 60_000,
      },
    );
  const fileOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
  await all('0 10.0.0.1:6379\n');
  t.equal(mostAtOnce(readFileSync(log, 'utf8')), 2);
  await consul.putKey('fleet/setting', '1');
  await waitFor('some to be in the queue', () => daemons.filter(({ state }) => state().state === 'queued').length, {
    until: (count) => count >= 5,
    intervalMs: 2,
  });
  const before = readFileSync(log, 'utf8').length;
  writeFileSync(held, '');
  await putRecord(consul, { name: 'shard1', epoch: 9, master: { host: '10.0.0.9', port: 1 } });
  await waitFor('reloads that do not wait for each other', () => mostAtOnce(readFileSync(log, 'utf8').slice(before)), {
    until: (most) => most > 4,
  });
  rmSync(held);
  await all('1 10.0.0.9:1\n');
});

t.test('a holder that was killed keeps its place only until its session ends', async (t) => {
  const options = { client, key: 'redis/rolling/dead', limit: 1, holder: 'x', ttlMs: 4_000 };
  const program = `
    import { ConsulClient } from ${JSON.stringify(join(import.meta.dirname, '../../../lib/client/consul.ts'))};
    import { acquireLease } from ${JSON.stringify(join(import.meta.dirname, '../../../lib/consul/lock.ts'))};
    const client = new ConsulClient(${JSON.stringify(consul.http)});
    const options = ${JSON.stringify({ ...options, client: undefined })};
    await acquireLease({ ...options, client }, new AbortController().signal);
    process.kill(process.pid, 'SIGKILL');
  `;
  const { spawnSync } = await import('node:child_process');
  const { signal: death } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 });
  t.equal(death, 'SIGKILL');
  t.same(await acquireLease(options, signal), { kind: 'full', holders: 1 });
  const lease = await waitFor('the place', () => acquireLease(options, signal), {
    until: ({ kind }) => kind === 'inside',
    intervalMs: 100,
    timeoutMs: 60_000,
  });
  if (lease.kind === 'inside') await lease.leave();
  t.same(await consul.get('/v1/session/list'), []);
});

t.test('the keys of a backup that somebody imported hold no place', async (t) => {
  await consul.putKey('redis/rolling/imported/.holders', '["former"]');
  await consul.putKey('redis/rolling/imported/former', '{"holder":"x"}');
  const lease = await acquireLease({ client, key: 'redis/rolling/imported', limit: 1, holder: 'x' }, signal);
  t.equal(lease.kind, 'inside');
  if (lease.kind === 'inside') await lease.leave();
});

t.test('a daemon that leaves frees its place at once', async (t) => {
  const options = { client, key: 'redis/rolling/x', limit: 1, holder: 'x' };
  const first = await acquireLease(options, signal);
  t.equal(first.kind, 'inside');
  t.equal((await acquireLease(options, signal)).kind, 'full');
  if (first.kind === 'inside') await first.leave();
  const second = await acquireLease(options, signal);
  t.equal(second.kind, 'inside');
  if (second.kind === 'inside') await second.leave();
});

t.test('a place is taken in one transaction', async (t) => {
  const lease = await acquireLease({ client, key: 'redis/rolling/at-once', limit: 1, holder: 'x' }, signal);
  t.equal(lease.kind, 'inside');
  const keys = (await consul.get('/v1/kv/redis/rolling/at-once/?recurse')) as readonly {
    readonly ModifyIndex: number;
  }[];
  t.equal(keys.length, 2);
  t.equal(new Set(keys.map(({ ModifyIndex }) => ModifyIndex)).size, 1);
  if (lease.kind === 'inside') await lease.leave();
});

t.test(
  'of many that want the only place at the same time one gets it, and the others leave nothing behind',
  async (t) => {
    const key = 'redis/rolling/contended';
    const options = { client, key, limit: 1, holder: 'x' };
    const leases = await Promise.all(Array.from({ length: 12 }, () => acquireLease(options, signal)));
    const inside = leases.filter((lease) => lease.kind === 'inside');
    t.equal(inside.length, 1);
    const keys = (await consul.get(`/v1/kv/${key}/?keys`)) as readonly string[];
    t.equal(keys.length, 2, 'the list of those inside, and the key of the one');
    await Promise.all(inside.map((lease) => lease.leave()));
    t.strictSame(await consul.get(`/v1/kv/${key}/?keys`), [`${key}/.holders`]);
    t.same(await consul.get('/v1/session/list'), []);
  },
);

t.test('a change of master does not wait for a splay, and ends the wait of an earlier change', async (t) => {
  await consul.putKey('splay', 'one');
  await putRecord(consul, { name: 'splayed' });
  const folder = makeFolder(t);
  const running = join(folder, 'running');
  const template = '{{key "splay"}} {{#with (redisMaster "splayed")}}{{address}}{{/with}}\n';
  const reload = command(...sh(`cp "$1" ${running}`), 'sh', '{{file}}');
  const specs = [{ template, wait: { minMs: 1, maxMs: 5 }, reload, splayMs: 3_600_000 }];
  const rendering = startRendering(t, { consul, folder, specs });
  const { destination } = await rendering.until('current');
  const first = readFileSync(running, 'utf8');
  t.match(first, /^one /, 'the first file does not wait');
  await consul.putKey('splay', 'two');
  await waitFor('the file', () => readFileSync(destination, 'utf8'), { until: (text) => text.startsWith('two ') });
  await putRecord(consul, { name: 'splayed', epoch: 9, master: { host: '10.6.6.6', port: 1 } });
  const isMoved = (text: string) => text === 'two 10.6.6.6:1\n';
  await waitFor('the consumer', () => readFileSync(running, 'utf8'), { until: isMoved });
  await rendering.until('current');
});
