import { type Address, sameAddress } from '../../../lib/model/address.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Links } from '../../sandbox/links.ts';
import type { SentinelEvent, SentinelRecorder } from '../../sandbox/recorder.ts';
import type { RedisServer, Shard } from '../../sandbox/redis.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import type { Server } from '../../sandbox/server.ts';
import type { NodeBridge } from './bridges.ts';
import type { End, WindowCase } from './cases.ts';

/** What a fault can concern. */
export interface Field {
  readonly window: WindowCase;
  readonly shard: Shard;
  readonly sentinels: readonly SentinelServer[];
  readonly bridges: readonly NodeBridge[];
  /** The Consul agent of the bridges. */
  readonly consul: ConsulAgent;
  /** Real servers with Raft, if the fault concerns their leader. */
  readonly consulServers: readonly ConsulAgent[];
  readonly links: Links;
  /** Of every Sentinel, and of each that was started again. */
  readonly recorders: SentinelRecorder[];
  readonly note: (who: string, what: string) => void;
}

/** The failover's leader, and the replica that it selected; before that, the replicas that it can select. */
interface Actors {
  readonly leader: SentinelServer;
  readonly selected: RedisServer;
}

const delayMs = 25_000;

/**
 * Carries out the fault at the message: in the very callback that brings it, or later, as the case has it. Resolves when
 * the fault is over, as far as it ends by itself.
 */
export function strikeAt(field: Field): Promise<void> {
  const { window, recorders, shard, sentinels } = field;
  return new Promise((resolve, reject) => {
    let selected: RedisServer | undefined;
    const timer = setTimeout(() => reject(new Error(`${window.moment} did not come`)), delayMs);
    for (const [i, recorder] of recorders.entries()) {
      recorder.onEvent = (event) => {
        if (event.channel === '+selected-slave') selected = selectedBy(shard, event);
        if (event.channel !== window.moment) return;
        const leader = sentinels[i];
        const candidate = selected ?? shard.replicas[0];
        clearTimeout(timer);
        for (const other of recorders) other.onEvent = undefined;
        if (leader === undefined || candidate === undefined) return reject(new Error('nobody leads'));
        const strikeNow = () => strike(field, { leader, selected: candidate }).then(resolve, reject);
        if (window.delayMs === 0) strikeNow();
        else setTimeout(strikeNow, window.delayMs);
      };
    }
  });
}

/** Carries out the fault while nobody leads yet. It concerns neither the leader nor the selected replica. */
export async function strikeFirst(field: Field): Promise<void> {
  const { window, shard, sentinels } = field;
  const [leader, selected] = [sentinels[0], shard.replicas[0]];
  if (leader === undefined || selected === undefined) throw new Error('a shard has Sentinels and a replica');
  await wait(window.delayMs);
  await strike(field, { leader, selected });
}

/** The selected replica, by the payload `slave host:port host port @ ...`. */
export function selectedBy(shard: Shard, { payload }: SentinelEvent): RedisServer | undefined {
  const [, , host = '', port] = payload.split(' ');
  return shard.servers.find(({ address }) => sameAddress(address, { host, port: Number(port) }));
}

async function strike(field: Field, actors: Actors): Promise<void> {
  const { window, links, note } = field;
  const { fault, lastsMs, direction, manner } = window;
  if (fault.kind === 'returns') return bringBack(field);
  if (fault.kind === 'cut') {
    const [a, b] = [hostsOf(field, actors, fault.who), hostsOf(field, actors, fault.from)];
    const [from, to] = direction === 'back' ? [b, a] : [a, b];
    note('fault', `${from.join(',')} ${direction === 'both' ? '<-/->' : '-/->'} ${to.join(',')} (${manner})`);
    const heal = await links.cut({ from, to, direction: direction === 'both' ? 'both' : 'one way', manner });
    await wait(lastsMs);
    await heal();
    return note('fault', 'healed');
  }
  const servers = await serversOf(field, actors, fault.who);
  if (fault.kind === 'killed') {
    note('fault', `${servers.map(({ name }) => name).join(', ')} killed`);
    await Promise.all(servers.map((server) => server.kill()));
    return;
  }
  note('fault', `${servers.map(({ name }) => name).join(', ')} paused`);
  for (const server of servers) server.pause();
  await wait(lastsMs);
  for (const server of servers) server.resume();
  note('fault', 'resumed');
}

async function bringBack({ shard, links, note }: Field): Promise<void> {
  note('fault', 'the old master returns');
  await links.healAll();
  if (!shard.master.running) await shard.master.start();
}

function struckBridges({ window, bridges }: Field): readonly NodeBridge[] {
  return bridges.slice(0, window.bridges);
}

async function serversOf(field: Field, { leader, selected }: Actors, who: string): Promise<readonly Server[]> {
  switch (who) {
    case 'leader':
      return [leader];
    case 'selected':
      return [selected];
    case 'bridge':
      return struckBridges(field).map(({ server }) => server);
    case 'Consul':
      return [field.consul];
    default:
      return [await consulLeader(field.consulServers)];
  }
}

async function consulLeader(servers: readonly ConsulAgent[]): Promise<ConsulAgent> {
  const leader = await servers[0]?.get<string>('/v1/status/leader');
  const found = servers.find(({ http }) => leader?.startsWith(`${http.host}:`));
  if (found === undefined) throw new Error(`none of Consul's servers is its leader (${leader})`);
  return found;
}

function hostsOf(field: Field, { leader, selected }: Actors, end: End): readonly string[] {
  const { sentinels, shard, consul } = field;
  const hosts = (servers: readonly { readonly address: Address }[]) => servers.map(({ address }) => address.host);
  switch (end) {
    case 'leader':
      return hosts([leader]);
    case 'others':
      return hosts(sentinels.filter((sentinel) => sentinel !== leader));
    case 'old master':
      return hosts([shard.master]);
    case 'selected':
      return hosts([selected]);
    case 'other replica':
      return hosts(shard.replicas.filter((replica) => replica !== selected));
    case 'bridge':
      return struckBridges(field).map(({ host }) => host);
    case 'Consul':
      return [consul.http.host];
  }
}

function wait(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
