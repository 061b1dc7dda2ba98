// A sandbox is a small infrastructure of real servers on loopback addresses of its own. README.md describes its use.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Address } from '../../lib/model/address.ts';
import { type ConsulAgent, type ConsulConfig, consulAgent, consulPorts } from './consul.ts';
import { ControlDesk } from './control.ts';
import { type Daemon, type DaemonOptions, placeDaemon, switchmaster } from './daemon.ts';
import { Ground } from './ground.ts';
import { LocalDaemon, type LocalDaemonOptions } from './local-daemon.ts';
import { haproxy, nutcracker, type ProxyOptions, type ProxyServer } from './proxy.ts';
import { type Shard, type ShardOptions, startShard } from './redis.ts';
import { type SentinelOptions, type SentinelServer, startSentinels } from './sentinel.ts';
import { Server, type ServerSpec } from './server.ts';
import { type SimulatedRedis, type SimulatedRedisOptions, startSimulatedRedis } from './simulated-redis.ts';

export type SandboxOptions = {
  /** Part of the folder's name. */
  name: string;
  /** The first three octets of its addresses, all of which this network namespace has. Default: a free `127.x.y`. */
  network?: string;
};

/** The part of a tap test that a sandbox uses. */
export type TestLike = {
  passing(): boolean;
  comment(...lines: unknown[]): unknown;
  teardown(fn: () => Promise<void>): unknown;
};

export class Sandbox {
  readonly name: string;
  readonly #ground: Ground;
  readonly #desk: ControlDesk;
  readonly #servers: Server[] = [];
  readonly #localDaemons: LocalDaemon[] = [];

  private constructor(name: string, ground: Ground) {
    this.name = name;
    this.#ground = ground;
    this.#desk = new ControlDesk(ground);
  }

  /** An empty sandbox. Its folder and its servers end when it is closed, or when this process ends in any way. */
  static async open({ name, network }: SandboxOptions): Promise<Sandbox> {
    return new Sandbox(name, await Ground.open(name, network));
  }

  /** An empty sandbox that closes with the test. If the test failed, it prints the end of every server's log. */
  static async openFor(t: TestLike, options: SandboxOptions): Promise<Sandbox> {
    const sandbox = await Sandbox.open(options);
    t.teardown(async () => {
      if (!t.passing()) t.comment(sandbox.logTails());
      await sandbox.close();
    });
    return sandbox;
  }

  /** The folder of configs, logs and data. */
  get folder(): string {
    return this.#ground.folder;
  }

  /** The servers started so far. */
  get servers(): readonly Server[] {
    return this.#servers;
  }

  /** Environment for programs that must find the sandbox's programs and end with it. */
  get env(): NodeJS.ProcessEnv {
    return this.#ground.env;
  }

  /** A fresh loopback IP, to connect from. */
  host(): string {
    return this.#ground.addresses.host();
  }

  /** A fresh loopback IP with a fresh port, for a listener of the caller's own. */
  address(): Promise<Address> {
    return this.#ground.addresses.next();
  }

  /** The path of a name in the folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a file into the folder and answers its path. */
  write(name: string, text: string): string {
    const path = this.path(name);
    writeFileSync(path, text);
    return path;
  }

  /** A Consul dev agent that is leader and answers. It keeps its data in memory, so a restart empties it. */
  async consul({ name = 'consul', config }: { name?: string; config?: ConsulConfig } = {}): Promise<ConsulAgent> {
    const host = this.#ground.addresses.host();
    const ports = await consulPorts(this.#ground, host);
    const agent = consulAgent(this.#ground, { name, mode: 'dev', host, ports, ...(config && { config }) });
    await this.#add(agent).start();
    return agent;
  }

  /** Consul servers with data on disk, which survives restarts; a leader is elected. Default 3. */
  async consulServers({ count = 3, config }: { count?: number; config?: ConsulConfig } = {}): Promise<ConsulAgent[]> {
    const places = [];
    for (let index = 1; index <= count; index += 1) {
      const host = this.#ground.addresses.host();
      places.push({ name: `consul-${index}`, host, ports: await consulPorts(this.#ground, host) });
    }
    const join = places.map(({ host, ports }) => ({ host, port: ports.serf_lan }));
    const agents = places.map((place) =>
      consulAgent(this.#ground, { ...place, mode: 'server', expect: count, join, ...(config && { config }) }),
    );
    await Promise.all(agents.map((agent) => this.#add(agent).start()));
    return agents;
  }

  /** A Consul client agent, joined to the servers. */
  async consulClient({
    name = 'consul-client',
    join,
    config,
  }: {
    name?: string;
    join: readonly ConsulAgent[];
    config?: ConsulConfig;
  }): Promise<ConsulAgent> {
    const host = this.#ground.addresses.host();
    const ports = await consulPorts(this.#ground, host);
    const agent = consulAgent(this.#ground, {
      name,
      mode: 'client',
      host,
      ports,
      join: join.map(({ serf }) => serf),
      ...(config && { config }),
    });
    await this.#add(agent).start();
    return agent;
  }

  /** A Redis master with replicas (default 1) that are in sync. */
  async redis(options: ShardOptions): Promise<Shard> {
    const shard = await startShard(this.#ground, options);
    for (const server of shard.servers) this.#add(server);
    return shard;
  }

  /** One process in the place of many masters and replicas, for sizes that real servers do not reach on this machine. */
  async simulatedRedis(options: SimulatedRedisOptions): Promise<SimulatedRedis> {
    return this.#add(await startSimulatedRedis(this.#ground, options));
  }

  /** Sentinels (default 3) that monitor the shards and know each other and the replicas. */
  async sentinels(options: SentinelOptions): Promise<SentinelServer[]> {
    const sentinels = await startSentinels(this.#ground, options);
    for (const sentinel of sentinels) this.#add(sentinel);
    return sentinels;
  }

  async haproxy(options: ProxyOptions): Promise<ProxyServer> {
    return this.#add(await haproxy(this.#ground, this.#desk, options));
  }

  async nutcracker(options: ProxyOptions): Promise<ProxyServer> {
    return this.#add(await nutcracker(this.#ground, this.#desk, options));
  }

  /** `switchmaster run` with a config. */
  async switchmaster(options: DaemonOptions): Promise<Daemon> {
    return this.#add(await switchmaster(this.#ground, options));
  }

  /** The daemon in this process, started and ready, where the process itself is not what is tested. */
  async localDaemon(options: LocalDaemonOptions): Promise<LocalDaemon> {
    const { name = 'switchmaster', config, ready } = options;
    const daemon = new LocalDaemon(name, await placeDaemon(this.#ground, { name, config }));
    this.#localDaemons.push(daemon);
    await daemon.start(ready);
    return daemon;
  }

  /** Any other program as one of the sandbox's servers, not yet started. */
  program(spec: Omit<ServerSpec, 'folder' | 'env' | 'closing'>): Server {
    return this.#add(new Server({ ...this.#ground.server(spec.name, spec.argv), ...spec }));
  }

  /** A command (argv) that runs `action` in this process and exits 0 when it has ended: a test's own reload command. */
  command(name: string, action: () => Promise<void>): Promise<string[]> {
    return this.#desk.command(name, action);
  }

  /** The end of every server's log. */
  logTails(options: { lines?: number } = {}): string {
    return [...this.#servers, ...this.#localDaemons].map((server) => server.logTail(options)).join('\n');
  }

  /** Kills every process and removes the folder. Closing twice does nothing. */
  async close(): Promise<void> {
    const stops = await Promise.allSettled(this.#localDaemons.map((daemon) => daemon.stop()));
    await this.#ground.close();
    for (const stop of stops) if (stop.status === 'rejected') throw stop.reason;
    await this.#desk.settled();
  }

  #add<T extends Server>(server: T): T {
    this.#servers.push(server);
    return server;
  }
}
