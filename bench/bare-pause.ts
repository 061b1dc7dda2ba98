// The minimal program that answers a selection, for bench/pause.ts to compare with: at each `+selected-slave` it sends one
// command to the master over an open connection, and prints one line of JSON when the answer is there.
import { RespConnection } from '../test/sandbox/resp.ts';

interface Job {
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly servers: readonly { readonly host: string; readonly port: number }[];
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
const connections = new Map<string, RespConnection>();
for (const address of job.servers) await open(address);
for (const address of job.sentinels) {
  const sentinel = await RespConnection.open(address);
  sentinel.onMessage = (channel, payload) => {
    if (channel === '+selected-slave') void answer(payload.split(' '));
    // Sentinel closes the connections of a replica that it promotes (sentinel.c, sentinelSendSlaveOf).
    if (channel === '+switch-master') for (const server of job.servers) void open(server).catch(() => undefined);
  };
  await sentinel.command('PSUBSCRIBE', '*');
}
process.stdout.write('{"ready":true}\n');

async function open(address: { readonly host: string; readonly port: number }): Promise<RespConnection> {
  const key = `${address.host}:${address.port}`;
  const known = connections.get(key);
  if (known?.closed === false) return known;
  const connection = await RespConnection.open(address);
  connections.set(key, connection);
  return connection;
}

/** `slave name ip port @ master ip port`. */
async function answer(words: readonly string[]): Promise<void> {
  const [master, host = '', port] = words.slice(-3);
  const connection = await open({ host, port: Number(port) });
  await connection.command('ECHO', 'pause');
  process.stdout.write(`${JSON.stringify({ master, atMs: Date.now() })}\n`);
}
