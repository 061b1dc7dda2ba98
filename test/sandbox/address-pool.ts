import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { Address } from '../../lib/model/address.ts';

const firstPort = 7_001;
// Each sandbox begins at a port of its own, because some servers of two sandboxes listen on 127.0.0.1, too.
const lastFirstPort = 14_000;
// The Redis Cluster bus listens 10,000 above, and Linux takes outgoing ports from 32,768 up.
const lastPort = 22_000;
const firstHost = 11;
const lastHost = 250;
/** fetch refuses it (fetch.spec.whatwg.org, "bad port"); none of the others is within the range. */
const refusedByFetch = 10_080;

/**
 * Assigns addresses of one sandbox. The sandbox owns its whole 127.x.y.0/24 (its reaper holds the claim), so every server
 * gets an IP and a port that no other server of the machine has. A consumer that mixes the host of one server with the port
 * of another fails, and DNS answers identify servers. Only beyond 240 servers they share the IPs, at different ports. A server of
 * somebody else that listens on all addresses can still occupy a port, so each port is tried once.
 */
export class AddressPool {
  readonly #network: string;
  #lastHost = firstHost - 1;
  #sharedHosts = 0;
  #lastPort = randomInt(firstPort, lastFirstPort) - 1;

  constructor(network: string) {
    this.#network = network;
  }

  /** A fresh IP: 127.x.y.11 and on. */
  host(): string {
    if (this.#lastHost >= lastHost) throw new Error('a sandbox has 240 addresses, and all are taken');
    this.#lastHost += 1;
    return `${this.#network}.${this.#lastHost}`;
  }

  /** A port that nothing in this sandbox uses and that can be listened on at `host`. */
  async port(host: string): Promise<number> {
    for (;;) {
      // Others ask while this one waits: nobody else gets the port that it tries.
      const port = this.#lastPort + 1;
      this.#lastPort = port;
      if (port > lastPort) throw new Error('a sandbox has some 8,000 ports, and all are taken');
      if (port !== refusedByFetch && (await canListen({ host, port }))) return port;
    }
  }

  /** A fresh port, with a fresh IP as long as there is one. */
  async next(): Promise<Address> {
    const host = this.#lastHost < lastHost ? this.host() : this.#sharedHost();
    return { host, port: await this.port(host) };
  }

  /** In turns, so that servers that were placed one after the other have different ones. */
  #sharedHost(): string {
    const host = firstHost + (this.#sharedHosts % (lastHost - firstHost + 1));
    this.#sharedHosts += 1;
    return `${this.#network}.${host}`;
  }
}

function canListen(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ ...address, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
