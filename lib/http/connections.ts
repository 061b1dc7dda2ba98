import type { Server, Socket } from 'node:net';
import { clientOf } from './client.ts';

/**
 * Closes a connection whose client has `mostPerClient` already, so that no client takes every file descriptor of the daemon
 * and locks out the others. Also counts connections that have not sent anything.
 */
export function limitConnections(server: Server, mostPerClient: number): void {
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    if (socket.remoteAddress === undefined) return;
    const client = clientOf(socket.remoteAddress);
    const count = counts.get(client) ?? 0;
    if (count >= mostPerClient) {
      socket.destroy();
      return;
    }
    counts.set(client, count + 1);
    socket.once('close', () => {
      const left = (counts.get(client) ?? 1) - 1;
      if (left === 0) counts.delete(client);
      else counts.set(client, left);
    });
  });
}
