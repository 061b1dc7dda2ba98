import { readFileSync } from 'node:fs';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { filesOf } from '../migration-pages.ts';
import { blocksOf, projectDir, readPage } from '../pages.ts';
import { layBridge, Machine } from './machine.ts';
import { installPrometheus, startConsul, startRedis, startSentinels } from './servers.ts';
import { installServices, startCommandServer, Units } from './units.ts';

/** What a guide's reader has before the first step: the machines, by name. Steps run on the first one. */
interface Scene {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly units: Units;
}

interface Settings {
  /** Of the Redis processes. */
  readonly lines?: readonly string[];
  readonly downAfterMs?: number;
  /** Names of further machines. */
  readonly others?: readonly string[];
}

type Setter = (sandbox: Sandbox) => Promise<Scene>;

const ips = ['10.0.0.5', '10.0.0.6', '10.0.0.7', '10.0.0.8'];

/** Machines with the services that packages bring. */
async function machines(sandbox: Sandbox, names: readonly string[]): Promise<Scene> {
  const units = await Units.open(sandbox);
  await layBridge();
  const opened = await Promise.all(names.map((name, i) => Machine.open(sandbox, { name, ip: ips[i] ?? '' })));
  for (const machine of opened) installServices(machine, units);
  const [first] = opened;
  if (first !== undefined) await startCommandServer(sandbox, first);
  return { machines: new Map(opened.map((machine) => [machine.name, machine])), units };
}

/** Two masters with one replica each, a Sentinel on each machine, Consul and Debian's HAProxy on the first one. */
const sentinelScene = (sandbox: Sandbox) => twoMasters(sandbox, {});

async function twoMasters(sandbox: Sandbox, { lines = [], others = [], ...settings }: Settings): Promise<Scene> {
  const scene = await machines(sandbox, ['redis-1', 'redis-2', 'redis-3', ...others]);
  const { units } = scene;
  const [first, second, third] = three(scene);
  const consul = startConsul(units, first, { argv: ['-dev'] });
  await startRedis(units, { machine: first, lines });
  await startRedis(units, { machine: second, replicaOf: '10.0.0.5:6379', lines });
  await startRedis(units, { machine: second, port: 6380, lines });
  await startRedis(units, { machine: third, port: 6380, replicaOf: '10.0.0.6:6380', lines });
  const masters = [
    { name: 'shard1', master: '10.0.0.5:6379' },
    { name: 'shard2', master: '10.0.0.6:6380' },
  ];
  await startSentinels(units, { machines: [first, second, third], masters, ...settings });
  await units.get(first.name, 'haproxy').server.start();
  await consul;
  return scene;
}

/** The same with persistence, Sentinel's default of 30 s, and switchmaster on the first machine, which takes orders. */
const runningScene = (sandbox: Sandbox) => running(sandbox, []);

async function running(sandbox: Sandbox, others: readonly string[]): Promise<Scene> {
  const scene = await twoMasters(sandbox, { downAfterMs: 30_000, lines: ['save 3600 1'], others });
  const [first] = three(scene);
  const addresses = ips.slice(0, 3).map((ip) => `${ip}:26379`);
  const config = { sentinel: { addresses, masters: ['shard*'] }, api: { tokenFile: '/etc/switchmaster/api.token' } };
  first.write('/etc/switchmaster/switchmaster.yml', JSON.stringify(config));
  first.write('/etc/switchmaster/api.token', 'the-token-of-the-guides');
  await scene.units.get(first.name, 'switchmaster').server.start();
  return scene;
}

/** The same, and a machine of applications, which has a Consul agent, the libraries of this project and no Redis. */
async function clientScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await running(sandbox, ['app-1']);
  const app = scene.machines.get('app-1');
  if (app === undefined) throw new Error('there is no app-1');
  await app.run(`mkdir /srv/shop && ln -s ${projectDir}/node_modules /srv/shop/node_modules`);
  app.write('/etc/switchmaster/switchmaster.yml', JSON.stringify({ sentinelEndpoint: {} }));
  await startConsul(scene.units, app, { argv: ['-data-dir', '/run/consul', '-retry-join', '10.0.0.5'] });
  return scene;
}

/** Two masters as above, and on the first machine an application that reads its config again at a reload. */
async function applicationScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await sentinelScene(sandbox);
  const [first] = three(scene);
  const server = first.program({ name: 'shop', argv: ['sleep', 'infinity'], ready: async () => server.running });
  scene.units.add(first, 'shop', { server, reload: async () => {} });
  await server.start();
  return scene;
}

/** Two masters as above, and on the first machine a twemproxy whose file smitty writes. A stand-in runs in smitty's place: it does nothing. */
async function smittyScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await sentinelScene(sandbox);
  const [first] = three(scene);
  const page = await readPage('docs/guide/migrations/twemproxy-agents.md');
  const files = new Map(filesOf(page).map(({ name, text }) => [name, text]));
  first.write('/etc/smitty/smitty.yml', files.get('smitty.yml') ?? '');
  const nutcracker = files.get('nutcracker.yml') ?? '';
  first.write('/etc/nutcracker/nutcracker.yml', nutcracker.replace('10.0.0.6:6379', '10.0.0.6:6380'));
  const server = first.program({ name: 'smitty', argv: ['sleep', 'infinity'], ready: async () => server.running });
  scene.units.add(first, 'smitty', { server });
  await Promise.all([server.start(), scene.units.get(first.name, 'nutcracker').server.start()]);
  return scene;
}

/** Two masters as above, and on the first machine both proxies with the configs that the guide shows. */
async function proxiesScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await sentinelScene(sandbox);
  const { units } = scene;
  const [first] = three(scene);
  const [twemproxy, haproxy] = blocksOf(await readPage('docs/guide/existing-proxies.md'));
  const config = first.path('/etc/haproxy/haproxy.cfg');
  const web = 'frontend web\n    mode http\n    bind 127.0.0.1:8080\n    http-request return status 200\n';
  first.write('/etc/nutcracker/nutcracker.yml', twemproxy?.content ?? '');
  first.write('/etc/haproxy/haproxy.cfg', `${readFileSync(config, 'utf8')}\n${web}\n${haproxy?.content ?? ''}`);
  await Promise.all(['nutcracker', 'haproxy'].map((name) => units.get(first.name, name).server.restart()));
  return scene;
}

/** A master with a replica, and a Sentinel on each machine that monitors nothing. */
async function unmonitoredScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await machines(sandbox, ['redis-1', 'redis-2', 'redis-3']);
  const { units } = scene;
  const all = three(scene);
  const consul = startConsul(units, all[0], { argv: ['-dev'] });
  await startRedis(units, { machine: all[0] });
  await startRedis(units, { machine: all[1], replicaOf: '10.0.0.5:6379' });
  await startSentinels(units, { machines: all, masters: [] });
  await consul;
  return scene;
}

/** One master with a replica, a Sentinel on each machine, a Consul that denies everything, and Prometheus. */
async function deniedScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await machines(sandbox, ['redis-1', 'redis-2', 'redis-3']);
  const { units } = scene;
  const all = three(scene);
  const acl = { enabled: true, default_policy: 'deny' };
  const consul = startConsul(units, all[0], { argv: ['-dev'], config: { acl } });
  await startRedis(units, { machine: all[0] });
  await startRedis(units, { machine: all[1], replicaOf: '10.0.0.5:6379' });
  await startSentinels(units, { machines: all, masters: [{ name: 'shard1', master: '10.0.0.5:6379' }] });
  installPrometheus(all[0], units);
  await consul;
  return scene;
}

/** Two nodes of a Redis Cluster on each machine, not yet joined, and a Consul agent. */
async function clusterScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await machines(sandbox, ['redis-1', 'redis-2', 'redis-3']);
  const { units } = scene;
  const all = three(scene);
  await startConsul(units, all[0], { argv: ['-server', '-bootstrap-expect', '1', '-data-dir', '/run/consul'] });
  const joined = ['-data-dir', '/run/consul', '-retry-join', all[0].ip];
  await Promise.all(all.slice(1).map((machine) => startConsul(units, machine, { argv: joined })));
  const lines = ['cluster-enabled yes', 'cluster-node-timeout 2000'];
  for (const machine of all) {
    await startRedis(units, { machine, lines });
    await startRedis(units, { machine, port: 6380, lines });
  }
  return scene;
}

/** Two datacenters of Consul that know each other, each with a master, a replica on the same machine, and a Sentinel. */
async function datacentersScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await machines(sandbox, ['dc1', 'dc2']);
  const { units } = scene;
  const all = [...scene.machines.values()];
  for (const machine of all) {
    const server = ['-server', '-bootstrap-expect', '1', '-data-dir', '/run/consul'];
    const argv = [...server, '-datacenter', machine.name, '-retry-join-wan', '10.0.0.5'];
    await startConsul(units, machine, { argv });
    await startRedis(units, { machine });
    await startRedis(units, { machine, port: 6380, replicaOf: `${machine.ip}:6379` });
    const masters = [{ name: 'shard1', master: `${machine.ip}:6379` }];
    await startSentinels(units, { machines: [machine], masters });
  }
  return scene;
}

function three({ machines }: Scene): readonly [Machine, Machine, Machine] {
  const [first, second, third] = [...machines.values()];
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are three machines');
  return [first, second, third];
}

export const scenes = {
  sentinel: sentinelScene,
  running: runningScene,
  client: clientScene,
  smitty: smittyScene,
  proxies: proxiesScene,
  application: applicationScene,
  denied: deniedScene,
  unmonitored: unmonitoredScene,
  cluster: clusterScene,
  datacenters: datacentersScene,
} as const satisfies Record<string, Setter>;

export type SceneName = keyof typeof scenes;
