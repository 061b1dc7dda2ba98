import type { MasterState } from '../../http/views.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import { type HealthCode, makeReason, type Reason } from '../../model/health.ts';

/** So far behind, a replica would lose what people notice. Less may be the age of the measurement, which it includes. */
const lagLimitMs = 10_000;

/** How well a master's replicas are: each one that could not take over, and that there is none. */
export function judgeReplicas({
  master,
  settling,
}: {
  readonly master: MasterState;
  /** Its master has just changed: replicas are being reconfigured. */
  readonly settling: boolean;
}): readonly Reason[] {
  const { name, record, sentinels } = master;
  const replicas = record?.replicas ?? [];
  if (replicas.length === 0) {
    const subject = { kind: 'master', name } as const;
    const text = 'It has no replica: no failover is possible.';
    return [makeReason({ code: 'master-without-replica', subject, text })];
  }
  // Nobody says anything about replicas.
  if (!sentinels.some((vote) => vote.master !== null)) return [];
  return replicas.flatMap((address) => judgeReplica({ master, address, settling }));
}

type Condition = MasterState['sentinels'][number]['replicas'][number]['condition'] | 'not seen';

const texts: Readonly<Record<Exclude<Condition, 'up'>, { readonly code: HealthCode; readonly text: string }>> = {
  s_down: { code: 'replica-down', text: 'is down' },
  'link-down': { code: 'replica-not-replicating', text: 'does not replicate: its link to the master is down' },
  unlinked: { code: 'replica-not-replicating', text: 'does not replicate yet' },
  master: { code: 'replica-not-replicating', text: 'does not replicate: it says that it is a master' },
  'not seen': { code: 'replica-not-replicating', text: 'is known to no Sentinel' },
};

function judgeReplica(given: {
  readonly master: MasterState;
  readonly address: Address;
  readonly settling: boolean;
}): readonly Reason[] {
  const { master, address, settling } = given;
  const replica = formatAddress(address);
  const subject = { kind: 'master', name: master.name, address: replica } as const;
  const condition = conditionOf(master, address);
  if (condition !== 'up') {
    const { code, text } = texts[condition];
    const passing = settling && condition !== 's_down';
    return [makeReason({ code, subject, text: `Replica ${replica} ${text}.`, ...(passing ? { level: 'well' } : {}) })];
  }
  const lag = master.replicas.find((one) => sameAddress(one.address, address))?.lag ?? null;
  const behindMs = lag?.behindMs ?? 0;
  if (behindMs <= lagLimitMs) return [];
  const text = `Replica ${replica} is ${Math.round(behindMs / 1_000)} s behind its master.`;
  return [makeReason({ code: 'replica-lags', subject, text })];
}

/** As most of the Sentinels that see it do. */
function conditionOf({ sentinels }: MasterState, address: Address): Condition {
  const counts = new Map<Condition, number>();
  for (const { replicas } of sentinels) {
    const seen = replicas.find((replica) => sameAddress(replica.address, address));
    if (seen !== undefined) counts.set(seen.condition, (counts.get(seen.condition) ?? 0) + 1);
  }
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a);
  return most?.[0] ?? 'not seen';
}
