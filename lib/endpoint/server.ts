import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls';
import { Handshakes } from '../handshakes.ts';
import { type Listener, serverKind } from '../listening.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { Client } from './client.ts';
import type { CommandContext } from './commands/command.ts';
import { Hub } from './hub.ts';
import type { ClientFacts } from './plan/information.ts';
import type { Message } from './plan/messages.ts';
import { RefusedConnections } from './refused-connections.ts';
import { Session } from './session.ts';

export interface EndpointServerOptions {
  readonly listen: Address;
  readonly context: CommandContext;
  readonly maxConnections: number;
  readonly idleMs: number;
  /** How long a client may take for its first command, and for one that it has begun. Default 30 s. */
  readonly commandMs?: number;
  readonly tls?: TlsOptions;
  /** A connection was closed for what it did. */
  readonly onDrop: (drop: { readonly client: string; readonly why: string }) => void;
}

const defaultCommandMs = 30_000;

/** Listens, and passes messages to the connections that subscribed to them. */
export class EndpointServer implements Listener<{ readonly port: number }> {
  #options: EndpointServerOptions;
  readonly #server: Server | TlsServer;
  readonly #hub = new Hub();
  readonly #sockets = new Map<Socket, Session>();
  readonly #handshakes: Handshakes | undefined;
  readonly #refusedConnections = new RefusedConnections();
  #lastId = 0;
  #refused = 0;
  #commands = 0;

  constructor(options: EndpointServerOptions) {
    this.#options = options;
    const { tls } = options;
    const receive = (socket: Socket): void => this.#receive(socket);
    this.#server =
      tls === undefined ? createServer(receive) : createTlsServer({ ...tls, handshakeTimeout: 10_000 }, receive);
    if (tls !== undefined) this.#handshakes = new Handshakes(this.#server);
    // A handshake that fails concerns only its client.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  get facts(): ClientFacts {
    const clients = [...this.#sockets.values()].map(({ client }) => client);
    return {
      connections: clients.length,
      subscribers: clients.filter(({ subscriptions }) => subscriptions > 0).length,
      tracking: clients.filter(({ tracking }) => tracking !== undefined).length,
      accepted: this.#lastId,
      refused: this.#refused,
      commands: this.#commands,
      channels: this.#hub.channels,
      patterns: this.#hub.patterns,
    };
  }

  listen(): Promise<{ readonly port: number }> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 1_024 }, () => {
        this.#server.off('error', reject);
        // The system may refuse a connection later if it has no free descriptor. That must not end the daemon.
        this.#server.on('error', () => {});
        const bound = this.#server.address();
        resolve({ port: typeof bound === 'object' && bound !== null ? bound.port : port });
      });
    });
  }

  publish(messages: readonly Message[]): void {
    this.#hub.publish(messages);
  }

  /**
   * Serves with other settings from now on. Closes the connections that have sent something, and all of them for another authority
   * of clients. Answers false for another address, or another kind of TLS. Throws if TLS cannot use the certificates, and then
   * changes nothing.
   */
  become(options: EndpointServerOptions): boolean {
    const former = this.#options;
    if (serverKind(options) !== serverKind(former)) return false;
    if (options.tls !== undefined && 'setSecureContext' in this.#server) this.#server.setSecureContext(options.tls);
    this.#options = options;
    const isTrusted = options.tls?.ca === former.tls?.ca;
    if (!isTrusted) this.#handshakes?.close();
    const sessions = [...this.#sockets];
    this.#sockets.clear();
    for (const [socket, session] of sessions) {
      const leftMs = session.release();
      if (leftMs === 'closed') continue;
      if (!isTrusted) {
        socket.destroy();
        continue;
      }
      this.#accept(socket, leftMs);
      socket.resume();
    }
    return true;
  }

  close(): Promise<void> {
    for (const socket of this.#sockets.keys()) socket.destroy();
    this.#handshakes?.close();
    this.#refusedConnections.close();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #receive(socket: Socket): void {
    // A connection that breaks concerns only its client.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
    this.#accept(socket, this.#options.commandMs ?? defaultCommandMs);
  }

  #accept(socket: Socket, firstCommandMs: number): void {
    const { context, maxConnections, idleMs, commandMs = defaultCommandMs, onDrop } = this.#options;
    if (this.#sockets.size >= maxConnections) {
      this.#refused += 1;
      this.#refusedConnections.refuse(socket, '-ERR max number of clients reached\r\n');
      return;
    }
    const address = formatAddress({ host: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 });
    const localAddress = formatAddress({ host: socket.localAddress ?? '?', port: socket.localPort ?? 0 });
    this.#lastId += 1;
    const client = new Client({
      id: this.#lastId,
      address,
      localAddress,
      user: context.access.firstUser,
      hub: this.#hub,
      send: (encoded) => session.send(encoded),
    });
    const drop = (why: string): void => onDrop({ client: address, why });
    const onCommand = (): void => {
      this.#commands += 1;
    };
    const session = new Session({
      socket,
      client,
      context,
      idleMs,
      commandMs,
      firstCommandMs,
      onCommand,
      onDrop: drop,
    });
    this.#sockets.set(socket, session);
  }
}
