import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../sandbox/condition.ts';
import { RespConnection } from '../sandbox/resp.ts';
import { listenerEndings, listenerEvents } from './listener-events.ts';
import { openIdle, type Scene } from './scene.ts';

/** Events of a master that does not crash. Each ends when everybody can reach the master again. */
export const events: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  ...listenerEvents,
  'CLIENT KILL': async ({ master, random }) => {
    for (let n = 1 + Math.floor(random() * 5); n > 0; n -= 1) {
      await master.command('CLIENT', 'KILL', 'TYPE', 'normal');
      await delay(random() * 60);
    }
  },
  'CLIENT KILL of everybody': async ({ master }) => {
    for (const type of ['normal', 'replica', 'pubsub']) await master.command('CLIENT', 'KILL', 'TYPE', type);
  },
  SIGSTOP: async ({ master, random }) => {
    master.pause();
    await delay(50 + random() * 1_500);
    master.resume();
  },
  'DEBUG SLEEP': async ({ master, random }) => {
    await master.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await master.command('DEBUG', 'SLEEP', (0.1 + random()).toFixed(2));
  },
  loading: async ({ master }) => {
    await master.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await master.command('DEBUG', 'RELOAD');
  },
  maxclients: async ({ master, random }) => {
    const admin = await RespConnection.open(master.address);
    await admin.command('CONFIG', 'SET', 'maxclients', 1);
    await admin.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await delay(100 + random() * 300);
    await admin.command('CONFIG', 'SET', 'maxclients', 10_000);
    admin.close();
  },
  'full backlog': async ({ master, random }) => {
    await master.command('CLIENT', 'KILL', 'TYPE', 'normal');
    master.pause();
    const sockets = Array.from({ length: 40 }, () => openIdle(master));
    await delay(200 + random() * 400);
    master.resume();
    for (const socket of sockets) socket.destroy();
  },
  'reset for one bridge': (scene) =>
    cutReset(
      scene,
      scene.bridges.slice(0, 1).map(({ host }) => host),
    ),
  'reset for every bridge': (scene) => cutReset(scene, hostsOfBridges(scene)),
  // Longer than a judgement: the bridges judge it again and again.
  'a long reset for every bridge': (scene) => cutReset(scene, hostsOfBridges(scene), { leastMs: 6_000, mostMs: 9_000 }),
  'reset for every bridge and observer': (scene) => cutReset(scene, [...hostsOfBridges(scene), ...scene.observers]),
  'reset for every bridge and the replica': (scene) =>
    cutReset(scene, [...hostsOfBridges(scene), scene.replica.address.host]),
  'packet loss': async ({ links, master, random, ...scene }) => {
    const from = [...hostsOfBridges(scene), ...scene.observers];
    const heal = await links.cut({ from, to: [master.address.host], direction: 'both', manner: 'drop' });
    await delay(50 + random() * 500);
    await heal();
  },
  restart: async ({ master }) => {
    await master.kill();
    await master.start();
  },
  'SHUTDOWN NOSAVE and a restart': async ({ master }) => {
    const ended = waitFor('its end', () => master.exit !== undefined, { intervalMs: 1 });
    await master.command('SHUTDOWN', 'NOSAVE').catch(() => undefined);
    await ended;
    await master.start();
  },
  'a port taken over': async ({ master, random }) => {
    await master.kill();
    const server = createServer((socket) => socket.on('error', () => undefined));
    server.listen(master.address.port, master.address.host);
    await once(server, 'listening');
    const sockets = new Set<Socket>();
    server.on('connection', (socket) => sockets.add(socket));
    await delay(100 + random() * 200);
    server.close();
    for (const socket of sockets) socket.destroy();
    await master.start();
  },
};

/** The events that end the process of the master for a while. */
export const endings: ReadonlySet<string> = new Set([
  ...listenerEndings,
  'restart',
  'SHUTDOWN NOSAVE and a restart',
  'a port taken over',
]);

function hostsOfBridges({ bridges }: Pick<Scene, 'bridges'>): readonly string[] {
  return bridges.map(({ host }) => host);
}

/** A firewall that answers these hosts with a reset: their connections end, and new ones are refused. */
async function cutReset(
  { links, master, random }: Scene,
  from: readonly string[],
  { leastMs, mostMs } = { leastMs: 100, mostMs: 800 },
): Promise<void> {
  const heal = await links.cut({ from, to: [master.address.host], direction: 'one way', manner: 'reset' });
  await delay(leastMs + random() * (mostMs - leastMs));
  await heal();
}
