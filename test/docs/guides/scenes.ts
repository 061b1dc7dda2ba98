import type { Sandbox } from '../../sandbox/sandbox.ts';
import { layBridge, Machine } from './machine.ts';
import { startConsul, startRedis, startSentinels } from './servers.ts';
import { installServices, startCommandServer, Units } from './units.ts';

/** What a guide's reader has before the first step: the machines, by name. Steps run on the first one. */
export interface Scene {
  readonly machines: ReadonlyMap<string, Machine>;
  readonly units: Units;
}

type Setter = (sandbox: Sandbox) => Promise<Scene>;

const ips = ['10.0.0.5', '10.0.0.6', '10.0.0.7'];

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

/** Two masters with one replica each, a Sentinel on each machine, and Consul on the first one. */
async function sentinelScene(sandbox: Sandbox): Promise<Scene> {
  const scene = await machines(sandbox, ['redis-1', 'redis-2', 'redis-3']);
  const [first, second, third] = [...scene.machines.values()];
  if (first === undefined || second === undefined || third === undefined) throw new Error('there are three machines');
  const { units } = scene;
  const consul = startConsul(units, first, { argv: ['-dev'] });
  await startRedis(units, { machine: first });
  await startRedis(units, { machine: second, replicaOf: '10.0.0.5:6379' });
  await startRedis(units, { machine: second, port: 6380 });
  await startRedis(units, { machine: third, port: 6380, replicaOf: '10.0.0.6:6380' });
  const masters = [
    { name: 'shard1', master: '10.0.0.5:6379' },
    { name: 'shard2', master: '10.0.0.6:6380' },
  ];
  await startSentinels(units, { machines: [first, second, third], masters });
  await consul;
  return scene;
}

export const scenes = { sentinel: sentinelScene } as const satisfies Record<string, Setter>;

export type SceneName = keyof typeof scenes;
