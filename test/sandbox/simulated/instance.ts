import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { ErrorReply, encodeReply, ok, type Reply, SimpleString } from '../../../lib/endpoint/resp/reply.ts';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { readRequests } from './requests.ts';

/** What the instances of one process know of each other. */
export interface Peers {
  at(address: Address): Instance | undefined;
  replicasOf(address: Address): readonly Instance[];
  /** A role changed, or an instance stopped or started: what `INFO` says may differ. */
  changed(): void;
  readonly version: number;
}

const helloChannel = '__sentinel__:hello';
const offset = 1_000;
const pong = new SimpleString('PONG');

type Command = (words: readonly string[], socket: Socket) => Reply;

/** One simulated Redis server: its role, its listener, and the answers that Sentinel and switchmaster need. */
export class Instance {
  readonly address: Address;
  #master: Address | undefined;
  #priority = 100;
  #runId = newRunId();
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #subscribers = new Set<Socket>();
  readonly #peers: Peers;
  #info: { readonly version: number; readonly text: string } | undefined;

  constructor(address: Address, { master, peers }: { readonly master: Address | undefined; readonly peers: Peers }) {
    this.address = address;
    this.#master = master;
    this.#peers = peers;
  }

  get master(): Address | undefined {
    return this.#master;
  }

  get running(): boolean {
    return this.#server !== undefined;
  }

  /** Listens. After a stop it has another run id, and the role that it had. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    this.#runId = newRunId();
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    server.listen({ ...this.address, backlog: 511 });
    await once(server, 'listening');
    this.#peers.changed();
  }

  /** Ends as a killed process does: all connections are closed, and new ones are refused. */
  stop(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    this.#peers.changed();
  }

  #accept(socket: Socket): void {
    socket.setNoDelay(true);
    this.#sockets.add(socket);
    readRequests(socket, (requests) => {
      socket.write(requests.map((words) => encodeReply(this.#answer(words, socket), 2)).join(''));
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#subscribers.delete(socket);
    });
  }

  #answer(words: readonly string[], socket: Socket): Reply {
    const [name = ''] = words;
    const command = this.#commands[name.toUpperCase()];
    return command === undefined ? new ErrorReply(`ERR unknown command '${name}'`) : command(words.slice(1), socket);
  }

  readonly #commands: Readonly<Record<string, Command | undefined>> = {
    PING: () => pong,
    INFO: () => this.#readInfo(),
    PUBLISH: ([channel = '', message = '']) => this.#publish(channel, message),
    SUBSCRIBE: ([channel = ''], socket) => {
      if (channel === helloChannel) this.#subscribers.add(socket);
      return ['subscribe', channel, 1];
    },
    ROLE: () => this.#role(),
    CLIENT: (words, socket) => this.#client(words, socket),
    CONFIG: (words) => this.#config(words),
    REPLICAOF: (words) => this.#follow(words),
    SLAVEOF: (words) => this.#follow(words),
    // Sentinel sends a transaction and reads none of its answers.
    MULTI: () => ok,
    EXEC: () => [],
    SCRIPT: () => ok,
    AUTH: () => ok,
    SELECT: () => ok,
  };

  #publish(channel: string, message: string): Reply {
    if (channel !== helloChannel) return 0;
    const text = encodeReply(['message', channel, message], 2);
    for (const socket of this.#subscribers) socket.write(text);
    return this.#subscribers.size;
  }

  #role(): Reply {
    if (this.#master === undefined) {
      const at = ({ host, port }: Address) => [host, String(port), String(offset)];
      return ['master', offset, this.#peers.replicasOf(this.address).map((replica) => at(replica.address))];
    }
    const { host, port } = this.#master;
    const link = this.#linked() ? 'connected' : 'connect';
    return ['slave', host, port, link, offset];
  }

  #client([subcommand = '', ...rest]: readonly string[], asking: Socket): Reply {
    if (subcommand.toUpperCase() === 'PAUSE' && !/^\d+$/.test(rest[0] ?? ''))
      return new ErrorReply('ERR timeout is not an integer or out of range');
    if (subcommand.toUpperCase() !== 'KILL') return ok;
    const type = rest[1]?.toLowerCase();
    if (type !== 'normal' && type !== 'pubsub') return new ErrorReply(`ERR Unknown client type '${rest[1]}'`);
    const ended = [...this.#sockets].filter(
      (socket) => socket !== asking && this.#subscribers.has(socket) === (type === 'pubsub'),
    );
    for (const socket of ended) socket.destroy();
    return ended.length;
  }

  #config([subcommand = '', name = '', value = '']: readonly string[]): Reply {
    if (subcommand.toUpperCase() === 'GET') return [];
    if (name.toLowerCase() === 'replica-priority') {
      this.#priority = Number(value);
      this.#info = undefined;
    }
    return ok;
  }

  #follow([host = '', port = '']: readonly string[]): Reply {
    if (host.toUpperCase() === 'NO') this.#master = undefined;
    else if (!/^\d+$/.test(port)) return new ErrorReply('ERR Invalid master port');
    else this.#master = { host, port: Number(port) };
    this.#peers.changed();
    return ok;
  }

  #linked(): boolean {
    const master = this.#master === undefined ? undefined : this.#peers.at(this.#master);
    return master?.running === true && master.master === undefined;
  }

  #readInfo(): string {
    const { version } = this.#peers;
    if (this.#info?.version !== version) this.#info = { version, text: this.#describe() };
    return this.#info.text;
  }

  #describe(): string {
    const server = ['# Server', 'redis_version:7.0.15', `run_id:${this.#runId}`, `tcp_port:${this.address.port}`];
    const replicas = this.#peers.replicasOf(this.address);
    const role =
      this.#master === undefined
        ? ['role:master']
        : [
            'role:slave',
            `master_host:${this.#master.host}`,
            `master_port:${this.#master.port}`,
            `master_link_status:${this.#linked() ? 'up' : 'down'}`,
            'master_last_io_seconds_ago:0',
            'master_sync_in_progress:0',
            `slave_read_repl_offset:${offset}`,
            `slave_repl_offset:${offset}`,
            ...(this.#linked() ? [] : ['master_link_down_since_seconds:1']),
            `slave_priority:${this.#priority}`,
            'slave_read_only:1',
            'replica_announced:1',
          ];
    const listed = replicas.map(
      ({ address: { host, port } }, index) =>
        `slave${index}:ip=${host},port=${port},state=online,offset=${offset},lag=0`,
    );
    const end = ['master_failover_state:no-failover', `master_repl_offset:${offset}`];
    const clients = ['# Clients', `connected_clients:${this.#sockets.size}`];
    const replication = ['# Replication', ...role, `connected_slaves:${listed.length}`, ...listed, ...end];
    return [...server, '', ...clients, '', ...replication, ''].join('\r\n');
  }
}

/** Instances by their address. */
export class Instances implements Peers {
  version = 0;
  readonly #all = new Map<string, Instance>();
  #replicas: { readonly version: number; readonly byMaster: Map<string | undefined, Instance[]> } | undefined;

  add(address: Address, master: Address | undefined): Instance {
    const instance = new Instance(address, { master, peers: this });
    this.#all.set(formatAddress(address), instance);
    return instance;
  }

  at(address: Address): Instance | undefined {
    return this.#all.get(formatAddress(address));
  }

  replicasOf(address: Address): readonly Instance[] {
    if (this.#replicas?.version !== this.version) {
      const running = [...this.#all.values()].filter((instance) => instance.running);
      const byMaster = Map.groupBy(running, ({ master }) => master && formatAddress(master));
      this.#replicas = { version: this.version, byMaster };
    }
    return this.#replicas.byMaster.get(formatAddress(address)) ?? [];
  }

  changed(): void {
    this.version += 1;
  }
}

function newRunId(): string {
  return randomBytes(20).toString('hex');
}
