import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tryConnect } from '../../lib/crash/connect-attempt.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import { RespConnection } from '../sandbox/resp.ts';
import { openIdle, type Scene } from './scene.ts';

/** Events in which somebody else listens at the master's address, or it listens elsewhere. */
export const listenerEvents: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'another Redis on the port': async ({ master, random }) => {
    await master.kill();
    const dir = mkdtempSync(join(tmpdir(), 'another-redis-'));
    const { host, port } = master.address;
    const args = ['--port', port, '--bind', host, '--save', '', '--appendonly', 'no', '--dir', dir].map(String);
    const other = spawn('redis-server', args, { stdio: 'ignore' });
    const ended = once(other, 'exit');
    await waitFor('it to listen', () => isListening(master), { intervalMs: 2 });
    await delay(100 + random() * 300);
    other.kill('SIGKILL');
    await ended;
    rmSync(dir, { recursive: true });
    await master.start();
  },
  'a proxy that closes each connection': async ({ master, random }) => {
    await master.kill();
    const proxy = createServer((socket) => socket.on('error', () => undefined).destroy());
    proxy.listen(master.address.port, master.address.host);
    await once(proxy, 'listening');
    await delay(100 + random() * 300);
    proxy.close();
    await once(proxy, 'close');
    await master.start();
  },
  'the port moves': (scene) => listenElsewhere(scene, { types: ['normal'], port: 1 }),
  'no TCP port, and everybody is disconnected': (scene) =>
    listenElsewhere(scene, { types: ['normal', 'replica', 'pubsub'], port: 0 }),
  'a storm of connections': async ({ master, random }) => {
    const storm = Array.from({ length: 400 }, () => openIdle(master));
    await master.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await delay(random() * 200);
    for (const socket of storm) socket.resetAndDestroy();
  },
  'the address is gone with the process': async ({ links, bridges, observers, master, replica, random }) => {
    const from = [...bridges.map(({ host }) => host), ...observers, replica.address.host];
    const heal = await links.cut({ from, to: [master.address.host], direction: 'one way', manner: 'unreachable' });
    await master.kill();
    await delay(100 + random() * 500);
    await heal();
    await master.start();
  },
};

/** Those in which nobody listens at the address for a while. */
export const listenerEndings: readonly string[] = [
  'another Redis on the port',
  'a proxy that closes each connection',
  'no TCP port, and everybody is disconnected',
];

/** The process lives and does not listen at its address any more; clients of these types are disconnected. `port` 1: any other one. */
async function listenElsewhere(
  { master, random }: Scene,
  { types, port }: { readonly types: readonly string[]; readonly port: 0 | 1 },
): Promise<void> {
  const admin = await RespConnection.open(master.address);
  // The next 10,000 are those of the cluster's bus.
  const elsewhere = port === 0 ? 0 : master.address.port + 20_000;
  await admin.command('CONFIG', 'SET', 'port', elsewhere);
  for (const type of types) await admin.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
  await delay(100 + random() * 300);
  await admin.command('CONFIG', 'SET', 'port', master.address.port);
  admin.close();
}

async function isListening({ address: to }: RedisServer): Promise<boolean> {
  return (await tryConnect({ to, from: undefined }, { timeoutMs: 500 })) === 'accepted';
}
