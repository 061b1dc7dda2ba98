import type { Address } from '../../lib/model/address.ts';
import {
  followingClient,
  NumberWriter,
  persistentClient,
  sentinelClient,
  type WriteClient,
} from '../integration/support/writing.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import type { MasterObservers } from './observers.ts';
import type { Loss } from './rules.ts';
import { mastersByRole } from './settling.ts';
import type { Stage } from './stage.ts';

/** Between two writes of one writer. */
const pauseMs = 9;
const startMs = 60_000;

/** The writers of each shard, by its name. */
export type Writers = ReadonlyMap<string, readonly NumberWriter[]>;

/**
 * Writers by every way to a master. `control` follows the Sentinels' majority at once; `sentinel` is ioredis, as most
 * applications follow the Sentinels.
 */
export function startWriters(stage: Stage, observers: readonly MasterObservers[], prefix: string): Writers {
  return new Map(observers.map((observer) => [observer.shard.name, startWritersOf(stage, observer, prefix)]));
}

/** Waits until every way leads to its master, and returns those that do not in time. */
export async function untilWriting(writers: Writers): Promise<readonly string[]> {
  const waits = [...writers].flatMap(([shard, own]) =>
    own.map((writer) =>
      waitFor('it to write', () => writer.acknowledged.size > 10, { timeoutMs: startMs }).then(
        () => [],
        () => [
          `the writer by ${writer.name} cannot write to ${shard}: ${writer.errors.at(-1)?.message ?? 'no answer'}`,
        ],
      ),
    ),
  );
  return (await Promise.all(waits)).flat();
}

function startWritersOf(
  { consul, sentinels, haproxyAt, twemproxyAt, tags }: Stage,
  { shard: { name }, majority }: MasterObservers,
  prefix: string,
): readonly NumberWriter[] {
  const clients: Record<string, WriteClient> = {
    haproxy: persistentClient(() => haproxyAt[name] as Address),
    twemproxy: persistentClient(() => twemproxyAt),
    dns: persistentClient(() => askDns(consul, name)),
    record: persistentClient(() => askRecord(consul, name)),
    sentinel: sentinelClient({ sentinels: sentinels.map(({ address }) => address), name }),
    control: followingClient(() => parseNamed(majority.named.at(-1)?.master)),
  };
  return Object.entries(clients).map(
    ([writer, client]) => new NumberWriter({ name: writer, key: `${tags[name]}${prefix}:${writer}`, client, pauseMs }),
  );
}

function parseNamed(named: string | undefined): Address {
  if (named === undefined) throw new Error('no majority names a master');
  const colon = named.lastIndexOf(':');
  return { host: named.slice(0, colon), port: Number(named.slice(colon + 1)) };
}

async function askDns(consul: ConsulAgent, name: string): Promise<Address> {
  const answers = await consul.dnsSrv(`${name}.redis-master.service.consul`);
  const [host] = answers[0] === undefined ? [] : await consul.dnsA(answers[0].target);
  if (answers[0] === undefined || host === undefined) throw new Error('DNS names no master');
  return { host, port: answers[0].port };
}

async function askRecord(consul: ConsulAgent, name: string): Promise<Address> {
  const text = await consul.key(`redis/record/${name}`);
  if (text === undefined) throw new Error('there is no record');
  return (JSON.parse(text) as { master: Address }).master;
}

/**
 * Ends the writers and counts, by shard, what they lost: what was acknowledged and the present master does not have.
 */
export async function countLosses(stage: Stage, writers: Writers): Promise<Readonly<Record<string, readonly Loss[]>>> {
  for (const writer of [...writers.values()].flat()) await writer.stop();
  const entries = stage.shards.map(async (shard) => {
    const [master] = await mastersByRole(shard);
    if (master === undefined) throw new Error(`${shard.name} has no master`);
    const own = writers.get(shard.name) ?? [];
    return [shard.name, await Promise.all(own.map((writer) => lossOf(writer, master.address)))] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function lossOf(writer: NumberWriter, master: Address): Promise<Loss> {
  const { lost, of } = await writer.lostAt(master);
  const lostAtMs = lost.map((number) => writer.acknowledged.get(number) ?? 0);
  return { writer: writer.name, lostAtMs, acknowledged: of };
}
