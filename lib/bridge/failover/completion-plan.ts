import { type Address, sameAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { ReplicaView, SentinelView } from '../../model/sentinel.ts';
import { orderableById } from '../plan/order-choice.ts';
import { majorityAnswers } from '../plan/vote.ts';

/** What the bridge knows of a failover that it has followed and that is not confirmed. */
export interface CompletionSituation {
  /** The newest record. */
  readonly record: MasterRecord;
  /** Fresh views, one for each Sentinel. */
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
  /** The ROLE answer of the record's master. */
  readonly role: 'master' | 'replica' | 'other' | 'unreachable';
  /** For how long this bridge has seen the record unconfirmed. */
  readonly openForMs: number;
}

/**
 * A leader sees the promotion within a second and then has the new epoch. One that was stopped or delayed for 2 s is in TILT
 * mode: it stays within its failover for 30 s and does nothing (sentinel.c, sentinelCheckTiltCondition). After 8 s the
 * others convert the promoted replica back.
 */
const leaderStallsAfterMs = 3_000;

export type Completion =
  /** No action, or others are acting. */
  | { readonly kind: 'leave' }
  /** `sentinel` would promote this same replica, so the bridge can order it to fail over. */
  | { readonly kind: 'order'; readonly sentinel: Address }
  /** `sentinel` could promote one of `competitors` instead, unless their `replica-priority` is raised above `above`. */
  | {
      readonly kind: 'raise-priorities';
      readonly sentinel: Address;
      readonly competitors: readonly Address[];
      readonly above: number;
    };

/**
 * Whether a failover has lost its leader between the promotion and its announcement, or the leader is stalled, and which
 * Sentinel could complete it. The promoted replica already accepts writes. The other Sentinels would convert it into a
 * replica of the old master, or elect a new leader and select another replica. Both discard writes. Instead the bridge
 * orders one of them to fail over to the same replica. It orders one in TILT mode only if there is no other. Sentinel
 * selects by priority, then offset, then run id (sentinel.c, sentinelSelectSlave and compareSlavesForPromotion), and the
 * bridge can control only the priority. All bridges that have received the same messages choose the same Sentinel.
 */
export function planCompletion({ record, views, knownSentinels, role, openForMs }: CompletionSituation): Completion {
  if (record.phase !== 'promoted' || role !== 'master') return { kind: 'leave' };
  if (!majorityAnswers({ views, knownSentinels })) return { kind: 'leave' };
  if (views.some((view) => view.configEpoch >= record.epoch)) return { kind: 'leave' };
  const isStalled = (view: SentinelView) => openForMs > leaderStallsAfterMs && leads(view, record);
  if (views.some((view) => view.condition === 'failover' && !isStalled(view))) return { kind: 'leave' };
  const able = views
    .filter(({ condition }) => condition !== 'failover')
    .filter((view) =>
      view.replicas.some((replica) => isLinked(replica) && sameAddress(replica.address, record.master)),
    );
  const [chosen] = orderableById(able);
  if (chosen === undefined) return { kind: 'leave' };
  const above = priorityOf(chosen, record.master);
  if (above === 0) return { kind: 'leave' };
  const competitors = chosen.replicas.filter((replica) => competes(replica, { record, above }));
  const { sentinel } = chosen;
  if (competitors.length === 0) return { kind: 'order', sentinel };
  return { kind: 'raise-priorities', sentinel, competitors: competitors.map(({ address }) => address), above };
}

/** Whether this Sentinel's failover under way is the one that the record follows. */
function leads({ promoting }: SentinelView, { master }: MasterRecord): boolean {
  return promoting !== undefined && sameAddress(promoting, master);
}

/** The last priority that this Sentinel has seen: the INFO of a master has none. */
function priorityOf({ replicas }: SentinelView, address: Address): number {
  return replicas.find((replica) => sameAddress(replica.address, address))?.priority ?? defaultPriority;
}

/** Sentinel selects only replicas that it can reach. */
function isLinked({ condition }: ReplicaView): boolean {
  return condition !== 's_down' && condition !== 'unlinked';
}

/** Replicas that are down count too, because they may be back at the selection. */
function competes(replica: ReplicaView, { record, above }: { record: MasterRecord; above: number }): boolean {
  const { address, priority = defaultPriority } = replica;
  return !sameAddress(address, record.master) && priority !== 0 && priority <= above;
}

/** Redis' own default of `replica-priority`. */
const defaultPriority = 100;
