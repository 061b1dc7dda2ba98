import { connect, type Socket } from 'node:net';
import type { Address } from '../../../lib/model/address.ts';
import type { RedisServer } from '../../sandbox/redis.ts';

/** Opens connections that have sent one command, and counts those that were closed. */
export async function openIdle(address: Address, count: number): Promise<{ sockets: Socket[]; closed: () => number }> {
  let closed = 0;
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ ...address });
      socket.on('error', () => undefined);
      socket.on('close', () => {
        closed += 1;
      });
      socket.write('PING\r\n');
      await new Promise<void>((resolve) => socket.once('data', () => resolve()));
      return socket;
    }),
  );
  return { sockets, closed: () => closed };
}

/** Counts the connections to a Redis that came through a proxy, without those of replication and this one. */
export async function clientsOf(server: RedisServer): Promise<number> {
  const list = String(await server.command('CLIENT', 'LIST', 'TYPE', 'normal'));
  return list.split('\n').filter((line) => line !== '' && !line.includes('cmd=client')).length;
}
