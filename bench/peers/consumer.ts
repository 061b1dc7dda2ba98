import { readFileSync } from 'node:fs';
import { formatAddress } from '../../lib/model/address.ts';
import type { ConsulAgent } from '../../test/sandbox/consul.ts';
import type { Shard } from '../../test/sandbox/redis.ts';
import type { Sandbox } from '../../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../../test/sandbox/sentinel.ts';

/** The servers that all programs follow. */
export interface PeersWorld {
  readonly sandbox: Sandbox;
  readonly consul: ConsulAgent;
  readonly shards: readonly Shard[];
  readonly sentinels: readonly SentinelServer[];
  /** The Sentinel that gets the orders, so it is the first to announce. A program that follows one Sentinel follows this one. */
  readonly leader: SentinelServer;
}

/** A file that follows the masters, and what its reload touches. */
export interface Consumer {
  readonly label: string;
  readonly marker: string;
  readonly readText: () => string;
}

export type PlacedConsumer = Consumer & { readonly destination: string };

interface Place {
  readonly label: string;
  /** Of its files in the sandbox. */
  readonly name: string;
}

export function placeConsumer(sandbox: Sandbox, { label, name }: Place): PlacedConsumer {
  const destination = sandbox.path(`${name}.conf`);
  const readText = () => readFileSync(destination, 'utf8');
  return { label, destination, readText, marker: sandbox.write(`${name}.reloaded`, '') };
}

export function namesEveryMaster({ readText }: Consumer, shards: readonly Shard[]): boolean {
  const text = readText();
  return shards.every(({ master }) => text.includes(formatAddress(master.address)));
}
