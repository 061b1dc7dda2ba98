import { readFileSync } from 'node:fs';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { Observer } from '../integration/window/observers.ts';
import { openFiles } from '../sandbox/process-files.ts';
import { askSocket } from '../sandbox/socket.ts';
import type { SeenPlace } from './rules.ts';
import type { Stage } from './stage.ts';

/* Which server each place that leads clients names as the master of each shard. */

/** `host:port` by the shard's name. */
type Servers = ReadonlyMap<string, readonly string[]>;

/** Every change of what one place names. Readings that fail are left out: a place that does not run names no server. */
class PlaceObserver extends Observer {
  readonly seen: SeenPlace[] = [];
  readonly #place: string;
  readonly #read: () => Promise<Servers>;

  constructor(place: string, { periodMs, read }: { readonly periodMs: number; readonly read: () => Promise<Servers> }) {
    super(periodMs);
    this.#place = place;
    this.#read = read;
  }

  protected override async look(): Promise<void> {
    const named = await this.#read();
    const before = this.seen.at(-1)?.named;
    if (before !== undefined && format(before) === format(named)) return;
    this.seen.push({ atMs: Date.now(), place: this.#place, named });
  }

  protected override release(): void {}
}

const format = (servers: Servers) => JSON.stringify([...servers]);

/** The rendered files, HAProxy's servers by its socket, and twemproxy's ring and connections. */
export class PlaceObservers {
  readonly #observers: readonly PlaceObserver[];

  constructor(stage: Stage) {
    const reads = placeReadings(stage);
    this.#observers = Object.entries(reads).map(
      ([place, read]) => new PlaceObserver(place, { periodMs: place.endsWith('file') ? 25 : 100, read }),
    );
  }

  get seen(): readonly SeenPlace[] {
    return this.#observers.flatMap(({ seen }) => seen);
  }

  async close(): Promise<void> {
    await Promise.all(this.#observers.map((observer) => observer.close()));
  }
}

/** How each place is read. `ring` is every server that twemproxy hashes over, with those that it is connected to. */
export function placeReadings(stage: Stage): Readonly<Record<string, () => Promise<Servers>>> {
  const { files, haproxySocket } = stage;
  const read = (path: string) => readFileSync(path, 'utf8');
  return {
    'haproxy file': async () => haproxyServers(read(files.haproxy)),
    'twemproxy file': async () => twemproxyServers(read(files.twemproxy)),
    'app file': async () => appServers(read(files.app)),
    haproxy: async () => runtimeServers(await askSocket({ path: haproxySocket }, 'show servers state')),
    twemproxy: () => twemproxyRing(stage),
  };
}

export function haproxyServers(text: string): Servers {
  const servers = text.matchAll(/^backend (\S+)\n {4}server master (\S+) check$/gm);
  return new Map([...servers].map(([, name = '', address = '']) => [name, [address]]));
}

export function twemproxyServers(text: string): Servers {
  const servers = text.matchAll(/^ {4}- (\S+:\d+):\d+ (\S+)$/gm);
  return new Map([...servers].map(([, address = '', name = '']) => [name, [address]]));
}

/** Throws when it is not JSON. */
export function appServers(text: string): Servers {
  const { masters } = JSON.parse(text) as { masters: Record<string, Address> };
  return new Map(Object.entries(masters).map(([name, address]) => [name, [formatAddress(address)]]));
}

/** `show servers state` of HAProxy (management guide, 9.3). */
export function runtimeServers(text: string): Servers {
  const lines = text.split('\n').slice(1);
  const header = (lines[0] ?? '').replace(/^# /, '').split(' ');
  const [backend, address, port] = ['be_name', 'srv_addr', 'srv_port'].map((column) => header.indexOf(column));
  const rows = lines
    .slice(1)
    .map((line) => line.split(' '))
    .filter((fields) => fields.length >= header.length);
  if (rows.length === 0) throw new Error(`HAProxy shows no servers: ${text.slice(0, 200)}`);
  return new Map(rows.map((fields) => [fields[backend ?? 0] ?? '', [`${fields[address ?? 0]}:${fields[port ?? 0]}`]]));
}

/** The names by its statistics; the addresses by its connections, since its statistics do not show them. */
async function twemproxyRing({ twemproxy, twemproxyAt, shards }: Stage): Promise<Servers> {
  const { pid, stats } = twemproxy;
  if (pid === undefined || stats === undefined) throw new Error('twemproxy does not run');
  const pools = JSON.parse(await askSocket(stats)) as Record<string, Record<string, unknown>>;
  const names = Object.entries(pools.redis ?? {}).filter(([, value]) => typeof value === 'object');
  const own = [twemproxyAt, stats].map(formatAddress);
  const connected = openFiles(pid).connections.filter(({ local }) => !own.includes(local));
  const remotes = [...new Set(connected.map(({ remote }) => remote))].sort();
  const ofShard = (name: string) => {
    const others = shards.filter((shard) => shard.name !== name).flatMap(({ servers }) => servers);
    return remotes.filter((remote) => !others.some(({ address }) => formatAddress(address) === remote));
  };
  return new Map(names.map(([name]) => [name, ofShard(name)]));
}
