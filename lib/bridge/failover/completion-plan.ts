import { type Address, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { ReplicaView, SentinelView } from '../../model/sentinel.ts';
import { majorityHeard } from '../plan/vote.ts';

/** What is known of a failover that was followed and is not confirmed. */
export interface CompletionSituation {
  /** The newest record. */
  readonly record: MasterRecord;
  /** Fresh views, one a Sentinel. */
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
  /** How the record's master answered ROLE. */
  readonly role: 'master' | 'replica' | 'other' | 'unreachable';
}

export type Completion =
  /** Nothing is to be done, or it is done by others. */
  | { readonly kind: 'leave' }
  /** `sentinel` would promote this very replica: it can be asked to fail over. */
  | { readonly kind: 'order'; readonly sentinel: Address }
  /** `sentinel` might promote one of `rivals`: their `replica-priority` must be above `above` for it not to. */
  | {
      readonly kind: 'prefer';
      readonly sentinel: Address;
      readonly rivals: readonly Address[];
      readonly above: number;
    };

/**
 * Whether a failover has lost its leader between the promotion and its announcement, and who could end it.
 *
 * The promoted replica takes writes by then. The other Sentinels would turn it back into a replica of the old master, or
 * elect anew and choose another one: both discard what was written. One of them is asked instead to fail over to the very
 * same replica, which Sentinel selects by priority, then offset, then run id (sentinel.c, sentinelSelectSlave and
 * compareSlavesForPromotion): of these only the priority is sure. Every bridge names the same Sentinel.
 */
export function planCompletion({ record, views, knownSentinels, role }: CompletionSituation): Completion {
  if (record.phase !== 'promoted' || role !== 'master') return { kind: 'leave' };
  if (!majorityHeard({ views, knownSentinels })) return { kind: 'leave' };
  if (views.some((view) => view.condition === 'failover' || view.configEpoch >= record.epoch)) return { kind: 'leave' };
  const [chosen] = views
    .filter((view) => view.replicas.some((replica) => isLinked(replica) && sameAddress(replica.address, record.master)))
    .toSorted((a, b) => (a.sentinelId < b.sentinelId ? -1 : 1));
  if (chosen === undefined) return { kind: 'leave' };
  const above = priorityOf(chosen, record.master);
  if (above === 0) return { kind: 'leave' };
  const rivals = chosen.replicas.filter((replica) => isRival(replica, { record, above }));
  const { sentinel } = chosen;
  if (rivals.length === 0) return { kind: 'order', sentinel };
  return { kind: 'prefer', sentinel, rivals: rivals.map(({ address }) => address), above };
}

/** By what this Sentinel has seen last: a master's INFO tells no priority. */
function priorityOf({ replicas }: SentinelView, address: Address): number {
  return replicas.find((replica) => sameAddress(replica.address, address))?.priority ?? defaultPriority;
}

/** Sentinel selects only among those that it can reach. */
function isLinked({ condition }: ReplicaView): boolean {
  return condition !== 's_down' && condition !== 'unlinked';
}

/** One that is down now may be back when it counts. */
function isRival(replica: ReplicaView, { record, above }: { record: MasterRecord; above: number }): boolean {
  const { address, priority = defaultPriority } = replica;
  return !sameAddress(address, record.master) && priority !== 0 && priority <= above;
}

/** Redis' own default of `replica-priority`. */
const defaultPriority = 100;
