import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer, type Server } from 'node:net';
import { run } from './command.ts';
import type { Port } from './file.ts';

const bridge = 'compose0';

/** A bridge in this process's network namespace, and a namespace with an address for each host. */
export class Network {
  readonly #prefix: string;
  readonly #relays: (Server | Socket)[] = [];
  #hosts = 0;

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The machine itself has the first address of the subnet. */
  static async open(subnet: string): Promise<Network> {
    const [base = '', prefix = ''] = subnet.split('/');
    await run(['mkdir', '-p', '/run/netns']);
    // Names of namespaces of this process only.
    await run(['mount', '-t', 'tmpfs', 'tmpfs', '/run/netns']);
    await run(['ip', 'link', 'set', 'lo', 'up']);
    await run(['ip', 'link', 'add', bridge, 'type', 'bridge']);
    await run(['ip', 'address', 'add', `${base.replace(/\d+$/, '1')}/${prefix}`, 'dev', bridge]);
    await run(['ip', 'link', 'set', bridge, 'up']);
    return new Network(prefix);
  }

  async addHost(name: string, address: string): Promise<void> {
    this.#hosts += 1;
    const link = `host${this.#hosts}`;
    await run(['ip', 'netns', 'add', name]);
    await run(['ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name]);
    await run(['ip', 'link', 'set', link, 'master', bridge, 'up']);
    await run(['ip', '-n', name, 'address', 'add', `${address}/${this.#prefix}`, 'dev', 'eth0']);
    await run(['ip', '-n', name, 'link', 'set', 'eth0', 'up']);
    await run(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
  }

  /** Forwards a port of this machine to a host, as `ports` does. */
  async publish({ host, hostPort, port, protocol }: Port, address: string): Promise<void> {
    const relay = protocol === 'tcp' ? relayTcp({ address, port }) : relayUdp({ address, port });
    this.#relays.push(relay);
    await new Promise<void>((resolve) => {
      if ('listen' in relay) relay.listen(hostPort, host, resolve);
      else relay.bind(hostPort, host, resolve);
    });
  }

  close(): void {
    for (const relay of this.#relays) relay.close();
  }
}

interface Target {
  readonly address: string;
  readonly port: number;
}

function relayTcp({ address, port }: Target): Server {
  return createServer((client) => {
    const server = connect(port, address);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
}

function relayUdp({ address, port }: Target): Socket {
  const relay = createSocket('udp4');
  relay.on('message', (request, client) => {
    const asker = createSocket('udp4');
    const timer = setTimeout(() => asker.close(), 5_000);
    asker.on('error', () => undefined);
    asker.on('message', (answer) => {
      clearTimeout(timer);
      asker.close();
      relay.send(answer, client.port, client.address);
    });
    asker.send(request, port, address);
  });
  return relay;
}
