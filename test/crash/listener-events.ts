import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tryConnect } from '../../lib/crash/connect-attempt.ts';
import type { Address } from '../../lib/model/address.ts';
import { Certificates } from '../sandbox/certificates.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import { RespConnection } from '../sandbox/resp.ts';
import { openIdle, type Scene } from './scene.ts';

/** Events in which somebody else listens at the master's address, or it listens elsewhere. */
export const listenerEvents: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'another Redis on the port': (scene) => replaceBy(scene, ({ port }) => ['--port', port]),
  'a port that speaks TLS only': (scene) =>
    replaceBy(scene, ({ port }, dir) => {
      const { certFile, keyFile } = new Certificates(dir).issue('redis');
      const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-auth-clients', 'no'];
      return ['--port', 0, '--tls-port', port, ...files];
    }),
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
  'the address moves': async ({ master, random }) => {
    // Redis closes its listeners when it binds again, and keeps its connections.
    const elsewhere = '127.0.0.9';
    const { host, port } = master.address;
    await master.command('CONFIG', 'SET', 'bind', elsewhere);
    const admin = await RespConnection.open({ host: elsewhere, port });
    await admin.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await delay(100 + random() * 300);
    await admin.command('CONFIG', 'SET', 'bind', host);
    admin.close();
  },
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
  'a port that speaks TLS only',
  'a proxy that closes each connection',
  'no TCP port, and everybody is disconnected',
  'the address is gone with the process',
];

/** Another Redis with these options listens at the master's address for a while, and the master is gone. */
async function replaceBy(
  { master, random }: Scene,
  optionsOf: (address: Address, dir: string) => readonly (string | number)[],
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'another-redis-'));
  const options = optionsOf(master.address, dir);
  await master.kill();
  const common = ['--bind', master.address.host, '--save', '', '--appendonly', 'no', '--dir', dir];
  const other = spawn('redis-server', [...options, ...common].map(String), { stdio: 'ignore' });
  const ended = once(other, 'exit');
  await waitFor('it to listen', () => isListening(master), { intervalMs: 2 });
  await delay(100 + random() * 300);
  other.kill('SIGKILL');
  await ended;
  rmSync(dir, { recursive: true });
  await master.start();
}

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
