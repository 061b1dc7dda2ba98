import { connect, type Socket } from 'node:net';
import type { RedisServer } from '../sandbox/redis.ts';
import type { CrashStage, Whole } from './stage.ts';

export interface Scene extends Whole, Pick<CrashStage, 'links' | 'bridges'> {
  /** The hosts of Sentinels, or of other nodes of the cluster. */
  readonly observers: readonly string[];
  /** From 0 up to 1. */
  readonly random: () => number;
}

export function openIdle({ address: { host, port } }: RedisServer): Socket {
  return connect({ host, port }).on('error', () => undefined);
}
