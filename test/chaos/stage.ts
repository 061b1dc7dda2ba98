import { readFileSync } from 'node:fs';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import type { Daemon } from '../sandbox/daemon.ts';
import type { ProxyServer } from '../sandbox/proxy.ts';
import type { Shard } from '../sandbox/redis.ts';
import { redisCli } from '../sandbox/resp.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';

export const token = 'chaos';
const shardNames = ['shard1', 'shard2'] as const;
export const failoverTimeoutMs = 6_000;
/** What edits by hand name: no server of any master (RFC 5737). */
export const foreignAddress: Address = { host: '192.0.2.1', port: 6379 };
/** `changedBy` of records that are edited by hand. */
export const handName = 'an operator';

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
  readonly twemproxyAt: Address;
  /** The text between braces decides to which shard twemproxy leads a key. */
  readonly tags: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<'haproxy' | 'twemproxy' | 'app', string>>;
  readonly haproxySocket: string;
  readonly haproxyAt: Readonly<Record<string, Address>>;
}

/** With Sentinel's default of ten seconds, most of a round would be spent on waiting for it. */
const infoPeriodMs = 1_000;

export async function startStage(sandbox: Sandbox): Promise<Stage> {
  const [consul] = await sandbox.consulServers({ count: 1 });
  if (consul === undefined) throw new Error('no consul was started');
  const shards = await Promise.all(shardNames.map((name) => sandbox.redis({ name, replicas: 2 })));
  const sentinels = await sandbox.sentinels({ count: 3, masters: shards, failoverTimeoutMs });
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
      vars: { listen: formatAddress(twemproxyAt), hash_tag: '{}' },
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
    ...{ consul, shards, sentinels, renderer, haproxy, twemproxy, twemproxyAt, files, haproxyAt },
    bridges: [one, two],
    tags: await findTags(twemproxyAt, shards),
    haproxySocket: socket,
  };
}

/** A hash tag of each shard. The first file of twemproxy may lack one shard, and then every key leads to the other. */
async function findTags(proxy: Address, shards: readonly Shard[]): Promise<Readonly<Record<string, string>>> {
  let count = 0;
  const shardOf = async (tag: string) => {
    // A new key each time: one that was written before may be at another shard too.
    count += 1;
    const key = `${tag}${count}`;
    await waitFor('twemproxy to take a write', () => redisCli(proxy, ['SET', key, 'x']), { timeoutMs: 60_000 });
    for (const { name, master } of shards) if ((await master.command('EXISTS', key)) === 1) return name;
    return undefined;
  };
  const tags: Record<string, string> = {};
  for (let tag = 0; Object.keys(tags).length < shards.length; tag += 1) {
    const name = await shardOf(`{${tag}}`);
    if (name !== undefined) tags[name] ??= `{${tag}}`;
    if (Object.keys(tags).length < shards.length) continue;
    // Both are in the file now. A tag from before may have led to the other shard because it was the only one.
    for (const [known, found] of Object.entries(tags)) if ((await shardOf(found)) !== known) delete tags[known];
  }
  return tags;
}

/** A Sentinel loses it when its process ends. */
export async function hastenSentinel(sentinel: SentinelServer): Promise<void> {
  await sentinel.command('SENTINEL', 'DEBUG', 'info-period', infoPeriodMs);
}

export function readFileOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
