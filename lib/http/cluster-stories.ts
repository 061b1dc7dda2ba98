import { formatAddress, toAddress } from '../model/address.ts';
import { asMap } from '../model/json.ts';
import type { JournalEntry } from '../telemetry/journal.ts';
import type { FailoverStory } from './failover-stories.ts';
import { describeCrash } from './sentences.ts';

/* What each failover of a Redis Cluster was that a daemon ordered, put together from the journal's entries about the cluster. */

/** The record follows the order within this time. */
const afterMs = 10_000;

/** Whether the entry is an order, and so has a story of its own. */
export function isClusterOrder({ loop, kind }: Pick<JournalEntry, 'loop' | 'kind'>): boolean {
  return kind === 'applied' && (loop === 'cluster-crash' || loop === 'cluster-failover');
}

/** `entries`: newest first, all of one cluster. The stories are newest last. */
export function describeClusterFailovers(entries: readonly JournalEntry[]): readonly FailoverStory[] {
  const inOrder = entries.toReversed();
  return inOrder.filter(isClusterOrder).map((order) => describe(order, followingRecord(order, inOrder)));
}

/** The entry by which the record got the new master. */
function followingRecord(order: JournalEntry, inOrder: readonly JournalEntry[]): JournalEntry | undefined {
  const sinceMs = ({ at }: JournalEntry) => Date.parse(at) - Date.parse(order.at);
  const isNear = (entry: JournalEntry) => Math.abs(sinceMs(entry)) <= afterMs;
  const records = inOrder.filter((entry) => entry.loop === 'cluster' && entry.kind === 'applied' && isNear(entry));
  const { to } = partiesOf(order);
  const matching = records.filter(({ details }) => mastersOf(details.record).includes(to));
  // The clocks of two entries may differ a little. One from before may also be that of an earlier failover.
  return matching.find((entry) => sinceMs(entry) >= 0) ?? matching.at(-1);
}

function describe(order: JournalEntry, change: JournalEntry | undefined): FailoverStory {
  const { from, to } = partiesOf(order);
  const epoch = Number(order.details.epoch ?? asMap(change?.details.record).epoch ?? 0);
  const isPlanned = order.loop === 'cluster-failover';
  const version = epoch > 0 ? `, epoch ${epoch}` : '';
  const crash = describeCrash(order);
  return {
    ...{ id: order.id, at: order.at, from, to, generation: 1, epoch },
    lines: [
      `${order.at}  ${isPlanned ? 'planned failover' : 'failover'}: ${from ?? 'nobody'} → ${to}${version}`,
      `seen down by: ${isPlanned ? 'nobody; an operator ordered it' : `this daemon (${order.summary})`}`,
      `led by: the cluster`,
      `took: ${describeStages(order, change)}`,
      ...(crash.length === 0 ? [] : [`evidence: ${crash.join(' ')}`]),
    ],
  };
}

function describeStages(order: JournalEntry, change: JournalEntry | undefined): string {
  const stages = Object.entries(asMap(order.details.stages)).flatMap(([stage, ms]) =>
    typeof ms === 'number' ? [`${stage.replace(/Ms$/, '')} after ${ms} ms`] : [],
  );
  const recordMs = change === undefined ? undefined : Date.parse(change.at) - Date.parse(order.at);
  const recorded = recordMs === undefined || recordMs < 0 ? [] : [`in Consul ${recordMs} ms later`];
  return [...stages, ...recorded].join(', ') || 'not known to this daemon';
}

function partiesOf({ details }: JournalEntry): { readonly from: string | null; readonly to: string } {
  const { master, replica, from, to } = details;
  return { from: textOf(master) ?? textOf(from) ?? null, to: textOf(replica) ?? textOf(to) ?? 'not known' };
}

/** Addresses of crashes are texts, those of planned failovers are objects. */
function textOf(address: unknown): string | undefined {
  if (typeof address === 'string') return address;
  const { host, port } = asMap(address);
  const known = toAddress(host, port);
  return known === undefined ? undefined : formatAddress(known);
}

function mastersOf(record: unknown): readonly unknown[] {
  const { shards } = asMap(record);
  return Array.isArray(shards) ? shards.map((shard) => textOf(asMap(shard).master)) : [];
}
