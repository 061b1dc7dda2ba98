import type http from 'node:http';
import Consul from 'consul';
import type { ConsulOptions, Priority } from './consul-options.ts';
import { scopeHeaders } from './consul-scope.ts';
import { pauseConnections } from './paused-connections.ts';
import { makeHttpAgent } from './tls.ts';

/**
 * Of requests that do not block. An agent accepts 200 connections from one address (`limits.http_max_conns_per_client`), and refuses
 * all programs of the node beyond that: a daemon with a thousand masters would take all of them when it starts.
 */
const sharedLimits = { maxSockets: 64, maxFreeSockets: 8 };
/** Of what a failover waits for, beside the shared ones: with those and the blocking queries some 160. */
const reservedLimits = { maxSockets: 32, maxFreeSockets: 1 };

/** Connections that an agent keeps open, and the `consul` package over them. */
export interface Connections {
  readonly agent: http.Agent;
  readonly consul: Consul;
}

/** All connections to one Consul agent. Blocking queries have connections of their own, without a limit here. */
export class ConsulConnections {
  readonly blocking: Connections;
  readonly #shared: Connections;
  readonly #reserved: Connections;

  constructor(options: ConsulOptions) {
    const open = (limits: Parameters<typeof makeHttpAgent>[1]): Connections => {
      const agent = makeHttpAgent(options.tls, limits);
      return { agent, consul: openConsul(options, agent) };
    };
    this.blocking = open({});
    this.#shared = open(sharedLimits);
    this.#reserved = open(reservedLimits);
  }

  /** For a request that does not block and begins now. The shared connections are open already, so a failover prefers them too. */
  pick(priority: Priority = 'normal'): Connections {
    return priority === 'normal' || hasRoom(this.#shared.agent) ? this.#shared : this.#reserved;
  }

  /** See {@link pauseConnections}. */
  pauseBlocking(): () => void {
    return pauseConnections(this.blocking.agent);
  }

  /** Closes every idle connection; requests under way fail. */
  close(): void {
    for (const { agent } of [this.blocking, this.#shared, this.#reserved]) agent.destroy();
  }
}

/** Headers of every request, beside the token. */
export function fixedHeaders({ auth, scope }: ConsulOptions): Readonly<Record<string, string>> {
  return {
    ...(auth === undefined ? {} : { authorization: `Basic ${Buffer.from(auth).toString('base64')}` }),
    ...(scope === undefined ? {} : scopeHeaders(scope)),
  };
}

/** Whether a request that begins now gets a connection at once. */
function hasRoom(agent: http.Agent): boolean {
  const idle = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
  if (idle.some((socket) => !socket.destroyed)) return true;
  const busy = Object.values(agent.sockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
  return busy + idle.length < agent.maxSockets;
}

function openConsul(options: ConsulOptions, agent: http.Agent): Consul {
  const { tls, host, port, socketPath } = options;
  const scheme = tls === undefined ? 'http' : 'https';
  return new Consul({
    baseUrl: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/v1`,
    agent,
    headers: fixedHeaders(options),
    ...(socketPath === undefined ? {} : { socketPath }),
  } as ConstructorParameters<typeof Consul>[0]);
}
