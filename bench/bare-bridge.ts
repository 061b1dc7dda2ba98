// The minimal program that does the bridge's job, for bench/failover.ts to compare with. For each pub/sub message it sends
// one ROLE and one transaction over open connections. It checks, retries and reads back nothing, and prints one line
// of JSON for each failover.
import { RespConnection } from '../test/sandbox/resp.ts';
import { BareConsul } from './bare-consul.ts';

interface Job {
  readonly sentinel: { readonly host: string; readonly port: number };
  readonly consul: { readonly host: string; readonly port: number };
  readonly shards: readonly { readonly name: string; readonly servers: readonly { host: string; port: number }[] }[];
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
const consul = new BareConsul(job.consul);
const roles = new Map<string, RespConnection>();
await openRoles();
const sentinel = await RespConnection.open(job.sentinel);
sentinel.onMessage = (channel, payload) => {
  if (channel === '+switch-master') void follow(payload.split(' '), performance.now());
  // Sentinel closes the connections of a replica that it promotes (sentinel.c, sentinelSendSlaveOf).
  if (channel === '+promoted-slave') void openRoles();
};
await sentinel.command('PSUBSCRIBE', '*');
await consul.warm();
process.stdout.write('{"ready":true}\n');

async function openRoles(): Promise<void> {
  for (const { host, port } of job.shards.flatMap(({ servers }) => servers)) {
    const key = `${host}:${port}`;
    // A replica that is being promoted may not accept connections yet: askRole opens one later.
    if (roles.get(key)?.closed ?? true) await openRole({ host, port }).catch(() => undefined);
  }
}

async function openRole(address: { readonly host: string; readonly port: number }): Promise<RespConnection> {
  const connection = await RespConnection.open(address);
  roles.set(`${address.host}:${address.port}`, connection);
  return connection;
}

/** Sentinel may end the connection while the question is under way: then a new connection asks again. */
async function askRole(address: { readonly host: string; readonly port: number }): Promise<unknown> {
  try {
    return await roles.get(`${address.host}:${address.port}`)?.command('ROLE');
  } catch {
    return (await openRole(address)).command('ROLE');
  }
}

async function follow(words: readonly string[], receivedMs: number): Promise<void> {
  const [name = '', oldHost = '', oldPort = '', host = '', port = ''] = words;
  if (!job.shards.some((shard) => shard.name === name)) return;
  const master = { host, port: Number(port) };
  const role = await askRole(master);
  if (!Array.isArray(role) || role[0] !== 'master') return;
  const observedMs = performance.now() - receivedMs;
  const old = { host: oldHost, port: Number(oldPort) };
  const committedMs = (await consul.publish(name, { master, old })) - receivedMs;
  process.stdout.write(`${JSON.stringify({ name, observedMs, committedMs })}\n`);
}
