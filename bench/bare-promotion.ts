// The minimal program that follows promotions, for bench/promotion.ts to compare with. From a Sentinel's `+selected-slave` on,
// it asks the replica for its ROLE every millisecond. When the answer is `master`, it sends one transaction to Consul and one
// line to HAProxy's socket, replaces twemproxy's config and starts twemproxy again, all at the same time. It checks nothing.
import { spawn } from 'node:child_process';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { RespConnection } from '../test/sandbox/resp.ts';
import { askSocket } from '../test/sandbox/socket.ts';
import { BareConsul } from './bare-consul.ts';

type Address = { readonly host: string; readonly port: number };

/** What the program works with, as JSON in its argument. */
export interface BarePromotionJob {
  readonly sentinel: Address;
  readonly consul: Address;
  readonly shards: readonly { readonly name: string; readonly master: Address; readonly old: Address }[];
  readonly haproxySocket: string;
  readonly twemproxy: { readonly file: string; readonly restartCommand: readonly string[] };
}

const { sentinel, consul, shards, haproxySocket, twemproxy } = JSON.parse(process.argv[2] ?? '') as BarePromotionJob;
const bare = new BareConsul(consul);
for (const { name, master, old } of shards) await bare.publish(name, { master, old });
const events = await RespConnection.open(sentinel);
events.onMessage = (channel, payload) => {
  if (channel === '+selected-slave') void follow(payload.split(' '));
};
await events.command('PSUBSCRIBE', '*');
process.stdout.write('{"ready":true}\n');

/** `slave name ip port @ master ip port`. */
async function follow([, , host = '', port, , name = '', oldHost = '', oldPort]: readonly string[]): Promise<void> {
  if (!shards.some((shard) => shard.name === name)) return;
  const [master, old] = [
    { host, port: Number(port) },
    { host: oldHost, port: Number(oldPort) },
  ];
  await untilPromoted(master);
  await Promise.all([bare.publish(name, { master, old }), moveHaproxy(name, master), moveTwemproxy(master, old)]);
}

async function untilPromoted(address: Address): Promise<void> {
  let connection: RespConnection | undefined;
  for (;;) {
    try {
      connection ??= await RespConnection.open(address);
      const role = await connection.command('ROLE');
      if (Array.isArray(role) && role[0] === 'master') return connection.close();
    } catch {
      // Sentinel ends the connections of a replica that it promotes.
      connection = undefined;
      continue;
    }
    await delay(1);
  }
}

async function moveHaproxy(name: string, { host, port }: Address): Promise<void> {
  const line = `set server ${name}/master addr ${host} port ${port}; shutdown sessions server ${name}/master`;
  await askSocket({ path: haproxySocket }, line);
}

async function moveTwemproxy(master: Address, old: Address): Promise<void> {
  const { file, restartCommand } = twemproxy;
  const text = await readFile(file, 'utf8');
  await writeFile(`${file}.new`, text.replace(`${old.host}:${old.port}:`, `${master.host}:${master.port}:`));
  await rename(`${file}.new`, file);
  const [program = '', ...args] = restartCommand;
  spawn(program, args, { stdio: 'ignore' });
}
