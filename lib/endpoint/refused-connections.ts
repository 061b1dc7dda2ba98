import type { Socket } from 'node:net';

/** How long a refused client may take to read why. */
const lingerMs = 5_000;
/** Above so many that still read, a connection is refused without a reply. */
const maxLingering = 100;

/**
 * Connections that the endpoint refuses. What a client sends is read and dropped: a socket that nobody reads neither sees the
 * client's end nor closes. The server handles errors of the sockets.
 */
export class RefusedConnections {
  readonly #sockets = new Set<Socket>();

  refuse(socket: Socket, reply: string): void {
    if (this.#sockets.size >= maxLingering) {
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    timer.unref();
    this.#sockets.add(socket);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
    });
    socket.resume();
    socket.end(reply);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
