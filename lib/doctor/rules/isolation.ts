import { formatAddress } from '../../model/address.ts';
import { majorityOf } from '../../model/epoch.ts';
import type { Examination } from '../examination.ts';
import { type Rule, rule } from '../rule.ts';

/** With less than this, Sentinel may promote a replica before the writes are paused (docs/isolation.md). */
const shortestDownAfterMs = 5_000;
/** A replica acknowledges once a second, and Redis rounds the age. */
const freshAckMs = 2_000;

/** Whether the daemon can pause isolated masters of this node in time, and how near they are to it. */
export const isolationRules: readonly Rule[] = [
  rule({
    name: 'isolation-refused',
    severity: 'warning',
    hint: 'Give the user of register the rule +client|pause +client|unpause, use Redis 6.2 or later, or set isolation: ignore.',
    reads: ['isolation'],
    find: ({ isolation = [] }) =>
      isolation.flatMap(({ address, refused }) => {
        if (refused === undefined) return [];
        const text = `it refuses CLIENT PAUSE WRITE (${refused}): if it is isolated as a master, it acknowledges writes that will be lost`;
        return { subject: address, text };
      }),
  }),
  rule({
    name: 'isolation-near',
    severity: 'warning',
    hint: 'Bring back what this machine does not hear. The writes of a master are paused while it hears none of the three.',
    reads: ['isolation', 'sentinels', 'consul'],
    find: (examination) =>
      (examination.isolation ?? []).flatMap(({ address, role, listed, ackAgeMs }) => {
        if (role !== 'master' || listed === 0) return [];
        const acked = ackAgeMs !== undefined && ackAgeMs <= freshAckMs;
        const heard = [...(acked ? ['a replica in sync'] : []), ...hearsElsewhere(examination)];
        if (heard.length > 1) return [];
        const text = `of a replica in sync, a majority of its Sentinels and Consul's leader, this master hears only ${heard[0] ?? 'none'}`;
        return { subject: address, text };
      }),
  }),
  rule({
    name: 'isolation-late',
    severity: 'warning',
    hint: 'At each Sentinel: SENTINEL SET {subject} down-after-milliseconds 5000',
    reads: ['isolation', 'masters'],
    find: ({ isolation = [], masters }) => {
      const own = new Set(isolation.flatMap(({ address, announced, runId }) => [address, announced, runId]));
      own.delete(undefined);
      return masters.flatMap(({ name, opinions, instances }) => {
        const downAfterMs = Math.min(...opinions.map((opinion) => opinion.downAfterMs));
        const isHere = instances.some(({ address, runId }) => own.has(formatAddress(address)) || own.has(runId));
        if (!isHere || !(downAfterMs < shortestDownAfterMs)) return [];
        const fewest = instances.find(({ expected }) => expected === 'master')?.settings?.minReplicasToWrite;
        const setting = fewest === undefined ? '' : `; min-replicas-to-write is ${fewest}`;
        const text = `down-after-milliseconds is ${downAfterMs}: Sentinel may promote a replica before the writes of an isolated master are paused, up to 5 s after the cut${setting}`;
        return { subject: name, text };
      });
    },
  }),
];

function hearsElsewhere({ sentinels, consul }: Pick<Examination, 'sentinels' | 'consul'>): readonly string[] {
  const up = sentinels.filter(({ state }) => state.kind === 'reached').length;
  const isLed = consul.state.kind === 'reached' && consul.leader;
  return [
    ...(up >= majorityOf(sentinels.length) ? ['a majority of its Sentinels'] : []),
    ...(isLed ? ["Consul's leader"] : []),
  ];
}
