import type http from 'node:http';
import Consul from 'consul';
import type { ConsulScope } from '../model/consul-scope.ts';
import type { ConsulOptions, Priority } from './consul-options.ts';
import { scopeHeaders } from './consul-scope.ts';
import { pauseConnections } from './paused-connections.ts';
import { makeHttpAgent } from './tls.ts';

/**
 * Of requests that do not block. An agent accepts 200 connections from one address (`limits.http_max_conns_per_client`), and refuses
 * all programs of the node beyond that: a daemon with a thousand masters would take all of them when it starts.
 */
const sharedLimits = { maxSockets: 64, maxFreeSockets: 8 };
/** Of what a failover waits for, beside the shared ones: with those and 64 blocking queries 192. */
const reservedLimits = { maxSockets: 64, maxFreeSockets: 1 };

/** Connections that an agent keeps open, and the `consul` package over them. */
export interface Connections {
  readonly agent: http.Agent;
  readonly consul: Consul;
}

/** All connections to one Consul agent. Blocking queries have connections of their own, without a limit here. */
export class ConsulConnections {
  readonly #options: ConsulOptions;
  #scope: ConsulScope | undefined;
  #blocking: Connections;
  #shared: Connections;
  #reserved: Connections;

  constructor(options: ConsulOptions) {
    this.#options = options;
    this.#scope = options.scope;
    const { host, socketPath, tls } = options;
    // The `consul` package would look up the name `[::1]`.
    const target = host.includes(':') && socketPath === undefined ? { host } : {};
    this.#blocking = this.#open(makeHttpAgent(tls, target));
    this.#shared = this.#open(makeHttpAgent(tls, { ...sharedLimits, ...target }));
    this.#reserved = this.#open(makeHttpAgent(tls, { ...reservedLimits, ...target }));
  }

  get scope(): ConsulScope | undefined {
    return this.#scope;
  }

  get blocking(): Connections {
    return this.#blocking;
  }

  /** Headers of every request, beside the token. */
  get headers(): Readonly<Record<string, string>> {
    const { auth } = this.#options;
    return {
      ...(auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
      ...(this.#scope === undefined ? {} : scopeHeaders(this.#scope)),
    };
  }

  /** Requests from now on name no namespace and no partition. They use the same connections. */
  leaveScope(): void {
    if (this.#scope === undefined) return;
    this.#scope = undefined;
    this.#blocking = this.#open(this.#blocking.agent);
    this.#shared = this.#open(this.#shared.agent);
    this.#reserved = this.#open(this.#reserved.agent);
  }

  /**
   * For a request that does not block and begins now. The shared connections are open already, so a failover prefers them too.
   * If all are busy, it waits where fewer requests wait for each connection.
   */
  pick(priority: Priority = 'normal'): Connections {
    if (priority === 'normal' || hasRoom(this.#shared.agent)) return this.#shared;
    if (hasRoom(this.#reserved.agent)) return this.#reserved;
    return queueLength(this.#shared.agent) < queueLength(this.#reserved.agent) ? this.#shared : this.#reserved;
  }

  /** Whether a request that begins now waits, whatever its priority. */
  get isFull(): boolean {
    return !hasRoom(this.#shared.agent) && !hasRoom(this.#reserved.agent);
  }

  /** See {@link pauseConnections}. */
  pauseBlocking(): () => void {
    return pauseConnections(this.#blocking.agent);
  }

  /** Closes every idle connection; requests under way fail. */
  close(): void {
    for (const { agent } of [this.#blocking, this.#shared, this.#reserved]) agent.destroy();
  }

  #open(agent: http.Agent): Connections {
    const { tls, host, port, socketPath } = this.#options;
    const scheme = tls === undefined ? 'http' : 'https';
    const consul = new Consul({
      baseUrl: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/v1`,
      agent,
      headers: this.headers,
      ...(socketPath === undefined ? {} : { socketPath }),
    } as ConstructorParameters<typeof Consul>[0]);
    return { agent, consul };
  }
}

/** Whether a request that begins now gets a connection at once. */
function hasRoom(agent: http.Agent): boolean {
  const idle = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  if (idle.some((socket) => !socket.destroyed)) return true;
  const busy = Object.values(agent.sockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
  return busy + idle.length < agent.maxSockets;
}

/** How many requests wait for each connection. */
function queueLength(agent: http.Agent): number {
  const waiting = Object.values(agent.requests).reduce((sum, requests) => sum + (requests?.length ?? 0), 0);
  return waiting / agent.maxSockets;
}
