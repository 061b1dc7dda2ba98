// The compose file as the tests run it. It knows the keys that docker-compose.yml uses, and throws on any other, so that a
// new key cannot be ignored here and work only with Docker.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const projectDir = join(import.meta.dirname, '../..');

type Condition = 'service_started' | 'service_healthy';

export interface Mount {
  /** A path of this machine, the name of a volume, or undefined for a volume without a name. */
  readonly source: string | undefined;
  readonly target: string;
  readonly access: 'read-only' | 'read-write';
}

interface Health {
  /** argv. */
  readonly test: readonly [string, ...string[]];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
}

export interface Port {
  readonly host: string;
  readonly hostPort: number;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
}

/** Where it runs: a network of its own at an address, or the network of another service. */
type Net = { readonly kind: 'own'; readonly address: string } | { readonly kind: 'shared'; readonly service: string };

export interface Service {
  readonly name: string;
  readonly image: string;
  readonly build: { readonly context: string; readonly dockerfile: string } | undefined;
  readonly pullPolicy: string | undefined;
  readonly profile: string | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[];
  /** `name`, `uid` or `uid:gid`. Default: the image's. */
  readonly user: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly tmpfs: readonly string[];
  readonly readOnly: boolean;
  readonly capabilities: { readonly dropped: readonly string[]; readonly added: readonly string[] };
  readonly securityOptions: readonly string[];
  readonly init: boolean;
  readonly limits: { readonly memoryBytes: number; readonly pids: number; readonly cpus: number };
  readonly restart: string;
  readonly health: Health | undefined;
  /** Between SIGTERM and SIGKILL. Default: Docker's 10 s. */
  readonly stopGraceMs: number;
  readonly dependsOn: Readonly<Record<string, Condition>>;
  readonly net: Net;
  readonly ports: readonly Port[];
}

export interface ComposeFile {
  readonly services: ReadonlyMap<string, Service>;
  readonly subnet: string;
  readonly volumes: readonly string[];
  /** The commands of the comment at the top, in order. */
  readonly commands: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: the schema and compose-go check the types.
type Raw = Record<string, any>;

const knownKeys = new Set(
  'image build pull_policy profiles entrypoint command user environment volumes tmpfs read_only cap_drop cap_add security_opt init cpus mem_limit pids_limit restart healthcheck stop_grace_period depends_on networks network_mode ports'.split(
    ' ',
  ),
);

export function readComposeFile(path = join(projectDir, 'docker-compose.yml')): ComposeFile {
  const text = readFileSync(path, 'utf8');
  const raw = parse(text, { merge: true, maxAliasCount: -1 }) as Raw;
  const services = Object.entries(raw.services as Record<string, Raw>).map(([name, one]) => toService(name, one));
  return {
    services: new Map(services.map((service) => [service.name, service])),
    subnet: raw.networks.redis.ipam.config[0].subnet,
    volumes: Object.keys(raw.volumes),
    commands: [...text.matchAll(/^# {3}((?:docker|dig|curl|redis-cli) .*)$/gm)].map(([, line = '']) =>
      (line.split(/ {3,}/)[0] ?? '').trim(),
    ),
  };
}

/** The path of the one Dockerfile that the services name. */
export function builtFrom({ services }: ComposeFile): string {
  const built = [...services.values()].flatMap(({ build }) => build ?? []);
  const [build] = built;
  if (build === undefined || built.length > 1) throw new Error(`${built.length} services build an image, and not one`);
  return join(projectDir, build.context, build.dockerfile);
}

function toService(name: string, raw: Raw): Service {
  const unknown = Object.keys(raw).filter((key) => !knownKeys.has(key));
  if (unknown.length > 0) throw new Error(`${name}: the tests do not know ${unknown.join(', ')}`);
  const net = toNet(name, raw);
  return {
    name,
    image: raw.image,
    build: raw.build,
    pullPolicy: raw.pull_policy,
    profile: raw.profiles?.[0],
    entrypoint: raw.entrypoint,
    command: raw.command ?? [],
    user: raw.user,
    environment: raw.environment ?? {},
    mounts: (raw.volumes ?? []).map(toMount),
    tmpfs: raw.tmpfs ?? [],
    readOnly: raw.read_only ?? false,
    capabilities: { dropped: raw.cap_drop ?? [], added: raw.cap_add ?? [] },
    securityOptions: raw.security_opt ?? [],
    init: raw.init ?? false,
    limits: { memoryBytes: toBytes(raw.mem_limit), pids: raw.pids_limit, cpus: raw.cpus },
    restart: raw.restart ?? 'no',
    stopGraceMs: toMs(raw.stop_grace_period ?? '10s'),
    health: raw.healthcheck && toHealth(raw.healthcheck),
    // A service waits for the one whose network it shares, without a word in depends_on.
    dependsOn: {
      ...(net.kind === 'shared' && { [net.service]: 'service_started' as const }),
      ...toDependsOn(raw.depends_on ?? {}),
    },
    net,
    ports: (raw.ports ?? []).map(toPort),
  };
}

function toNet(name: string, { networks, network_mode: mode }: Raw): Net {
  if (networks !== undefined) return { kind: 'own', address: networks.redis.ipv4_address };
  const [kind, service] = String(mode).split(':');
  if (kind !== 'service' || service === undefined) throw new Error(`${name}: network_mode ${mode}`);
  return { kind: 'shared', service };
}

function toMount(text: string): Mount {
  const [source = '', target, mode] = text.split(':');
  if (target === undefined) return { source: undefined, target: source, access: 'read-write' };
  return { source, target, access: mode === 'ro' ? 'read-only' : 'read-write' };
}

function toHealth({ test, interval, timeout, retries }: Raw): Health {
  const [kind, ...rest] = test as string[];
  // Compose reads $$ as $.
  const words = rest.map((word) => word.replaceAll('$$', '$'));
  const argv = kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...words] : words;
  if (kind !== 'CMD' && kind !== 'CMD-SHELL') throw new Error(`healthcheck ${kind}`);
  return {
    test: argv as [string, ...string[]],
    intervalMs: toMs(interval),
    timeoutMs: toMs(timeout),
    retries,
  };
}

function toDependsOn(raw: Record<string, { condition: Condition }>): Record<string, Condition> {
  return Object.fromEntries(Object.entries(raw).map(([name, { condition }]) => [name, condition]));
}

function toPort(text: string): Port {
  const [, host, hostPort, port, protocol = 'tcp'] = /^([\d.]+):(\d+):(\d+)(?:\/(tcp|udp))?$/.exec(text) ?? [];
  if (host === undefined) throw new Error(`ports: ${text}`);
  return { host, hostPort: Number(hostPort), port: Number(port), protocol: protocol as 'tcp' | 'udp' };
}

function toMs(text: string): number {
  const [, seconds] = /^(\d+)s$/.exec(text) ?? [];
  if (seconds === undefined) throw new Error(`not a time in seconds: ${text}`);
  return Number(seconds) * 1_000;
}

function toBytes(text: string): number {
  const [, megabytes] = /^(\d+)m$/.exec(text) ?? [];
  if (megabytes === undefined) throw new Error(`not a size in megabytes: ${text}`);
  return Number(megabytes) * 1024 * 1024;
}
