import type { ConsulClient } from '../../client/consul.ts';
import { type Naming, plainKey, recordKey } from '../../model/naming.ts';
import { readStoredRecord, type StoredRecord } from '../../model/record.ts';
import type { Traces } from '../plan/evidence.ts';

/** A record and the evidence for it, as Consul holds them now. */
export interface RecordEvidence {
  readonly held: StoredRecord;
  readonly traces: Traces;
  /** Consul's index of the record. */
  readonly index: bigint;
}

/** Longer than Consul usually needs for two reads. A failover may wait for them. */
const limits = { timeoutMs: 1_000, priority: 'failover' } as const;

/**
 * Reads them without waiting for the watches, which may lag behind one another. It reads the record first: what was written
 * with it, or after it, is then in the second answer. Rejects if Consul does not answer.
 */
export async function readEvidence(
  client: Pick<ConsulClient, 'read'>,
  { naming, name, node }: { readonly naming: Naming; readonly name: string; readonly node: string },
): Promise<RecordEvidence> {
  const { value, index } = await client.read({ kind: 'key', key: recordKey(naming, name) }, limits);
  const prefix = plainKey(naming, name);
  const [keys, external] = await Promise.all([
    client.read({ kind: 'key-tree', prefix }, limits),
    client.read({ kind: 'node', node }, limits),
  ]);
  return {
    held: readStoredRecord(value, name),
    traces: { keys: new Map(keys.value.map((entry) => [entry.key, entry])), instances: external.value?.services ?? [] },
    index: value === undefined ? index : BigInt(value.modifyIndex),
  };
}
