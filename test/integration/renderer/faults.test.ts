import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, makeFolder, putRecord, sh, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'faults' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 1 })]);
await putRecord(consul, { name: 'shard1', master: shard.master.address, replicas: [] });
const quick = { minMs: 1, maxMs: 5 };

const twemproxy = `alpha:
  listen: {{key "faults/listen"}}
  redis: true
  servers:
{{#each redisMasters}}   - {{host}}:{{port}}:1 {{name}}
{{/each}}`;

t.test('a config that kills its program at the restart is rolled back, and the program answers again', async (t) => {
  const listen = await sandbox.address();
  const folder = makeFolder(t);
  const destination = join(folder, 'nutcracker.yml');
  const proxy = await sandbox.nutcracker({ name: 'killed', configFile: destination, listen, start: 'later' });
  await consul.putKey('faults/listen', `${listen.host}:${listen.port}`);
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [
      {
        name: 'nutcracker.yml',
        template: twemproxy,
        check: { argv: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'] },
        reload: command(...proxy.restartCommand),
        verify: { probes: [{ kind: 'redis', address: listen }] },
        wait: quick,
      },
    ],
    resyncMs: 60_000,
  });
  await rendering.until('current');
  const before = readFileSync(destination);
  // The check accepts an address that this machine does not have; the program ends because of it.
  await consul.putKey('faults/listen', '192.0.2.1:22121');
  await rendering.until('refused');
  t.match(rendering.failure(), {
    error: { code: 'reload-failed', message: /reload failed.*The last good file is in place again and works/s },
  });
  t.same(readFileSync(destination), before);
  t.equal(await redisCli(listen, ['PING']), 'PONG');
});

t.test('a supervised program that dies of its new config is started again with the old one', async (t) => {
  const [listen, stats] = await Promise.all([sandbox.address(), sandbox.address()]);
  const folder = makeFolder(t);
  await consul.putKey('faults/listen', `${listen.host}:${listen.port}`);
  const argv = ['nutcracker', '-c', '{{file}}', '-a', stats.host, '-s', String(stats.port)];
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [
      {
        name: 'nutcracker.yml',
        template: twemproxy,
        reload: { kind: 'supervise', command: { argv }, change: { kind: 'restart' } },
        verify: { probes: [{ kind: 'redis', address: listen }], deadlineMs: 3_000 },
        wait: quick,
      },
    ],
    resyncMs: 60_000,
  });
  const { destination } = await rendering.until('current');
  const before = readFileSync(destination);
  await consul.putKey('faults/listen', '192.0.2.1:22121');
  await rendering.until('refused');
  t.match(rendering.failure(), {
    error: { code: 'verify-failed', message: /The last good file is in place again and works/ },
  });
  t.same(readFileSync(destination), before);
  t.equal(await redisCli(listen, ['PING']), 'PONG');
});

t.test('a reload command that is killed counts as failed', async (t) => {
  await consul.putKey('faults/word', 'good');
  const reload = command(...sh('! grep -q bad "$1" || kill -9 $$'), 'sh', '{{file}}');
  const rendering = startRendering(t, {
    consul,
    specs: [{ template: 'is {{key "faults/word"}}\n', reload, wait: quick }],
  });
  const { destination } = await rendering.until('current');
  await consul.putKey('faults/word', 'bad');
  await rendering.until('refused');
  t.match(rendering.failure(), { error: { code: 'reload-failed', message: /was killed by SIGKILL/ } });
  t.equal(readFileSync(destination, 'utf8'), 'is good\n');
});

t.test('a signal goes to the process of the pid file, and a process that is gone is reported', async (t) => {
  const listen = await sandbox.address();
  const folder = makeFolder(t);
  const [destination, pidFile] = [join(folder, 'haproxy.cfg'), join(folder, 'haproxy.pid')];
  const proxy = await sandbox.haproxy({ name: 'signalled', configFile: destination, listen, start: 'later' });
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [
      {
        name: 'haproxy.cfg',
        template: 'haproxy.cfg.hbs',
        vars: {
          stats_socket: join(sandbox.folder, 'signalled.sock'),
          bind: listen.host,
          ports: { shard1: listen.port },
        },
        reload: { kind: 'signal', signal: 'SIGUSR2', pidFile },
        verify: { probes: [{ kind: 'redis', address: listen, master: 'shard1' }], deadlineMs: 3_000 },
      },
    ],
    resyncMs: 60_000,
  });
  t.match((await rendering.until('failed')).lastOutcome, {
    error: { code: 'reload-failed', message: /cannot be read/ },
  });
  await proxy.start();
  const { pid } = proxy;
  writeFileSync(pidFile, `${pid}\n`);
  await rendering.until('current');
  const fresh = shard.replicas[0] as RedisServer;
  await fresh.command('REPLICAOF', 'NO', 'ONE');
  await putRecord(consul, { name: 'shard1', master: fresh.address, epoch: 8, replicas: [] });
  await waitFor('the new master', () => redisCli(listen, ['CONFIG', 'GET', 'port']), {
    until: (answer) => Array.isArray(answer) && answer[1] === String(fresh.address.port),
  });
  await rendering.until('current');
  t.equal(proxy.pid, pid);
  await proxy.kill();
  await putRecord(consul, { name: 'shard1', master: shard.master.address, epoch: 9, replicas: [] });
  const { lastOutcome } = await rendering.until('failed');
  t.match(lastOutcome, {
    error: { code: 'reload-failed', message: new RegExp(`process ${pid} of .*: there is no such process`) },
  });
});

t.test('the next daemon does not try a rolled back text again until the input changes', async (t) => {
  const folder = makeFolder(t);
  const log = join(folder, 'reloads');
  await consul.putKey('faults/text', 'good');
  const reload = command(...sh(`echo r >> ${log}; ! grep -q bad "$1"`), 'sh', '{{file}}');
  const specs = [{ template: 'is {{key "faults/text"}}\n', reload, wait: quick }];
  const first = startRendering(t, { consul, folder, specs });
  await first.until('current');
  await consul.putKey('faults/text', 'bad');
  await first.until('refused');
  await first.stop();
  const reloads = readFileSync(log, 'utf8');
  const second = startRendering(t, { consul, folder, specs });
  const { lastOutcome, destination } = await second.until('refused');
  t.match(lastOutcome, { kind: 'held', summary: /was rolled back and waits for another input.*exited with 1/s });
  t.equal(readFileSync(log, 'utf8'), reloads);
  await consul.putKey('faults/text', 'better');
  await waitFor('the file to follow', () => readFileSync(destination, 'utf8'), {
    until: (text) => text === 'is better\n',
  });
  await second.until('current');
  await second.stop();
  const third = startRendering(t, { consul, folder, specs });
  await third.until('current');
});
