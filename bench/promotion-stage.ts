import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import type { ProxyServer } from '../test/sandbox/proxy.ts';
import { haproxyTemplate, twemproxyTemplate } from '../test/sandbox/proxy-templates.ts';
import type { Shard } from '../test/sandbox/redis.ts';
import type { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';
import type { BarePromotionJob } from './bare-promotion.ts';

/** One program, with shards and proxies of its own. */
export interface PromotionSide {
  readonly label: string;
  readonly shards: readonly Shard[];
  /** The folder of the records' keys. */
  readonly records: string;
  readonly haproxySocket: string;
  readonly twemproxyFile: string;
  /** Where writes to each shard enter HAProxy, in their order, and where writes to any shard enter twemproxy. */
  readonly listen: { readonly haproxy: readonly Address[]; readonly twemproxy: Address };
}

export interface PromotionStage {
  readonly consul: ConsulAgent;
  readonly leader: SentinelServer;
  readonly sides: readonly PromotionSide[];
}

/** Sentinel needs 10 s to make an old master a replica again. */
export const shardsPerSide = 6;

/** Shards of two programs in one run, three Sentinels and Consul. */
export async function openPromotionStage(sandbox: Sandbox): Promise<PromotionStage> {
  const startShards = (side: string) =>
    Promise.all(Array.from({ length: shardsPerSide }, (_, i) => sandbox.redis({ name: `${side}${i}`, replicas: 1 })));
  const [consul, ours, theirs] = await Promise.all([sandbox.consul(), startShards('ours'), startShards('bare')]);
  const sentinels = await sandbox.sentinels({ count: 3, masters: [...ours, ...theirs], downAfterMs: 5_000 });
  const [leader] = sentinels;
  if (leader === undefined) throw new Error('no Sentinel was started');
  const world = { sandbox, consul, leader };
  const sides = [
    await startSwitchmaster(world, await placeProxies(sandbox, { prefix: 'ours', shards: ours })),
    await startBare(world, await placeProxies(sandbox, { prefix: 'bare', shards: theirs })),
  ];
  return { consul, leader, sides };
}

type World = Pick<PromotionStage, 'consul' | 'leader'> & { readonly sandbox: Sandbox };

interface Proxies {
  readonly side: Omit<PromotionSide, 'label' | 'records'>;
  readonly haproxyFile: string;
  readonly haproxy: ProxyServer;
  readonly twemproxy: ProxyServer;
}

async function placeProxies(
  sandbox: Sandbox,
  { prefix, shards }: { readonly prefix: string; readonly shards: readonly Shard[] },
): Promise<Proxies> {
  const haproxyFile = sandbox.path(`${prefix}-haproxy.cfg`);
  const twemproxyFile = sandbox.path(`${prefix}-nutcracker.yml`);
  const listen = {
    haproxy: await Promise.all(shards.map(() => sandbox.address())),
    twemproxy: await sandbox.address(),
  };
  const later = { start: 'later' } as const;
  const haproxy = await sandbox.haproxy({ name: `${prefix}-haproxy`, configFile: haproxyFile, ...later });
  const twemproxy = await sandbox.nutcracker({
    name: `${prefix}-nutcracker`,
    configFile: twemproxyFile,
    listen: listen.twemproxy,
    ...later,
  });
  const haproxySocket = sandbox.path(`${prefix}-haproxy.sock`);
  return { side: { shards, haproxySocket, twemproxyFile, listen }, haproxyFile, haproxy, twemproxy };
}

async function startSwitchmaster(
  { sandbox, consul, leader }: World,
  { side, haproxyFile, haproxy, twemproxy }: Proxies,
): Promise<PromotionSide> {
  const { shards, haproxySocket, twemproxyFile, listen } = side;
  const ports = Object.fromEntries(shards.map(({ name }, i) => [name, listen.haproxy[i]?.port ?? 0]));
  await sandbox.switchmaster({
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: [formatAddress(leader.address)], masters: ['ours*'] },
      templates: [
        haproxyTemplate({
          destination: haproxyFile,
          socket: haproxySocket,
          reloadCommand: haproxy.reloadCommand,
          listeners: { bind: '*', ports },
        }),
        twemproxyTemplate({
          destination: twemproxyFile,
          restartCommand: twemproxy.restartCommand,
          listen: listen.twemproxy,
        }),
      ],
    },
  });
  const names = ({ name }: Shard, text: string) => text.includes(name);
  await waitFor('the files to have every shard', async () => readFile(twemproxyFile, 'utf8'), {
    until: (text) => shards.every((shard) => names(shard, text)),
    timeoutMs: 30_000,
  });
  return { ...side, label: 'switchmaster', records: 'redis/record' };
}

async function startBare(
  { sandbox, consul, leader }: World,
  { side, haproxyFile, haproxy, twemproxy }: Proxies,
): Promise<PromotionSide> {
  const { shards, haproxySocket, twemproxyFile, listen } = side;
  await writeFile(haproxyFile, haproxyConfig(side));
  await writeFile(twemproxyFile, twemproxyConfig(side));
  await Promise.all([haproxy.start(), twemproxy.start()]);
  const job: BarePromotionJob = {
    sentinel: leader.address,
    consul: { host: consul.http.host, port: consul.http.port },
    shards: shards.map(({ name, master, replicas }) => ({
      name,
      master: master.address,
      old: replicas[0]?.address ?? master.address,
    })),
    haproxySocket,
    twemproxy: { file: twemproxyFile, restartCommand: twemproxy.restartCommand },
  };
  const program = fileURLToPath(new URL('./bare-promotion.ts', import.meta.url));
  const child = spawn(process.execPath, [program, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: sandbox.env,
  });
  await once(createInterface({ input: child.stdout }), 'line');
  return { ...side, listen, label: 'the bare program', records: 'bare/record' };
}

function haproxyConfig({ shards, listen, haproxySocket }: Proxies['side']): string {
  const proxies = shards.map(({ name, master }, i) =>
    [
      `listen ${name}`,
      `  bind ${formatAddress(listen.haproxy[i] as Address)}`,
      `  server master ${formatAddress(master.address)} check`,
    ].join('\n'),
  );
  const head = ['global', `  stats socket ${haproxySocket} level admin`, 'defaults', '  mode tcp', '  retries 0'];
  const timeouts = ['  timeout connect 1s', '  timeout client 1h', '  timeout server 1h'];
  return `${[...head, ...timeouts, ...proxies].join('\n')}\n`;
}

function twemproxyConfig({ shards, listen }: Proxies['side']): string {
  const servers = shards.map(({ name, master }) => `    - ${formatAddress(master.address)}:1 ${name}`);
  const head = ['redis:', `  listen: ${formatAddress(listen.twemproxy)}`, '  redis: true', '  hash: fnv1a_64'];
  const rest = ['  distribution: ketama', '  preconnect: true', '  servers:'];
  return `${[...head, ...rest, ...servers].join('\n')}\n`;
}
