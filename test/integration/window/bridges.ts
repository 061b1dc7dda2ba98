import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../../lib/model/address.ts';
import { compareVersions } from '../../../lib/model/epoch.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Shard } from '../../sandbox/redis.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import type { Server } from '../../sandbox/server.ts';
import type { BridgeOrder, BridgeWord } from './bridge.ts';
import type { WindowCase } from './cases.ts';

const program = fileURLToPath(new URL('bridge.ts', import.meta.url));

/** A bridge of a round: its process, its IP, and where the traffic of its node goes. */
export interface NodeBridge {
  readonly id: string;
  readonly host: string;
  readonly server: Server;
  /** The newer of what it decided and what it knows of Consul, as HAProxy on its node has it. */
  record: MasterRecord | undefined;
}

/** The bridges of a round. Keeps everything that they report, in order of arrival. */
export class WindowBridges {
  readonly bridges: readonly NodeBridge[];
  readonly words: BridgeWord[] = [];
  readonly #name: string;
  readonly #listener: NetServer;
  readonly #sockets = new Set<Socket>();

  constructor(
    sandbox: Sandbox,
    at: {
      readonly consul: ConsulAgent;
      readonly sentinels: readonly SentinelServer[];
      readonly shard: Shard;
      readonly window: Pick<WindowCase, 'place' | 'onCrash'>;
    },
  ) {
    const socket = sandbox.path('bridges.sock');
    this.#name = at.shard.name;
    this.#listener = createServer((line) => this.#listen(line)).listen(socket);
    this.bridges = [1, 2].map((n) => {
      // Rounds with the same Consul keep their bridges apart.
      const id = `${at.shard.name}-bridge-${n}`;
      const beside = at.window.place === 'beside' ? at.shard.servers[n - 1] : undefined;
      const host = beside?.address.host ?? sandbox.host();
      const order: BridgeOrder = {
        id,
        host,
        consul: at.consul.http,
        sentinels: at.sentinels.map(({ address }) => address),
        onCrash: at.window.onCrash,
        ...(beside === undefined ? {} : { beside: { name: at.shard.name, address: beside.address } }),
        socket,
      };
      const argv = [process.execPath, program, JSON.stringify(order)] as const;
      const starts = () => this.words.filter((word) => word.kind === 'started' && word.id === id).length;
      let before = 0;
      const server = sandbox.program({
        name: id,
        argv,
        ready: async () => {
          if (starts() === before) return false;
          before = starts();
          return true;
        },
      });
      return { id, host, server, record: undefined };
    });
  }

  async start(): Promise<void> {
    await Promise.all(this.bridges.map(({ server }) => server.start()));
  }

  close(): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(line: Socket): void {
    this.#sockets.add(line);
    line.on('error', () => line.destroy());
    line.on('close', () => this.#sockets.delete(line));
    createInterface({ input: line }).on('line', (text) => this.#hear(JSON.parse(text) as BridgeWord));
  }

  #hear(word: BridgeWord): void {
    this.words.push(word);
    if (word.kind === 'started' || word.kind === 'stalled' || word.kind === 'measured') return;
    const record = word.kind === 'ran' ? word.written?.record : word.record;
    const bridge = this.bridges.find(({ id }) => id === word.id);
    // Consul may still have the records of former rounds.
    if (record?.name !== this.#name || bridge === undefined) return;
    if (bridge.record === undefined || compareVersions(record, bridge.record) > 0) bridge.record = record;
  }
}

/** Where a node's traffic goes. */
export function masterOf({ record, id }: NodeBridge): Address {
  if (record === undefined) throw new Error(`${id} knows no master`);
  return record.master;
}
