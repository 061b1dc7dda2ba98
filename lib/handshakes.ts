import type { Server, Socket } from 'node:net';

/** The connections of a TLS server whose handshake has not ended. Node names them nowhere. */
export class Handshakes {
  readonly #open = new Map<string, Socket>();

  /** Call it before the server listens. */
  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      const key = endsOf(socket);
      this.#open.set(key, socket);
      socket.once('close', () => {
        if (this.#open.get(key) === socket) this.#open.delete(key);
      });
    });
    server.on('secureConnection', (socket: Socket) => this.#open.delete(endsOf(socket)));
  }

  /** Closes them: a handshake that has begun would end with the certificates and authorities of its beginning. */
  close(): void {
    for (const socket of this.#open.values()) socket.destroy();
  }
}

/** The same of a TCP connection and of the TLS connection on it, which Node gives as two sockets. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ');
}
