import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { dnsA, dnsSrv, type SrvAnswer } from './dns.ts';
import type { Ground } from './ground.ts';
import { Server } from './server.ts';

/** Keys of Consul's agent configuration, which override the sandbox's own. */
export type ConsulConfig = Record<string, unknown>;

type Ports = { http: number; dns: number; server: number; serf_lan: number; serf_wan: number };

const requestTimeoutMs = 15_000;

/** A running Consul agent, with requests that do not use the client library. */
export class ConsulAgent extends Server {
  readonly http: Address;
  readonly dns: Address;
  /** Where other agents join it. */
  readonly serf: Address;
  /** Its name in the catalog. */
  readonly nodeName: string;
  readonly #dataDir: string;

  constructor(
    spec: ConstructorParameters<typeof Server>[0],
    at: { host: string; ports: Ports; nodeName: string; dataDir: string },
  ) {
    super({ ...spec, ready: () => this.#ready() });
    this.http = { host: at.host, port: at.ports.http };
    this.dns = { host: at.host, port: at.ports.dns };
    this.serf = { host: at.host, port: at.ports.serf_lan };
    this.nodeName = at.nodeName;
    this.#dataDir = at.dataDir;
  }

  /** `http://host:port` */
  get url(): string {
    return `http://${formatAddress(this.http)}`;
  }

  /** GET. Returns the parsed answer, or undefined for 404. Throws for any other status. */
  async get<T = unknown>(path: string): Promise<T | undefined> {
    return (await this.#request('GET', path)) as T | undefined;
  }

  /** PUT. A body that is no string is sent as JSON. */
  async put<T = unknown>(path: string, body: unknown = ''): Promise<T | undefined> {
    return (await this.#request('PUT', path, body)) as T | undefined;
  }

  async delete(path: string): Promise<void> {
    await this.#request('DELETE', path);
  }

  /** A key's value, or undefined if there is no such key. */
  async key(name: string): Promise<string | undefined> {
    const entries = await this.get<{ Value: string | null }[]>(`/v1/kv/${encodeKey(name)}`);
    const entry = entries?.[0];
    return entry === undefined ? undefined : Buffer.from(entry.Value ?? '', 'base64').toString('utf8');
  }

  async putKey(name: string, value: string): Promise<void> {
    await this.put(`/v1/kv/${encodeKey(name)}`, value);
  }

  /** Addresses of a name in Consul's DNS, sorted; empty if it has none. */
  dnsA(name: string): Promise<string[]> {
    return dnsA(this.dns, name);
  }

  /** SRV answers of a name in Consul's DNS, sorted; empty if it has none. */
  dnsSrv(name: string): Promise<SrvAnswer[]> {
    return dnsSrv(this.dns, name);
  }

  /** Removes its data, while it is stopped. */
  wipe(): void {
    rmSync(this.#dataDir, { recursive: true, force: true });
    mkdirSync(this.#dataDir);
  }

  async #ready(): Promise<boolean> {
    const leader = await this.get<string>('/v1/status/leader');
    const node = await this.get<{ Node: unknown } | null>(`/v1/catalog/node/${this.nodeName}`);
    return Boolean(leader) && Boolean(node?.Node);
  }

  async #request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      signal: AbortSignal.timeout(requestTimeoutMs),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`consul answered ${response.status} to ${method} ${path}: ${text.slice(0, 500)}`);
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  }
}

export type AgentOptions = {
  name: string;
  mode: 'dev' | 'server' | 'client';
  /** Servers to expect; `server` only. */
  expect?: number;
  /** Other agents' serf addresses. */
  join?: readonly Address[];
  host: string;
  ports: Ports;
  config?: ConsulConfig;
};

/** Every port of an agent, all explicit: the defaults would collide with those of another agent. */
export async function consulPorts(ground: Ground, host: string): Promise<Ports> {
  const port = () => ground.addresses.port(host);
  return {
    http: await port(),
    dns: await port(),
    server: await port(),
    serf_lan: await port(),
    serf_wan: await port(),
  };
}

/** An agent, not yet started. */
export function consulAgent(ground: Ground, options: AgentOptions): ConsulAgent {
  const { name, mode, host, ports, join: joined = [], expect = 1, config = {} } = options;
  const dataDir = join(ground.folder, `${name}-data`);
  mkdirSync(dataDir, { recursive: true });
  const configFile = join(ground.folder, `${name}.json`);
  const { ports: morePorts, ...moreConfig } = config;
  const grpcTls = consulMinor(ground.env) >= 14 ? { grpc_tls: -1 } : {};
  const settings = {
    node_name: name,
    bind_addr: host,
    client_addr: host,
    ports: { ...ports, https: -1, grpc: -1, ...grpcTls, ...(morePorts as object | undefined) },
    disable_update_check: true,
    // Several agents share this machine's id.
    disable_host_node_id: true,
    performance: { raft_multiplier: 1 },
    retry_join: joined.map(formatAddress),
    retry_interval: '250ms',
    skip_leave_on_interrupt: true,
    leave_on_terminate: false,
    ...(mode === 'dev' ? {} : { data_dir: dataDir, server: mode === 'server' }),
    ...(mode === 'server' ? { bootstrap_expect: expect } : {}),
    ...moreConfig,
  };
  writeFileSync(configFile, JSON.stringify(settings, undefined, 2));
  const argv = ['consul', 'agent', ...(mode === 'dev' ? ['-dev'] : []), '-config-file', configFile] as const;
  const server = ground.server(name, ['consul', ...argv.slice(1)]);
  return new ConsulAgent(
    // Fewer garbage collections, which take a fifth of a short agent's CPU time.
    { ...server, env: { ...server.env, GOGC: '400' }, readyTimeoutMs: 45_000 },
    { host, ports, nodeName: name, dataDir },
  );
}

let knownMinor: number | undefined;

function consulMinor(env: NodeJS.ProcessEnv): number {
  if (knownMinor === undefined) {
    const version = execFileSync('consul', ['version'], { encoding: 'utf8', timeout: 60_000, env });
    const [, major, minor] = /v(\d+)\.(\d+)/.exec(version) ?? [];
    knownMinor = Number(major) > 1 ? 99 : Number(minor);
  }
  return knownMinor;
}

function encodeKey(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}
