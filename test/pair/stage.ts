import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram } from '../../setup/paths.mjs';
import { NumberWriter, persistentClient } from '../integration/support/writing.ts';
import { waitFor } from '../sandbox/condition.ts';
import { ConsulAgent } from '../sandbox/consul.ts';
import { requireOwnNetwork } from '../sandbox/namespace.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';
import { guideAddresses, guideCommands, guideConfig, type SetUp } from './guide.ts';
import { PairHost } from './host.ts';

const run = promisify(execFile);
const bridge = { name: 'pair', address: '10.0.0.1' };
/** Consul, Redis and Sentinel are at the other end of the hosts' default route. */
const serverNetwork = '10.0.1';

export interface PairStage {
  readonly sandbox: Sandbox;
  readonly hosts: readonly [PairHost, PairHost];
  readonly consul: ConsulAgent;
  readonly sentinels: readonly SentinelServer[];
  readonly master: RedisServer;
  /** The application: it connects to the shared address alone, from a third machine. */
  readonly writer: NumberWriter;
}

export async function startStage(setUp: SetUp): Promise<PairStage> {
  requireOwnNetwork();
  if (findProgram('keepalived') === undefined)
    throw new Error('keepalived is missing: run node setup/bootstrap.mjs --with keepalived');
  await layNetwork();
  const sandbox = await Sandbox.open({ name: 'pair', network: serverNetwork });
  process.on('uncaughtException', (error) => {
    console.error(error, sandbox.logTails({ lines: 20 }), hostLogs(sandbox.folder));
    process.exit(1);
  });
  const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 0 })]);
  const sentinels = await sandbox.sentinels({ masters: [shard], count: 1, quorum: 1 });
  const install = async (host: PairHost) => {
    const agent = setUp === 'files' ? consul : await agentOf(sandbox, { host, consul });
    const addresses = sentinels.map(({ address }) => address);
    const config = guideConfig({ own: host.address, consul: agent.url, sentinels: addresses, setUp });
    await host.write('/etc/switchmaster/switchmaster.yml', JSON.stringify(config));
    if (setUp === 'files') await host.run('rm', '-f', '/etc/haproxy/haproxy.cfg');
    const programs = setUp === 'files' ? ['systemctl'] : ['systemctl', 'switchmaster'];
    for (const command of guideCommands(...programs)) await type(host, command);
  };
  const [first, second] = guideAddresses.hosts;
  const hosts = [
    new PairHost(sandbox, { name: 'lb1', address: first, bridge, install }),
    new PairHost(sandbox, { name: 'lb2', address: second, bridge, install }),
  ] as const;
  await Promise.all(hosts.map((host) => host.boot()));
  const shared = { host: guideAddresses.shared, port: guideAddresses.port };
  const client = persistentClient(() => shared);
  const writer = new NumberWriter({ name: 'application', key: 'numbers', client, pauseMs: 20 });
  const stage = { sandbox, hosts, consul, sentinels, master: shard.master, writer };
  await untilWhole(stage);
  return stage;
}

/**
 * Types a command of the guide. On a busy machine, `switchmaster render` needs more than its 10 s to read Consul. A dry run exits with 1 for
 * the file that the guide is about to adopt.
 */
async function type(host: PairHost, command: readonly string[]): Promise<void> {
  const longer = command[1] === 'render' ? ['--timeout', '60'] : [];
  const done = () =>
    host.run(...command, ...longer).catch((error: { readonly stdout?: string }) => {
      if (!command.includes('--dry-run') || error.stdout?.startsWith('held /etc/haproxy/haproxy.cfg') !== true)
        throw error;
    });
  await waitFor(command.join(' '), () => done().then(() => true), { timeoutMs: 240_000 });
}

/** The Consul agent of a host, which stays while the host boots again. */
async function agentOf(
  sandbox: Sandbox,
  { host, consul }: { readonly host: PairHost; readonly consul: ConsulAgent },
): Promise<ConsulAgent> {
  const name = `consul-${host.name}`;
  const agent = sandbox.servers.find((server) => server.name === name);
  return agent instanceof ConsulAgent ? agent : sandbox.consulClient({ name, join: [consul] });
}

/** The ends of what the services of the hosts wrote. */
function hostLogs(folder: string): string {
  const files = readdirSync(folder).filter((file) => /^lb\d-\w+\.log$/.test(file));
  return files.map((file) => `--- ${file}\n${readFileSync(join(folder, file), 'utf8').slice(-4_000)}`).join('\n');
}

/** A bridge to which the hosts have their links, and the whole network of the servers at the loopback interface. */
async function layNetwork(): Promise<void> {
  const commands = [
    ['link', 'add', bridge.name, 'type', 'bridge'],
    ['address', 'add', `${bridge.address}/24`, 'dev', bridge.name],
    ['link', 'set', bridge.name, 'up'],
    ['route', 'add', 'local', `${serverNetwork}.0/24`, 'dev', 'lo'],
  ];
  for (const command of commands) await run('ip', command);
}

/** Resolves when either host could carry the address, exactly one does, and the application writes. */
export async function untilWhole(stage: PairStage): Promise<void> {
  await waitFor('both hosts to be well', () => Promise.all(stage.hosts.map(isWell)), {
    timeoutMs: 90_000,
    // Each reading starts several programs on each host.
    intervalMs: 250,
    until: (well) => well.every(Boolean),
  });
  await waitFor('one host to have the address', () => holderOf(stage), { timeoutMs: 30_000 });
  const written = stage.writer.acknowledged.size;
  await waitFor('a write', () => stage.writer.acknowledged.size > written);
}

/** keepalived is the holder or a backup at full priority, by its last words, and both checks pass. */
async function isWell(host: PairHost): Promise<boolean> {
  const log = host.log('keepalived').split('Starting Keepalived v').at(-1) ?? '';
  const state = [...log.matchAll(/Entering (\w+) STATE/g)].at(-1)?.[1];
  const priority = [...log.matchAll(/Changing effective priority from \d+ to (\d+)/g)].at(-1)?.[1] ?? '100';
  if (priority !== '100' || (state !== 'MASTER' && state !== 'BACKUP')) return false;
  return checksPass(host);
}

/** The two checks as keepalived's config has them. */
async function checksPass(host: PairHost): Promise<boolean> {
  const config = host.read('/etc/keepalived/keepalived.conf');
  const scripts = [...config.matchAll(/^ +script "(.+)"$/gm)].map(([, script = '']) => script);
  if (scripts.length !== 2) return false;
  return host.run('sh', '-c', scripts.join(' && ')).then(
    () => true,
    () => false,
  );
}

/** The only host that has the address; undefined if none or both have it. */
export function holderOf({ hosts }: PairStage): PairHost | undefined {
  const [holder, another] = hosts.filter((host) => host.has(guideAddresses.shared));
  return another === undefined ? holder : undefined;
}
