import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../lib/model/address.ts';
import type { Ground } from './ground.ts';
import { redisCli } from './resp.ts';
import type { MonitoredShard } from './sentinel.ts';
import { Server, type ServerSpec } from './server.ts';

export interface SimulatedRedisOptions {
  /** Default `simulated-redis`. */
  readonly name?: string;
  readonly masters: number;
  /** Of each master. Default 1. */
  readonly replicas?: number;
  /** How many IP addresses the servers share. A master and its replicas have different ones. Default 20. */
  readonly hosts?: number;
}

/**
 * One process that speaks enough RESP for Sentinel and switchmaster to take it for many masters and replicas. Its servers hold no
 * data. It opens a listener for each server: Linux limits its connections (`ulimit -n`), of which each Sentinel takes two a server.
 */
export class SimulatedRedis extends Server {
  /** Named `shard0` and on. */
  readonly shards: readonly MonitoredShard[];
  readonly #control: Address;

  constructor(spec: ServerSpec, at: { readonly shards: readonly MonitoredShard[]; readonly control: Address }) {
    super({ ...spec, ready: async () => (await redisCli(at.control, ['PING'])) === 'PONG' });
    this.shards = at.shards;
    this.#control = at.control;
  }

  /** Ends the server at this address as a kill of its process would: connections close, new ones are refused. */
  async stopAt({ host, port }: Address): Promise<void> {
    await redisCli(this.#control, ['STOP', host, port]);
  }

  /** Starts it again, with another run id and the role that it had. */
  async startAt({ host, port }: Address): Promise<void> {
    await redisCli(this.#control, ['START', host, port]);
  }
}

/** The process, started and ready. */
export async function startSimulatedRedis(ground: Ground, options: SimulatedRedisOptions): Promise<SimulatedRedis> {
  const { name = 'simulated-redis', masters, replicas = 1, hosts: hostCount = 20 } = options;
  if (hostCount <= replicas) throw new Error('a master and its replicas need different hosts');
  const hosts = Array.from({ length: hostCount }, () => ground.addresses.host());
  const place = async (index: number) => {
    const host = hosts[index % hostCount] ?? '';
    return { host, port: await ground.addresses.port(host) };
  };
  const shards: MonitoredShard[] = [];
  for (let index = 0; index < masters; index += 1) {
    const [master, ...others] = await Promise.all(Array.from({ length: replicas + 1 }, (_, k) => place(index + k)));
    if (master === undefined) throw new Error('each shard has a master');
    shards.push({
      name: `shard${index}`,
      master: { address: master },
      replicas: others.map((address) => ({ address })),
    });
  }
  const file = join(ground.folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(shards.flatMap(listServers)));
  const control = await ground.addresses.next();
  const program = fileURLToPath(new URL('simulated/main.ts', import.meta.url));
  const argv = [process.execPath, program, file, control.host, String(control.port)] as const;
  const server = new SimulatedRedis(ground.server(name, argv), { shards, control });
  await server.start();
  return server;
}

function listServers({ master, replicas }: MonitoredShard): readonly object[] {
  return [master.address, ...replicas.map(({ address }) => ({ ...address, master: master.address }))];
}
