import type { ConsulClient } from '../../client/consul.ts';
import { maxTransactionSteps } from '../../client/consul-operations.ts';
import type { Priority } from '../../client/consul-options.ts';
import type { CatalogChange, CatalogOperation } from '../../model/catalog.ts';
import type { StoredRecord } from '../../model/record.ts';

/** The result of a change of the catalog. */
export type RecordOutcome =
  | { readonly kind: 'applied'; readonly modifyIndex: number }
  /** Another bridge changed the record first; this one wrote nothing. */
  | { readonly kind: 'fenced'; readonly what: string };

/**
 * Publishes a record with its keys and services in one transaction. What does not fit into it (a master with dozens of
 * replicas) follows in further transactions, each fenced by the record that the first one wrote. With the priority of a
 * failover, the default, it goes before the answers of watches.
 */
export async function publishRecord(
  client: ConsulClient,
  change: CatalogChange & { readonly key: string; readonly priority?: Priority },
): Promise<RecordOutcome> {
  const room = maxTransactionSteps - change.first.length;
  const steps = [...change.first, ...change.rest.slice(0, room)];
  const { priority = 'failover' } = change;
  const precedence = priority === 'failover' ? 'over-watches' : 'none';
  const answer = await client.transact(steps, { timeoutMs: writeTimeoutMs, precedence });
  if (answer.kind === 'conflict') return { kind: 'fenced', what: describe(answer.errors) };
  const modifyIndex = answer.indexes.get(change.key) ?? 0;
  const left = change.rest.slice(room);
  if (left.length === 0) return { kind: 'applied', modifyIndex };
  return repairCatalog(client, { key: change.key, held: { kind: 'present', modifyIndex }, steps: left, priority });
}

/** Carries out steps that do not change the record, only while the record is the one that the steps were planned on. */
export async function repairCatalog(
  client: ConsulClient,
  repair: {
    readonly key: string;
    readonly held: Pick<Extract<StoredRecord, { kind: 'present' }>, 'kind' | 'modifyIndex'>;
    readonly steps: readonly CatalogOperation[];
    readonly priority?: Priority;
  },
): Promise<RecordOutcome> {
  const { key, held, steps, priority = 'normal' } = repair;
  const limits = { timeoutMs: writeTimeoutMs, priority };
  const size = maxTransactionSteps - 1;
  for (let from = 0; from < steps.length; from += size) {
    const fence = { kind: 'kv-check-index', key, index: held.modifyIndex } as const;
    const answer = await client.transact([fence, ...steps.slice(from, from + size)], limits);
    if (answer.kind === 'conflict') return { kind: 'fenced', what: describe(answer.errors) };
  }
  return { kind: 'applied', modifyIndex: held.modifyIndex };
}

/** A Consul that takes longer counts as down: the next run plans the change again. */
const writeTimeoutMs = 3_000;

function describe(errors: readonly { readonly step: number; readonly what: string }[]): string {
  return errors.map(({ step, what }) => `step ${step}: ${what}`).join('; ');
}
