import { setTimeout as delay } from 'node:timers/promises';
import { NumberWriter, persistentClient } from '../integration/support/writing.ts';
import { waitFor } from '../sandbox/condition.ts';
import { nowMs } from '../sandbox/recorder.ts';
import { cutOff, type IsolationStage, untilWhole } from './stage.ts';

/** How the servers are protected in a round. */
export const protections = ['pause', 'min-replicas', 'ignore'] as const;
export type Protection = (typeof protections)[number];

/** One partition that leaves a client with the old master. Times are milliseconds after the cut. */
export interface Partition {
  readonly protection: Protection;
  /** Acknowledged writes, before and after the cut, and those of them that the new master does not have. */
  readonly acknowledged: number;
  readonly lost: number;
  /** The last acknowledgement before the promotion, and the first answer of the replica as a master. */
  readonly lastAckMs: number;
  readonly promotedMs: number;
  /** Writes that the old master acknowledged between the promotion and the end of the partition, and after it. */
  readonly afterPromotion: number;
  readonly afterHeal: number;
}

let rounds = 0;
/** Each write that is acknowledged after a promotion is a failure: more of them would only cost time. */
const pauseMs = 10;

export async function playPartition(stage: IsolationStage, protection: Protection): Promise<Partition> {
  const { master, replica } = await untilWhole(stage, protection === 'pause' ? 'pause' : 'ignore');
  const fewest = protection === 'min-replicas' ? 1 : 0;
  for (const { redis } of stage.nodes) await redis.command('CONFIG', 'SET', 'min-replicas-to-write', fewest);
  rounds += 1;
  const client = persistentClient(() => master.redis.address);
  const writer = new NumberWriter({ name: 'client', key: `numbers-${rounds}`, client, pauseMs });
  await waitFor('50 writes', () => writer.acknowledged.size >= 50);
  const cutMs = nowMs();
  const heal = await cutOff(stage, { node: master, reaches: 'nobody' });
  await waitFor('the promotion', async () => ((await replica.redis.command('ROLE')) as unknown[])[0] === 'master', {
    timeoutMs: 90_000,
    intervalMs: 5,
  });
  const promotedMs = nowMs();
  // Clients that stay with the old master do not notice the promotion: they write on.
  await delay(1_000);
  const healedMs = nowMs();
  await heal();
  await waitFor(
    'the old master to be a replica',
    async () => {
      const [role] = (await master.redis.command('ROLE')) as unknown[];
      return role === 'slave';
    },
    { timeoutMs: 60_000 },
  );
  await writer.stop();
  const { lost, of } = await writer.lostAt(replica.redis.address);
  const times = [...writer.acknowledged.values()];
  return {
    protection,
    acknowledged: of,
    lost: lost.length,
    lastAckMs: Math.round(Math.max(...times.filter((atMs) => atMs < promotedMs)) - cutMs),
    promotedMs: Math.round(promotedMs - cutMs),
    afterPromotion: times.filter((atMs) => atMs >= promotedMs && atMs < healedMs).length,
    afterHeal: times.filter((atMs) => atMs >= healedMs).length,
  };
}
