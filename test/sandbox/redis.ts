import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, formatAddress, sameAddress } from '../../lib/model/address.ts';
import type { Ground } from './ground.ts';
import { type Reply, redisCli } from './resp.ts';
import { Server, type ServerSpec } from './server.ts';

/** Settings of redis.conf, which override the sandbox's own. */
export type RedisConfig = Record<string, string>;

/** A Redis server of a shard. Its present role comes from Redis (`role`). */
export class RedisServer extends Server {
  readonly address: Address;
  readonly #password: string | undefined;

  constructor(spec: ServerSpec, at: { address: Address; password: string | undefined; replicaOf?: Address }) {
    super({ ...spec, ready: () => this.#ready(at.replicaOf) });
    this.address = at.address;
    this.#password = at.password;
  }

  /** Sends one command over a connection of its own. */
  command(...args: (string | number)[]): Promise<Reply> {
    return redisCli(this.address, args, { password: this.#password });
  }

  /** What `ROLE` answers. */
  async role(): Promise<'master' | 'replica'> {
    const reply = await this.command('ROLE');
    return Array.isArray(reply) && reply[0] === 'master' ? 'master' : 'replica';
  }

  async #ready(replicaOf: Address | undefined): Promise<boolean> {
    if ((await this.command('PING')) !== 'PONG') return false;
    if (replicaOf === undefined) return true;
    // After a failover it may be a master, because Sentinel rewrote its config file.
    const role = await this.command('ROLE');
    return Array.isArray(role) && (role[0] === 'master' || role[3] === 'connected');
  }
}

/** A master with its replicas, as they were started. */
export class Shard {
  /** Sentinel's master name. */
  readonly name: string;
  /** The server that was started as master. */
  readonly master: RedisServer;
  /** The servers that were started as its replicas. */
  readonly replicas: readonly RedisServer[];
  readonly password: string | undefined;

  constructor(
    name: string,
    {
      master,
      replicas,
      password,
    }: { master: RedisServer; replicas: readonly RedisServer[]; password: string | undefined },
  ) {
    this.name = name;
    this.master = master;
    this.replicas = replicas;
    this.password = password;
  }

  get servers(): readonly RedisServer[] {
    return [this.master, ...this.replicas];
  }

  /** The server at an address. Throws if it belongs to another shard. */
  at(address: Address): RedisServer {
    const server = this.servers.find((candidate) => sameAddress(candidate.address, address));
    if (server === undefined) throw new Error(`${formatAddress(address)} is no server of ${this.name}`);
    return server;
  }
}

export type ShardOptions = {
  /** Sentinel's master name; also the start of its servers' names. */
  name: string;
  /** Default 1. */
  replicas?: number;
  /** For clients and for replication. */
  password?: string;
  config?: RedisConfig;
  /** Default `redis-server`; another program on PATH or in `.tools/bin`, such as `valkey-server`. */
  program?: string;
};

/** Starts a master and its replicas. Every link of a replica is up when it resolves. */
export async function startShard(ground: Ground, options: ShardOptions): Promise<Shard> {
  const { name, replicas: count = 1, password } = options;
  const master = await redisServer(ground, { ...options, name: `${name}-a` });
  const replicas: RedisServer[] = [];
  for (let index = 0; index < count; index += 1) {
    const letter = String.fromCharCode('b'.charCodeAt(0) + index);
    replicas.push(await redisServer(ground, { ...options, name: `${name}-${letter}`, replicaOf: master.address }));
  }
  await master.start();
  await Promise.all(replicas.map((replica) => replica.start()));
  return new Shard(name, { master, replicas, password });
}

/** A Redis server, not yet started. */
async function redisServer(
  ground: Ground,
  { name, password, config = {}, program = 'redis-server', replicaOf }: ShardOptions & { replicaOf?: Address },
): Promise<RedisServer> {
  const address = await ground.addresses.next();
  const dir = join(ground.folder, name);
  mkdirSync(dir, { recursive: true });
  const settings: RedisConfig = {
    ...commonConfig(address, dir),
    save: '""',
    appendonly: 'no',
    'repl-diskless-sync': 'yes',
    'repl-diskless-sync-delay': '0',
    ...(password === undefined ? {} : { requirepass: password, masterauth: password }),
    ...(replicaOf === undefined ? {} : { replicaof: `${replicaOf.host} ${replicaOf.port}` }),
    ...config,
  };
  const configFile = join(dir, 'redis.conf');
  writeFileSync(configFile, formatConfig(settings));
  const spec = ground.server(name, [program, configFile]);
  return new RedisServer(spec, { address, password, ...(replicaOf === undefined ? {} : { replicaOf }) });
}

/** Settings that Redis and Sentinel share. */
export function commonConfig({ host, port }: Address, dir: string): RedisConfig {
  return {
    bind: host,
    port: String(port),
    dir,
    'protected-mode': 'no',
    // Outgoing connections come from its own address, from which Redis and Sentinel learn each other's address.
    'bind-source-addr': host,
    // A process title would overwrite the environment, by which the reaper knows its processes.
    'set-proc-title': 'no',
  };
}

export function formatConfig(settings: RedisConfig): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}
