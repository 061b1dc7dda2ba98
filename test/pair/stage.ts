import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../setup/paths.mjs';
import { waitFor } from '../sandbox/condition.ts';
import { ConsulAgent } from '../sandbox/consul.ts';
import { requireOwnNetwork } from '../sandbox/namespace.ts';
import { nowMs } from '../sandbox/recorder.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';
import { type SharingStage, untilWhole } from './failure.ts';
import { guideAddresses, guideCommands, guideConfig, type SetUp } from './guide.ts';
import { PairHost } from './host.ts';
import { applicationAtTheAddress, bridge, layNetwork, serverNetwork } from './network.ts';

export interface PairStage extends SharingStage<PairHost> {
  readonly sandbox: Sandbox;
  readonly consul: ConsulAgent;
  readonly sentinels: readonly SentinelServer[];
}

/** `endMs`: when waiting for the hosts ends at the latest, by {@link nowMs}. Default: never. */
export async function startStage(
  setUp: SetUp,
  { endMs = Number.POSITIVE_INFINITY }: { readonly endMs?: number } = {},
): Promise<PairStage> {
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
    for (const command of guideCommands(setUp)) await type(host, command);
  };
  const [first, second] = guideAddresses.hosts;
  const hosts = [
    new PairHost(sandbox, { name: 'lb1', address: first, bridge, install }),
    new PairHost(sandbox, { name: 'lb2', address: second, bridge, install }),
  ] as const;
  await Promise.all(hosts.map((host) => host.boot()));
  const writer = applicationAtTheAddress();
  const untilWell = () => hostsAreWell(hosts, { endMs });
  const stage = {
    sandbox,
    hosts,
    consul,
    sentinels,
    master: shard.master,
    writer,
    untilWell,
    slowChecks: slowChecksOf,
  };
  await untilWhole(stage);
  if (setUp === 'guide') for (const command of guideCommands('shown')) await checkShown(hosts, command);
  return stage;
}

/** One host has the address, and both reach Redis by it. */
async function checkShown(hosts: PairStage['hosts'], command: readonly string[]): Promise<void> {
  const texts = await Promise.all(hosts.map((host) => host.run(...command)));
  const found = texts.filter((text) => text.includes(` ${guideAddresses.shared}/`) || text === 'PONG\n');
  if (found.length !== (command[0] === 'ip' ? 1 : 2)) throw new Error(`${command.join(' ')}: ${texts.join('\n')}`);
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

/** keepalived wants several good checks in a row, which a busy machine may not give it for minutes. */
const untilWellMs = 600_000;

async function hostsAreWell(hosts: PairStage['hosts'], { endMs }: { readonly endMs: number }): Promise<void> {
  await waitFor('both hosts to be well', () => Promise.all(hosts.map(readState)), {
    timeoutMs: Math.min(untilWellMs, endMs - nowMs()),
    // Each reading starts several programs on each host.
    intervalMs: 250,
    until: (states) => states.every(({ isWell }) => isWell),
  });
}

/** 28 is curl's exit code for its time limit. */
function slowChecksOf(host: PairHost): number {
  return host.log('keepalived').match(/now returning 28|is being timed out/g)?.length ?? 0;
}

/** It is well if keepalived is the holder or a backup at full priority, by its last words, and both checks pass. */
async function readState(host: PairHost) {
  const log = host.log('keepalived').split('Starting Keepalived v').at(-1) ?? '';
  const state = [...log.matchAll(/Entering (\w+) STATE/g)].at(-1)?.[1];
  const priority = [...log.matchAll(/Changing effective priority from \d+ to (\d+)/g)].at(-1)?.[1] ?? '100';
  const isSettled = priority === '100' && (state === 'MASTER' || state === 'BACKUP');
  const checks = isSettled ? await checksPass(host) : undefined;
  return { host: host.name, state, priority, checks, isWell: checks === true };
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
