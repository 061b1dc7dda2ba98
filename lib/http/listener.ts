import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { Handshakes } from '../handshakes.ts';
import { type Listener, serverKind } from '../listening.ts';
import type { Address } from '../model/address.ts';
import { EventStreams } from './events.ts';
import { makeNodeServer, type NodeServer } from './node-server.ts';
import { makeServer, type ServerOptions } from './server.ts';

export interface ApiListenerOptions extends Omit<ServerOptions, 'streams' | 'listenHost' | 'makeNodeServer'> {
  readonly listen: Address;
}

/** The API at its address. It can take other settings while it listens. */
export class ApiListener implements Listener<{ readonly address: string }> {
  /** The instance that listens. After new settings it passes requests on to another one. */
  readonly #first: FastifyInstance;
  readonly #nodeServers: NodeServer[] = [];
  readonly #handshakes: Handshakes[] = [];
  #options: ApiListenerOptions;
  #streams: EventStreams;
  /** Those of former settings whose readers have not all read their end. */
  #formerStreams: readonly EventStreams[] = [];
  #answer: RequestListener;
  /** Connections whose clients the present authority of certificates accepted. */
  #trusted = new WeakSet<Socket>();

  constructor(options: ApiListenerOptions) {
    this.#options = options;
    this.#streams = new EventStreams(options.views.journal);
    this.#first = this.#makeServer(() => this.#serve());
    this.#answer = this.#first.routing;
  }

  /** The number of readers of the event stream. */
  get eventStreams(): number {
    return this.#streams.size;
  }

  async listen(): Promise<{ readonly address: string }> {
    const { host, port } = this.#options.listen;
    return { address: await this.#first.listen({ host, port }) };
  }

  /**
   * Answers with other settings from now on. Connections stay, except readers of the event stream. With another authority for
   * certificates of clients, all close after the answers in flight. Answers false for another address, or another kind of TLS.
   */
  async become(options: ApiListenerOptions): Promise<boolean> {
    const former = this.#options;
    if (serverKind(former) !== serverKind(options)) return false;
    const formerStreams = this.#streams;
    this.#options = options;
    this.#streams = new EventStreams(options.views.journal);
    const next = this.#makeServer((answer) => makeNodeServer(answer, {}));
    await next.ready();
    this.#answer = next.routing;
    formerStreams.close();
    this.#formerStreams = [...this.#formerStreams, formerStreams].filter(({ size }) => size > 0);
    if (options.tls !== undefined) this.#renew(options.tls);
    if (options.tls?.ca !== former.tls?.ca) this.#distrust();
    return true;
  }

  async close(): Promise<void> {
    this.#streams.close();
    this.#closeHandshakes();
    await this.#first.close();
  }

  #makeServer(serve: (answer: RequestListener) => NodeServer): FastifyInstance {
    const { listen, ...options } = this.#options;
    return makeServer({ ...options, listenHost: listen.host, streams: this.#streams, makeNodeServer: serve });
  }

  #serve(): NodeServer {
    const server = makeNodeServer((request, response) => {
      const { socket } = request;
      if (!this.#trusted.has(socket)) return void socket.destroy();
      response.once('close', () => {
        if (!this.#trusted.has(socket)) socket.destroySoon();
      });
      this.#answer(request, response);
    }, this.#options);
    const isTls = this.#options.tls !== undefined;
    server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => this.#trusted.add(socket));
    if (isTls) this.#handshakes.push(new Handshakes(server));
    this.#nodeServers.push(server);
    return server;
  }

  #renew(tls: TlsOptions): void {
    for (const server of this.#nodeServers) if ('setSecureContext' in server) server.setSecureContext(tls);
  }

  #distrust(): void {
    this.#trusted = new WeakSet();
    this.#closeHandshakes();
    for (const streams of this.#formerStreams) streams.destroy();
    for (const server of this.#nodeServers) server.closeIdleConnections();
  }

  #closeHandshakes(): void {
    for (const handshakes of this.#handshakes) handshakes.close();
  }
}
