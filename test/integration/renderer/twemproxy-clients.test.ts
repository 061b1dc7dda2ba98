import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, makeFolder, startRendering } from '../support/rendering.ts';
import { moveTo, testConfig, twoServers, untilAt } from '../support/twemproxy.ts';

const sandbox = await Sandbox.openFor(t, { name: 'twemproxy-clients' });

t.test('500 idle connections through HAProxy and twemproxy behind it: none is left on the old master', async (t) => {
  const { consul, servers, listen, folder } = await twoServers(t, { sandbox, name: 'behind' });
  const front = await sandbox.address();
  const file = join(folder, 'nutcracker.yml');
  const twemproxy = await sandbox.nutcracker({ name: 'behind', configFile: file, listen, start: 'later' });
  const config = join(sandbox.folder, 'front.cfg');
  writeFileSync(
    config,
    `defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1h\n  timeout server 1h\n` +
      `listen front\n  bind ${front.host}:${front.port}\n  server one ${listen.host}:${listen.port}\n`,
  );
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [
      {
        name: 'nutcracker.yml',
        template: 'twemproxy.yml.hbs',
        vars: { listen: `${listen.host}:${listen.port}`, server_connections: 5 },
        check: testConfig,
        reload: command(...twemproxy.restartCommand),
      },
    ],
  });
  await rendering.until('current');
  await sandbox.haproxy({ name: 'front', configFile: config, listen: front });
  const client = `
    const { connect } = require('node:net');
    let open = 0;
    for (let i = 0; i < 500; i++) {
      const socket = connect(${front.port}, '${front.host}');
      socket.on('error', () => {});
      socket.write('*2\\r\\n$3\\r\\nGET\\r\\n$3\\r\\nwho\\r\\n');
      socket.once('data', () => { if (++open === 500) console.log('open'); });
      socket.once('close', () => { if (--open === 0) console.log('closed'); });
    }`;
  const idle = spawn(process.execPath, ['-e', client], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => idle.kill('SIGKILL'));
  let said = '';
  idle.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await waitFor('the connections', () => said.includes('open'));
  await moveTo(consul, servers[1].address, 2);
  await waitFor('all to be closed', () => said.includes('closed'));
  const list = String(await servers[0].command('CLIENT', 'LIST'));
  t.equal(list.split('\n').filter((line) => line.includes('cmd=get')).length, 0);
  await untilAt(front, '1');
});

t.test('way 2: a pair behind HAProxy, restarted one after the other, drained first, loses no request', async (t) => {
  const { consul, listen: first } = await twoServers(t, { sandbox, name: 'pair' });
  const [second, front] = await Promise.all([sandbox.address(), sandbox.address()]);
  const socket = join(sandbox.folder, 'pair.sock');
  const config = sandbox.path('pair.cfg');
  writeFileSync(
    config,
    `global\n  stats socket ${socket} level admin\n` +
      `defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1m\n  timeout server 1m\n` +
      `listen pair\n  bind ${front.host}:${front.port}\n` +
      `  server one ${first.host}:${first.port} check inter 50ms\n  server two ${second.host}:${second.port} check inter 50ms\n`,
  );
  await consul.putKey('timeout', '400');
  const bundled = readFileSync(join(import.meta.dirname, '../../../templates/twemproxy.yml.hbs'), 'utf8');
  const template = bundled.replace('{{default settings.timeout 400}}', '{{key "timeout"}}');
  t.match(template, '{{key "timeout"}}', 'the file depends on the key');
  const nodes = await Promise.all(
    (
      [
        ['one', first],
        ['two', second],
      ] as const
    ).map(async ([name, listen]) => {
      const folder = join(sandbox.folder, `node-${name}`);
      mkdirSync(folder);
      const proxy = await sandbox.nutcracker({
        name: `pair-${name}`,
        configFile: join(folder, 'n.yml'),
        listen,
        start: 'later',
      });
      const spec = {
        name: 'n.yml',
        template,
        vars: { listen: `${listen.host}:${listen.port}` },
        wait: { minMs: 1, maxMs: 5 },
        check: testConfig,
        reload: { ...command(...proxy.restartCommand), drain: { socket, servers: [`pair/${name}`], timeoutMs: 2_000 } },
        verify: { probes: [{ kind: 'redis', address: listen }] },
        rolling: { limit: 1, group: 'pair' },
      } as const;
      const rendering = startRendering(t, { consul, folder, specs: [spec], queue: 'on' });
      await rendering.until('current');
      return { rendering, proxy };
    }),
  );
  await sandbox.haproxy({ name: 'pair-haproxy', configFile: config, listen: front });
  const pids = nodes.map(({ proxy }) => proxy.pid);
  const asked = { good: 0, bad: [] as unknown[], state: 'on' as 'on' | 'off' };
  // Without this a failed wait leaves the loop below running until tap kills the file.
  t.teardown(() => {
    asked.state = 'off';
  });
  const asking = (async () => {
    while (asked.state === 'on') {
      // A connection for each request, as applications with short sessions have them.
      await redisCli(front, ['GET', 'who'], { timeoutMs: 15_000 }).then(
        () => (asked.good += 1),
        (error) => asked.bad.push(error),
      );
    }
  })();
  await consul.putKey('timeout', '500');
  for (const [i, { rendering, proxy }] of nodes.entries()) {
    await waitFor('the restart', () => proxy.pid, { until: (pid) => pid !== undefined && pid !== pids[i] });
    await rendering.until('current');
  }
  asked.state = 'off';
  await asking;
  t.same(asked.bad, []);
  t.ok(asked.good > 20, `${asked.good} requests`);
});

t.test('a Redis with a password: twemproxy has it from a file, and no output has it', async (t) => {
  const password = 'correct#horse\\1:';
  const [consul, shard, listen] = await Promise.all([
    sandbox.consul({ name: 'consul-password' }),
    sandbox.redis({ name: 'locked', replicas: 0, password }),
    sandbox.address(),
  ]);
  await moveTo(consul, shard.master.address, 1);
  const passwordFile = sandbox.write('redis.password', `${password}\n`);
  const destination = join(makeFolder(t), 'nutcracker.yml');
  const at = `${listen.host}:${listen.port}`;
  const daemon = await sandbox.localDaemon({
    name: 'locked-daemon',
    config: {
      consul: { address: consul.url },
      templates: [
        {
          source: 'twemproxy.yml.hbs',
          destination,
          vars: { listen: at, redis_auth_file: passwordFile },
          mode: '0640',
          check: ['sh', '-c', 'cat "$0"; exec nutcracker --test-conf --conf-file "$0"', '{{file}}'],
          reload: { supervise: ['nutcracker', '--conf-file', '{{file}}'] },
          verify: { redis: { address: at, passwordFile } },
        },
      ],
    },
  });
  const name = '/v1/templates/nutcracker.yml';
  await waitFor('twemproxy to work', () => daemon.get('/v1/templates'), {
    until: ({ body }) => (body as { templates: { state: string }[] }).templates[0]?.state === 'current',
  });
  t.equal(await redisCli(listen, ['SET', 'a', '1'], { password }), 'OK');
  t.equal(await shard.master.command('GET', 'a'), '1');
  await t.rejects(redisCli(listen, ['GET', 'a']), /NOAUTH/, 'clients need it too');
  t.match(readFileSync(destination, 'utf8'), 'redis_auth: "correct#horse\\\\1:"');
  t.equal(statSync(destination).mode & 0o777, 0o640);
  t.equal((await daemon.get(name)).status, 401);
  for (const path of ['/v1/templates', '/v1/history', name])
    t.notMatch(JSON.stringify(await daemon.get(path)), 'horse');
  await daemon.stop();
  t.notMatch(daemon.log(), 'horse');
});
