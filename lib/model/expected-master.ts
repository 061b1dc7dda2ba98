import { type Address, sameAddress } from './address.ts';
import type { MasterRecord } from './record.ts';

/** A master that a failover under way will have if nothing goes wrong. Nothing is decided by it, and nobody sees it. */
export interface ExpectedMaster {
  readonly name: string;
  readonly master: Address;
  /** The epoch of the failover. */
  readonly epoch: number;
  /** The Sentinel that leads the failover. */
  readonly sentinel: Address;
}

/** The record that the failover leads to, as far as it is known; undefined where the record does not wait for this failover. */
export function expectedRecord(
  record: MasterRecord,
  { name, master, epoch }: ExpectedMaster,
): MasterRecord | undefined {
  if (record.name !== name || epoch <= record.epoch || sameAddress(record.master, master)) return undefined;
  const others = record.replicas.filter((replica) => !sameAddress(replica, master));
  const replicas = [...others, record.master];
  return { ...record, epoch, phase: 'promoted', master, replicas, previous: record.master, reason: 'failover' };
}
