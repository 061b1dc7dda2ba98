import { majorityOf } from '../../lib/model/epoch.ts';
import type { MasterRecord } from '../../lib/model/record.ts';

/*
 * One shard as the model sees it: Redis nodes, three Sentinels, bridges and Consul. States are plain data and never
 * changed in place, so that two paths to the same state are recognized by its text.
 */

export type Letter = 'A' | 'B' | 'C';

interface Node {
  readonly up: boolean;
  /** `master`, or the node that it follows. It keeps its last role across a restart. */
  readonly role: 'master' | Letter;
}

/** Sentinel's failover states (sentinel.c, SENTINEL_FAILOVER_STATE_*), as far as they differ to an observer. */
type Stage =
  /** WAIT_START: asks for votes. */
  | 'trying'
  /** SELECT_SLAVE. */
  | 'elected'
  /** SEND_SLAVEOF_NOONE: a replica is selected. */
  | 'selected'
  /** WAIT_PROMOTION: the replica is a master; the leader does not know yet. */
  | 'sent'
  /** RECONF_SLAVES, UPDATE_CONFIG: the leader knows by INFO; its config-epoch is the failover's, its address the old one. */
  | 'seen';

export interface Failover {
  readonly stage: Stage;
  readonly epoch: number;
  readonly selected?: Letter;
}

export interface Sentinel {
  readonly up: boolean;
  readonly master: Letter;
  readonly configEpoch: number;
  /** sentinel.current_epoch */
  readonly current: number;
  /** master->leader_epoch: the last epoch that it voted in. */
  readonly voted: number;
  readonly failover?: Failover;
}

interface Pending {
  readonly record: MasterRecord;
  readonly index: number;
}

export interface Bridge {
  readonly remembered?: MasterRecord;
  /** Its last own decision that changed the master, as the renderers of its node have it. */
  readonly decided?: MasterRecord;
  readonly abandonedEpoch?: number;
  readonly lagging?: { readonly master: Letter; readonly epoch: number };
  /** Failovers whose first messages it missed: `sentinel:epoch`. */
  readonly deaf: readonly string[];
  /** A transaction on its way to Consul. */
  readonly pending?: Pending;
  /** The nodes that answered ROLE as a master, before the bridge asks the Sentinels again. */
  readonly staleMasters?: { readonly version: string; readonly masters: readonly Letter[] };
}

/** How often each kind of fault may still happen. */
export interface Budget {
  readonly elections: number;
  readonly aborts: number;
  readonly sentinelDeaths: number;
  readonly nodeDeaths: number;
  readonly returns: number;
  readonly deafness: number;
  readonly consulOutages: number;
  readonly bridgeDeaths: number;
  /** Sentinels of which a bridge sees only some. */
  readonly blindLooks: number;
}

export interface State {
  readonly nodes: Readonly<Partial<Record<Letter, Node>>>;
  readonly sentinels: readonly Sentinel[];
  readonly bridges: readonly Bridge[];
  readonly consul: { readonly record: MasterRecord; readonly index: number; readonly up: boolean };
  readonly budget: Budget;
  /** What elected leaders selected, as `epoch:letter`, sorted. */
  readonly selections: readonly string[];
  /** `generation/epoch=letter` of each record that Consul has held, in order. */
  readonly published: readonly string[];
}

export function announced({ failover, master, configEpoch }: Sentinel): { master: Letter; epoch: number } {
  // sentinelSendHello takes sentinelGetCurrentMasterAddress: the promoted replica from RECONF_SLAVES on.
  if (failover?.stage === 'seen' && failover.selected !== undefined)
    return { master: failover.selected, epoch: failover.epoch };
  return { master, epoch: configEpoch };
}

/** The master and epoch that more than half of the Sentinels hold. */
export function majorityView(state: State): { master: Letter; epoch: number } | undefined {
  const counts = new Map<string, number>();
  for (const sentinel of state.sentinels) {
    if (!sentinel.up) continue;
    const { master, epoch } = announced(sentinel);
    const key = `${master}@${epoch}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const found = [...counts].find(([, count]) => count >= majorityOf(state.sentinels.length))?.[0];
  if (found === undefined) return undefined;
  const [master, epoch] = found.split('@');
  return { master: master as Letter, epoch: Number(epoch) };
}

export function replace<T>(list: readonly T[], index: number, value: T): readonly T[] {
  return list.map((old, i) => (i === index ? value : old));
}

export function spend(budget: Budget, kind: keyof Budget): Budget {
  return { ...budget, [kind]: budget[kind] - 1 };
}
