import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../../sandbox/condition.ts';
import { pairs, type Reply, redisCli } from '../../sandbox/resp.ts';
import type { Server } from '../../sandbox/server.ts';
import { projectDir } from '../pages.ts';
import type { Machine } from './machine.ts';
import { type Units, upgradedFile } from './units.ts';

/* Servers of a guide's machines, each as a unit of its machine, with its config below /etc. */

export interface RedisPlace {
  readonly machine: Machine;
  readonly port?: number;
  /** Of its master. */
  readonly replicaOf?: string;
  readonly lines?: readonly string[];
}

/** A Redis: unit `redis-server`, or `redis-server@PORT` for another port than 6379. */
export async function startRedis(units: Units, place: RedisPlace): Promise<void> {
  const { machine, port = 6379, replicaOf, lines = [] } = place;
  const unit = port === 6379 ? 'redis-server' : `redis-server@${port}`;
  const file = port === 6379 ? '/etc/redis/redis.conf' : `/etc/redis/redis-${port}.conf`;
  const replication = replicaOf === undefined ? [] : [`replicaof ${replicaOf.replace(':', ' ')}`];
  const own = [`port ${port}`, `dir /run/${unit}`, 'save ""', 'repl-diskless-sync-delay 0', ...replication, ...lines];
  machine.write(file, configLines([`bind 0.0.0.0`, ...own]));
  await machine.run(`mkdir -p /run/${unit}`);
  const at = { host: machine.ip, port };
  const ready = async () => {
    const role = await redisCli(at, ['ROLE']);
    return Array.isArray(role) && (role[0] === 'master' || role[3] === 'connected');
  };
  const server = machine.program({ name: unit, argv: newest('redis-server', file), ready });
  units.add(machine, unit, { server });
  await server.start();
}

export interface Monitored {
  readonly name: string;
  readonly master: string;
}

/** A Sentinel on each machine, which know each other and the replicas when this resolves. */
export async function startSentinels(
  units: Units,
  {
    machines,
    masters,
    downAfterMs = 1_000,
  }: { readonly machines: readonly Machine[]; readonly masters: readonly Monitored[]; readonly downAfterMs?: number },
): Promise<void> {
  const quorum = Math.floor(machines.length / 2) + 1;
  const monitors = masters.flatMap(({ name, master }) => [
    `sentinel monitor ${name} ${master.replace(':', ' ')} ${quorum}`,
    `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
    `sentinel failover-timeout ${name} 10000`,
  ]);
  for (const machine of machines) {
    const file = '/etc/redis/sentinel.conf';
    machine.write(file, configLines(['bind 0.0.0.0', 'port 26379', 'dir /run', ...monitors]));
    const ready = async () => (await redisCli({ host: machine.ip, port: 26379 }, ['PING'])) === 'PONG';
    const server = machine.program({ name: 'redis-sentinel', argv: newest('redis-sentinel', file), ready });
    units.add(machine, 'redis-sentinel', { server });
  }
  const asked = machines.map(({ ip }) => ({ host: ip, port: 26379 }));
  await Promise.all(machines.map(({ name }) => units.get(name, 'redis-sentinel').server.start()));
  const greetEvery = (ms: number) =>
    Promise.all(asked.map((at) => redisCli(at, ['SENTINEL', 'DEBUG', 'publish-period', ms])));
  await greetEvery(100);
  for (const at of asked)
    for (const { name } of masters)
      await waitFor(
        `the Sentinel at ${at.host} to know all of ${name}`,
        () => redisCli(at, ['SENTINEL', 'MASTER', name]),
        {
          until: (reply: Reply) => {
            const master = pairs(reply);
            return master['num-other-sentinels'] === String(machines.length - 1) && master['num-slaves'] === '1';
          },
        },
      );
  await greetEvery(2_000);
}

/** Redis 8 after the `apt-get install` that units.ts puts in apt's place. */
function newest(program: 'redis-server' | 'redis-sentinel', file: string): readonly string[] {
  const newer = program.replace('redis', 'redis8');
  return [
    'sh',
    '-c',
    `if [ -e ${upgradedFile(program)} ]; then exec ${newer} ${file}; else exec ${program} ${file}; fi`,
  ];
}

/** Redis and Sentinel rewrite these files. A process title would overwrite the environment, by which they are found at the end. */
function configLines(lines: readonly string[]): string {
  return [...lines, 'protected-mode no', 'set-proc-title no', ''].join('\n');
}

/** A Consul agent with its usual ports: unit `consul`. `config` goes to /etc/consul.d/guide.json. */
export async function startConsul(
  units: Units,
  machine: Machine,
  { argv, config = {} }: { readonly argv: readonly string[]; readonly config?: Record<string, unknown> },
): Promise<void> {
  const own = {
    disable_update_check: true,
    disable_host_node_id: true,
    performance: { raft_multiplier: 1 },
    ...config,
  };
  machine.write('/etc/consul.d/guide.json', JSON.stringify(own));
  const where = ['-bind', machine.ip, '-client', '127.0.0.1', '-config-dir', '/etc/consul.d'];
  // It has a leader then. Its own entry in the catalog needs a token.
  const ready = async () => /Synced node info|cluster leadership acquired/.test(server.log());
  const server: Server = machine.program({ name: 'consul', argv: ['consul', 'agent', ...argv, ...where], ready });
  units.add(machine, 'consul', { server });
  await server.start();
}

/** Not yet started: unit `prometheus`, with the alert rules of `deploy/` in /etc/prometheus. */
export function installPrometheus(machine: Machine, units: Units): void {
  const rules = join(projectDir, 'deploy/prometheus/alerts.yml');
  machine.write('/etc/prometheus/alerts.yml', readFileSync(rules, 'utf8'));
  const files = ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/run/prometheus'];
  const argv = ['prometheus', ...files, '--web.listen-address=127.0.0.1:9090'];
  const server = machine.program({ name: 'prometheus', argv, ready: async () => machine.listens(9090) });
  units.add(machine, 'prometheus', { server });
}
