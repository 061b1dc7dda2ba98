import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { readReloads } from '../../sandbox/haproxy-master.ts';
import { accepts } from '../../sandbox/proxy.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { mostAtOnce } from '../support/rendering.ts';
import { testSecrets } from './secrets.ts';

const sandbox = await Sandbox.openFor(t, { name: 'render-daemon' });
const consul = await sandbox.consul();

t.test('two daemons with rolling reload one after the other', async (t) => {
  await consul.putKey('setting', '0');
  const log = join(sandbox.folder, 'reloads');
  const source = sandbox.write('rolling.conf.hbs', '{{key "setting"}}\n');
  const destinations = ['one', 'two'].map((name) => sandbox.path(`${name}.conf`));
  const daemons = await Promise.all(
    destinations.map((destination, n) =>
      sandbox.localDaemon({
        name: `rolling-${n}`,
        config: {
          consul: { address: consul.url },
          templates: [
            {
              source,
              destination,
              header: false,
              reload: { command: ['/bin/sh', '-c', `echo + >> ${log}; sleep 1; echo - >> ${log}`] },
              rolling: { limit: 1, group: 'fleet' },
            },
          ],
        },
      }),
    ),
  );
  await waitFor('both files', () => destinations.every((file) => existsSync(file)));
  await consul.putKey('setting', '1');
  const states = new Set<string>();
  // Both are read each time: one waits only while the other reloads.
  await waitFor(
    'both daemons to have reloaded',
    async () => {
      const answers = await Promise.all(
        daemons.map((daemon, n) => daemon.get(`/v1/templates/${n === 0 ? 'one' : 'two'}.conf`)),
      );
      const now = answers.map(({ body }) => (body as { state: string }).state);
      for (const state of now) states.add(state);
      const written = destinations.every((destination) => readFileSync(destination, 'utf8') === '1\n');
      return written && now.every((state) => state === 'current');
    },
    { intervalMs: 5, until: (done) => done },
  );
  t.equal(readFileSync(log, 'utf8').match(/\+/g)?.length, 4);
  t.equal(mostAtOnce(readFileSync(log, 'utf8')), 1);
  t.ok(states.has('queued'), 'one of them was seen to wait');
  await waitFor('the last one to leave', () => consul.key('redis/rolling/fleet/.holders'), {
    until: (holders) => holders === '[]',
  });
  await Promise.all(daemons.map((daemon) => daemon.stop()));
});

t.test('files on a file system that hangs stop neither other templates, nor a reload, nor the end', async (t) => {
  await consul.putKey('color', 'red');
  const folder = sandbox.path('mount');
  mkdirSync(folder);
  const launcher = hangingMount(folder);
  if (spawnSync(launcher[0], [...launcher.slice(1), 'true']).status !== 0)
    return void t.pass('no mounts are permitted');
  const source = sandbox.write('color.conf.hbs', '{{key "color"}}\n');
  // More links than the threads that Node has for files, each to the file system that hangs.
  const links = ['a', 'b', 'c', 'd'].map((name) => sandbox.path(`link-${name}.conf`));
  for (const link of links) symlinkSync(join(folder, basename(link)), link);
  const [late, good] = [join(folder, 'late.conf'), sandbox.path('color.conf')];
  const templates = [...links, late, good].map((destination) => ({ source, destination, header: false }));
  const config = { consul: { address: consul.url }, journal: { file: join(folder, 'journal') }, templates };
  const daemon = await sandbox.switchmaster({ name: 'hanging', config, ready: '/live', launcher });
  const text = () => (existsSync(good) ? readFileSync(good, 'utf8') : undefined);
  await waitFor('the file', text, { until: (now) => now === 'red\n' });
  await waitFor('a report', () => daemon.get('/v1/templates/late.conf'), {
    until: ({ body }) => JSON.stringify(body).includes('does not answer within 2000 ms'),
  });
  await consul.putKey('color', 'blue');
  await waitFor('the file to follow', text, { until: (now) => now === 'blue\n' });
  daemon.writeConfig({ ...config, templates: templates.map((one) => ({ ...one, vars: { changed: true } })) });
  await daemon.kill('SIGHUP');
  await waitFor('the reload', () => daemon.logLines().some(({ msg }) => msg === 'config reloaded'));
  await consul.putKey('color', 'green');
  await waitFor('the file to follow again', text, { until: (now) => now === 'green\n' });
  await daemon.stop({ timeoutMs: 15_000 });
  t.match(daemon.logLines().at(-1), { msg: 'stopped' });
});

/** Executes a program beside a mount that hangs: the kernel waits for a FUSE server, which this shell never is. */
function hangingMount(folder: string): [string, ...string[]] {
  const mount = `mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hang ${folder}`;
  return ['unshare', '-m', 'bash', '-c', `exec 3<>/dev/fuse && ${mount} || exit 77; exec "$@"`, 'bash'];
}

t.test('a supervised program is in the log, and ends with the daemon', async (t) => {
  await consul.putKey('greeting', 'hello');
  const program = 'echo "says $(cat {{file}})"; exec sleep 1000';
  const daemon = await sandbox.switchmaster({
    name: 'supervising',
    config: {
      pidFile: sandbox.path('daemon.pid'),
      consul: { address: consul.url },
      templates: [
        {
          source: sandbox.write('program.conf.hbs', '{{key "greeting"}}\n'),
          destination: sandbox.path('program.conf'),
          header: false,
          reload: { supervise: ['/bin/sh', '-c', program] },
        },
      ],
    },
  });
  const logged = (msg: string) => daemon.logLines().filter((line) => line.msg === msg);
  const said = (line: string) =>
    waitFor(`the program to say ${line}`, () => logged('program output').some((entry) => entry.line === line));
  await said('says hello');
  t.match(logged('program started'), [{ part: 'renderer', template: 'program.conf', pid: Number }]);
  await consul.putKey('greeting', 'bye');
  await said('says bye');
  const pid = Number(logged('program started').at(-1)?.pid);
  process.kill(pid, 'SIGKILL');
  await waitFor('another start', () => logged('program started').length === 3);
  t.match(logged('program ended').at(-1), { level: 'warn', how: 'died of SIGKILL', restartMs: Number });
  const last = Number(logged('program started').at(-1)?.pid);
  t.ok(existsSync(`/proc/${last}`));
  const daemonPid = readFileSync(sandbox.path('daemon.pid'), 'utf8').trim();
  t.match(readFileSync(`/proc/${daemonPid}/cmdline`, 'utf8'), 'switchmaster');
  await daemon.stop();
  t.notOk(existsSync(sandbox.path('daemon.pid')));
  t.notOk(existsSync(`/proc/${last}`));
});

t.test(
  'signals that the daemon does not use reach the HAProxy that it supervises, and its end takes the workers too',
  async (t) => {
    const [listen, master] = [await sandbox.address(), sandbox.path('kept-master.sock')];
    await consul.putKey('maxconn', '100');
    const text = `defaults
  mode tcp
  timeout client 1s
  timeout server 1s
  timeout connect 1s
listen kept
  maxconn {{key "maxconn"}}
  bind ${listen.host}:${listen.port}
  server s1 127.0.0.1:9
`;
    const daemon = await sandbox.switchmaster({
      name: 'keeping',
      config: {
        consul: { address: consul.url },
        templates: [
          {
            source: sandbox.write('kept.cfg.hbs', text),
            destination: sandbox.path('kept.cfg'),
            reload: {
              supervise: {
                command: ['haproxy', '-W', '-S', master, '-f', '{{file}}'],
                onChange: 'SIGUSR2',
                stopSignal: 'SIGUSR1',
                stopTimeout: '5s',
              },
            },
            verify: { tcp: `${listen.host}:${listen.port}` },
          },
        ],
      },
    });
    const reloads = (count: number) =>
      waitFor(`HAProxy to have reloaded ${count} times`, () => readReloads(master), {
        until: ({ done }) => done === count,
      });
    const logged = (msg: string) => daemon.logLines().filter((line) => line.msg === msg);
    await reloads(0);
    await daemon.kill('SIGUSR2');
    await reloads(1);
    const pid = Number(logged('program started')[0]?.pid);
    t.match(logged('signal forwarded'), [{ template: 'kept.cfg', pid, signal: 'SIGUSR2' }]);
    await daemon.kill('SIGWINCH');
    await waitFor('SIGWINCH to be logged', () => logged('signal forwarded').length === 2);
    await consul.putKey('maxconn', '200');
    await reloads(2);
    t.ok(await accepts(listen), 'it serves as before');
    await daemon.stop();
    t.equal(logged('program started').length, 1, 'one process all the time');
    t.match(logged('program ended'), [{ level: 'info', how: 'exited with 0' }]);
    t.notOk(await accepts(listen));
  },
);

testSecrets(t, { sandbox, consul });

t.test('metrics name the template that is held, and the one that failed', async (t) => {
  await consul.putKey('value', 'a b');
  const daemon = await sandbox.localDaemon({
    name: 'metrics',
    ready: '/live',
    config: {
      consul: { address: consul.url },
      templates: [
        {
          source: sandbox.write('held.conf.hbs', '{{#each redisMasters}}{{address}}\n{{/each}}'),
          destination: sandbox.path('held.conf'),
        },
        { source: sandbox.write('failed.conf.hbs', '{{key "value"}}\n'), destination: sandbox.path('failed.conf') },
      ],
    },
  });
  await waitFor('both in the metrics', async () => String((await daemon.get('/metrics')).body), {
    until: (text) =>
      text.includes('switchmaster_templates{template="held.conf",state="held"} 1') &&
      text.includes('switchmaster_templates{template="failed.conf",state="invalid"} 1') &&
      /switchmaster_reconciles_total\{loop="renderer",result="held"\} [1-9]/.test(text) &&
      /switchmaster_reconciles_total\{loop="renderer",result="failed"\} [1-9]/.test(text),
  });
  t.pass();
});
