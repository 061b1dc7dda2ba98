import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, sh, startRendering } from '../support/rendering.ts';
import { moveTo, testConfig, twoServers, untilAt, whoAt } from '../support/twemproxy.ts';

const sandbox = await Sandbox.openFor(t, { name: 'twemproxy' });

t.test('way 1: twemproxy is restarted, alone on its node, and verified', async (t) => {
  const { consul, servers, listen, folder } = await twoServers(t, { sandbox, name: 'one' });
  const destination = join(folder, 'nutcracker.yml');
  const proxy = await sandbox.nutcracker({ name: 'one', configFile: destination, listen, start: 'later' });
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [
      {
        name: 'nutcracker.yml',
        template: 'twemproxy.yml.hbs',
        vars: { listen: `${listen.host}:${listen.port}` },
        check: testConfig,
        reload: command(...proxy.restartCommand),
        verify: { probes: [{ kind: 'redis', address: listen }] },
      },
    ],
  });
  await rendering.until('current');
  t.equal(await whoAt(listen), '0');
  const { pid } = proxy;
  await moveTo(consul, servers[1].address, 2);
  await untilAt(listen, '1');
  t.not(proxy.pid, pid);
  await rendering.until('current');
});

t.test(
  'way 1, supervised: the daemon keeps twemproxy, restarts it when it dies, and ends it with itself',
  async (t) => {
    const { consul, servers, listen, folder } = await twoServers(t, { sandbox, name: 'own' });
    const stats = await sandbox.address();
    const argv = ['nutcracker', '-c', '{{file}}', '-a', stats.host, '-s', String(stats.port)];
    const pidFile = join(folder, 'pid');
    const rendering = startRendering(t, {
      consul,
      folder,
      specs: [
        {
          name: 'nutcracker.yml',
          template: 'twemproxy.yml.hbs',
          vars: { listen: `${listen.host}:${listen.port}` },
          check: testConfig,
          reload: {
            kind: 'supervise',
            command: { argv: sh(`echo $$ > ${pidFile}; exec "$@"`).concat('sh', ...argv) },
            change: { kind: 'restart' },
          },
          verify: { probes: [{ kind: 'redis', address: listen }] },
        },
      ],
    });
    await rendering.until('current');
    const pidOf = () => Number(existsSync(pidFile) ? readFileSync(pidFile, 'utf8') : 0);
    const first = pidOf();
    await moveTo(consul, servers[1].address, 2);
    await untilAt(listen, '1');
    await rendering.until('current');
    const second = pidOf();
    t.not(second, first);
    process.kill(second, 'SIGKILL');
    await waitFor('another process', pidOf, { until: (pid) => pid !== second && pid !== 0 });
    await untilAt(listen, '1');
    const last = pidOf();
    await rendering.stop();
    t.throws(() => process.kill(last, 0), { code: 'ESRCH' });
  },
);

t.test('way 3: over twenty failovers twemproxy is not restarted once', async (t) => {
  const { consul, servers, listen, folder } = await twoServers(t, { sandbox, name: 'still' });
  const shard = await sandbox.address();
  const socket = join(sandbox.folder, 'still.sock');
  const [haproxyFile, twemproxyFile] = [join(folder, 'haproxy.cfg'), join(folder, 'nutcracker.yml')];
  const haproxy = await sandbox.haproxy({
    name: 'still-haproxy',
    configFile: haproxyFile,
    listen: shard,
    start: 'later',
  });
  const twemproxy = await sandbox.nutcracker({ name: 'still', configFile: twemproxyFile, listen, start: 'later' });
  const vars = { bind: shard.host, haproxy: shard.host, ports: { shard1: shard.port } };
  const rendering = startRendering(t, {
    consul,
    folder,
    resyncMs: 200,
    specs: [
      {
        name: 'haproxy.cfg',
        template: 'haproxy.cfg.hbs',
        vars: { ...vars, stats_socket: socket },
        check: { argv: ['haproxy', '-c', '-f', '{{file}}'] },
        reload: { kind: 'haproxy', socket, fallback: { argv: haproxy.reloadCommand } },
        verify: { probes: [{ kind: 'redis', address: shard, master: 'shard1' }] },
      },
      {
        name: 'nutcracker.yml',
        template: 'twemproxy-stable.yml.hbs',
        vars: { ...vars, listen: `${listen.host}:${listen.port}` },
        check: testConfig,
        reload: command(...twemproxy.restartCommand),
        verify: { probes: [{ kind: 'redis', address: listen }] },
      },
    ],
  });
  await rendering.until('current', 'haproxy.cfg');
  await rendering.until('current', 'nutcracker.yml');
  t.equal(await whoAt(listen), '0');
  const pids = [haproxy.pid, twemproxy.pid];
  for (let epoch = 2; epoch <= 21; epoch++) {
    const who = (epoch + 1) % 2;
    await moveTo(consul, (servers[who] as RedisServer).address, epoch);
    await untilAt(listen, String(who));
  }
  t.same([haproxy.pid, twemproxy.pid], pids);
  const written = rendering.reports.filter(
    ({ key, outcome }) => key === 'nutcracker.yml' && outcome.kind === 'applied',
  );
  t.equal(written.length, 1);
});
