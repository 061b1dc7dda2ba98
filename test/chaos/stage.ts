import { readFileSync } from 'node:fs';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { LedgerWriter, persistentClient, sentinelClient } from '../integration/support/writing.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import type { Daemon } from '../sandbox/daemon.ts';
import type { ProxyServer } from '../sandbox/proxy.ts';
import type { Shard } from '../sandbox/redis.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';

export const token = 'chaos';
const shardNames = ['shard1', 'shard2'] as const;

/** Two shards with two replicas each, three Sentinels, a Consul with its data on disk, and three daemons. */
export interface Stage {
  readonly consul: ConsulAgent;
  readonly shards: readonly Shard[];
  readonly sentinels: readonly SentinelServer[];
  /** Two bridges; the first of them renders as well. */
  readonly bridges: readonly [Daemon, Daemon];
  /** Renders only. */
  readonly renderer: Daemon;
  readonly haproxy: ProxyServer;
  readonly twemproxy: ProxyServer;
  readonly files: Readonly<Record<'haproxy' | 'twemproxy' | 'app', string>>;
  readonly haproxySocket: string;
  readonly haproxyAt: Readonly<Record<string, Address>>;
}

/** What most of the time of a round is spent on, were it left at Sentinel's ten seconds. */
const infoPeriodMs = 1_000;

export async function startStage(sandbox: Sandbox): Promise<Stage> {
  const [consul] = await sandbox.consulServers({ count: 1 });
  if (consul === undefined) throw new Error('no consul was started');
  const shards = await Promise.all(shardNames.map((name) => sandbox.redis({ name, replicas: 2 })));
  const sentinels = await sandbox.sentinels({ count: 3, masters: shards, failoverTimeoutMs: 6_000 });
  await Promise.all(sentinels.map(hastenSentinel));
  const addresses = await Promise.all([sandbox.address(), sandbox.address(), sandbox.address()]);
  const [first, second, twemproxyAt] = addresses as [Address, Address, Address];
  const files = {
    haproxy: sandbox.path('haproxy.cfg'),
    twemproxy: sandbox.path('nutcracker.yml'),
    app: sandbox.path('app.json'),
  };
  const socket = sandbox.path('haproxy.sock');
  const haproxy = await sandbox.haproxy({ configFile: files.haproxy, listen: first, start: 'later' });
  const twemproxy = await sandbox.nutcracker({ configFile: files.twemproxy, listen: twemproxyAt, start: 'later' });
  const sentinel = { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['shard*'] };
  const base = { consul: { address: consul.url }, api: { tokenFile: sandbox.write('api.token', `${token}\n`) } };
  const ports = { shard1: first.port, shard2: second.port };
  const templates = [
    {
      source: 'haproxy.cfg.hbs',
      destination: files.haproxy,
      check: ['haproxy', '-c', '-f', '{{file}}'],
      reload: { haproxy: { socket, fallback: haproxy.reloadCommand } },
      // One address for both: the ports of the sandbox's addresses differ.
      vars: { stats_socket: socket, bind: first.host, ports },
    },
    {
      source: 'twemproxy.yml.hbs',
      destination: files.twemproxy,
      check: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'],
      reload: { command: twemproxy.restartCommand },
      vars: { listen: formatAddress(twemproxyAt) },
    },
  ];
  const [one, two, renderer] = await Promise.all([
    sandbox.switchmaster({ name: 'bridge-1', config: { ...base, sentinel, templates } }),
    sandbox.switchmaster({ name: 'bridge-2', config: { ...base, sentinel } }),
    sandbox.switchmaster({
      name: 'renderer',
      config: { ...base, templates: [{ source: 'app.json.hbs', destination: files.app }] },
    }),
  ]);
  const haproxyAt = { shard1: first, shard2: { host: first.host, port: second.port } };
  return {
    ...{ consul, shards, sentinels, renderer, haproxy, twemproxy, files, haproxyAt },
    bridges: [one, two],
    haproxySocket: socket,
  };
}

/** A Sentinel forgets it with its process. */
export async function hastenSentinel(sentinel: SentinelServer): Promise<void> {
  await sentinel.command('SENTINEL', 'DEBUG', 'info-period', infoPeriodMs);
}

/** The ways to a master whose losses are compared; `control` follows the Sentinels as most applications do. */
const writerNames = ['haproxy', 'dns', 'record', 'control'] as const;

export function startWriters(stage: Stage, prefix: string): ReadonlyMap<string, readonly LedgerWriter[]> {
  return new Map(stage.shards.map(({ name }) => [name, startWritersOf(stage, { name, prefix })]));
}

function startWritersOf(stage: Stage, { name, prefix }: { name: string; prefix: string }): readonly LedgerWriter[] {
  const { consul, sentinels, haproxyAt } = stage;
  const clients = {
    haproxy: persistentClient(() => haproxyAt[name] as Address),
    dns: persistentClient(() => askDns(consul, name)),
    record: persistentClient(() => askRecord(consul, name)),
    control: sentinelClient({ sentinels: sentinels.map(({ address }) => address), name }),
  };
  return writerNames.map(
    (writer) => new LedgerWriter({ name: writer, key: `${prefix}:${writer}`, client: clients[writer], pauseMs: 4 }),
  );
}

async function askDns(consul: ConsulAgent, name: string): Promise<Address> {
  const answers = await consul.dnsSrv(`${name}.redis-master.service.consul`);
  const [host] = answers[0] === undefined ? [] : await consul.dnsA(answers[0].target);
  if (answers[0] === undefined || host === undefined) throw new Error('DNS names no master');
  return { host, port: answers[0].port };
}

async function askRecord(consul: ConsulAgent, name: string): Promise<Address> {
  const text = await consul.key(`redis/record/${name}`);
  if (text === undefined) throw new Error('there is no record');
  return (JSON.parse(text) as { master: Address }).master;
}

export function readFileOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
