// The faults of test/java/main.ts, in a network and a mount namespace of their own.
import { writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import { requireOwnNetwork } from '../sandbox/namespace.ts';
import type { RedisServer, Shard } from '../sandbox/redis.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { JavaWriter } from './writer.ts';

/** How long a JVM keeps an address (networkaddress.cache.ttl without a security manager). */
const positiveTtlMs = 30_000;
const name = 'shard';

/** The options of the JVMs for their caches: none, and the advice of docs/guide/applications.md. */
const caches = {
  'default caches': { options: [], mostMs: positiveTtlMs + 2_000 },
  'no cache': { options: ['-Dsun.net.inetaddr.ttl=0', '-Dsun.net.inetaddr.negative.ttl=0'], mostMs: 5_000 },
} as const;

interface Client {
  readonly cache: keyof typeof caches;
  readonly key: string;
  readonly writer: JavaWriter;
}

interface Row {
  readonly fault: string;
  readonly cache: keyof typeof caches;
  /** The longest time without an acknowledged write. */
  readonly gapMs: number;
  /** The kinds of exceptions. */
  readonly failures: readonly string[];
}

requireOwnNetwork();
const sandbox = await Sandbox.open({ name: 'java' });
try {
  process.exitCode = await run();
} finally {
  await sandbox.close();
}

async function run(): Promise<number> {
  const { shard, sentinels } = await startServers();
  const clients = startClients();
  for (const { writer } of clients)
    await waitFor('writes', () => writer.acknowledged.length > 50, { timeoutMs: 60_000 });
  const faults = {
    'SENTINEL FAILOVER': () => sentinels[0]?.command('SENTINEL', 'FAILOVER', name),
    'kill -9': async () => (await masterOf(shard)).kill(),
  };
  const rows: Row[] = [];
  for (const [fault, strike] of Object.entries(faults)) {
    rows.push(...(await measure(fault, { shard, clients, strike })));
    await settle(shard);
  }
  const master = await masterOf(shard);
  const losses = await Promise.all(
    clients.map(({ writer, key }) => writer.stop(() => master.command('SMEMBERS', key))),
  );
  return report(rows, losses.flat().length);
}

function report(rows: readonly Row[], lost: number): number {
  const write = (line: string) => process.stdout.write(`${line}\n`);
  const isWrong = ({ cache, gapMs, failures }: Row) =>
    gapMs > caches[cache].mostMs || failures.includes('UnknownHostException');
  for (const row of rows) {
    const { fault, cache, gapMs, failures } = row;
    write(
      [
        fault.padEnd(18),
        cache.padEnd(15),
        `${gapMs} ms`.padStart(9),
        failures.join(', '),
        isWrong(row) ? 'FAILED' : '',
      ].join(' '),
    );
  }
  write(`${lost} acknowledged writes lost`);
  return lost > 0 || rows.some(isWrong) ? 1 : 0;
}

async function startServers() {
  const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name })]);
  const sentinels = await sandbox.sentinels({ masters: [shard] });
  await sandbox.switchmaster({
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)) },
    },
  });
  await redirectPorts(consul.dns, shard);
  await useNameServer(consul.dns);
  return { shard, sentinels };
}

function startClients(): readonly Client[] {
  return Object.entries(caches).map(([cache, { options }], i) => {
    const key = `java${i}`;
    const job = { name: `${name}.redis-master.service.consul`, key, options, env: sandbox.env };
    return { cache: cache as keyof typeof caches, key, writer: JavaWriter.start(job) };
  });
}

async function measure(
  fault: string,
  of: {
    readonly shard: Shard;
    readonly clients: readonly Client[];
    readonly strike: () => Promise<unknown> | undefined;
  },
): Promise<readonly Row[]> {
  const { shard, clients, strike } = of;
  const before = await masterOf(shard);
  const starts = clients.map(({ writer }) => ({
    first: writer.acknowledged.length - 1,
    failed: writer.failures.length,
  }));
  await strike();
  const isNew = (master: RedisServer) => master !== before;
  const after = await waitFor('another master', () => masterOf(shard), { until: isNew, timeoutMs: 60_000 });
  for (const { key } of clients) {
    const size = Number(await after.command('SCARD', key));
    const written = async () => Number(await after.command('SCARD', key)) > size + 20;
    await waitFor('writes on it', written, { timeoutMs: positiveTtlMs + 30_000 });
  }
  return clients.map(({ cache, writer }, i) => {
    const times = writer.acknowledged.slice(starts[i]?.first).map(({ atMs }) => atMs);
    const gapMs = Math.max(...times.slice(1).map((atMs, n) => atMs - (times[n] ?? atMs)));
    return { fault, cache, gapMs, failures: [...new Set(writer.failures.slice(starts[i]?.failed))] };
  });
}

async function settle(shard: Shard): Promise<void> {
  for (const server of shard.servers) if (server.exit !== undefined) await server.start();
  const inStep = async () => (await Promise.all(shard.servers.map((server) => server.role()))).sort().join();
  await waitFor('a replica', inStep, { until: (roles) => roles === 'master,replica', timeoutMs: 60_000 });
}

async function masterOf(shard: Shard): Promise<RedisServer> {
  const roles = async () => Promise.all(shard.servers.map((server) => server.role().catch(() => 'dead')));
  const known = await waitFor('a master', roles, {
    until: (all) => all.filter((role) => role === 'master').length === 1,
    timeoutMs: 60_000,
  });
  const master = shard.servers[known.indexOf('master')];
  if (master === undefined) throw new Error('no master');
  return master;
}

/** An address from DNS has no port, so every Redis is also reached by Redis' own, and Consul by that of DNS. */
async function redirectPorts(dns: Address, { servers }: Shard): Promise<void> {
  const redis = servers.map(({ address: { host, port } }) => `ip daddr ${host} tcp dport 6379 dnat to ${host}:${port}`);
  const names = ['udp', 'tcp'].map((way) => `ip daddr ${dns.host} ${way} dport 53 dnat to ${formatAddress(dns)}`);
  const rules = [...redis, ...names].map((rule) => `add rule ip java output ${rule}`);
  const input = [
    'add table ip java',
    'add chain ip java output { type nat hook output priority -100 ; }',
    ...rules,
  ].join('\n');
  await execa('nft', ['-f', '-'], { input });
}

/** For the processes of this mount namespace. */
async function useNameServer({ host }: Address): Promise<void> {
  const file = sandbox.path('resolv.conf');
  writeFileSync(file, `nameserver ${host}\n`);
  await execa('mount', ['--bind', file, '/etc/resolv.conf']);
}
