import type { RedisPool } from '../../client/redis-pool.ts';
import { readSharedHistory } from '../../client/replication-shapes.ts';
import type { Address } from '../../model/address.ts';
import { formatAddress } from '../../model/address.ts';
import { compareVersions } from '../../model/epoch.ts';
import type { MasterRecord } from '../../model/record.ts';
import { releaseWrites } from '../apply/fence.ts';
import { describeRecord, type PlannedCourse } from './planned-course.ts';
import { readInheritedBy, readReplicationInfo } from './planned-replication.ts';
import type { PlannedReport } from './planned-steps.ts';

const askTimeoutMs = 500;
const demotionTimeoutMs = 30_000;

export interface Promoted {
  readonly to: MasterRecord;
  readonly manner: PlannedReport['manner'];
  /** The offset at which the old master stopped, where it was read before the promotion. */
  readonly offset: number | undefined;
}

/** From the promotion to the old master as a replica. */
export async function finishPlanned(
  course: PlannedCourse,
  before: MasterRecord,
  promoted: Promoted,
): Promise<PlannedReport> {
  try {
    return await finish(course, before, promoted);
  } finally {
    if (promoted.manner === 'coordinated') await releaseReplica(course.parts.redis, before.master);
  }
}

/**
 * Sentinel ends the pause of a coordinated failover when it sees the promotion, unless it has died since. A master stays paused:
 * what it accepted would be lost.
 */
async function releaseReplica(redis: RedisPool, address: Address): Promise<void> {
  const { role } = await redis.role(address, { timeoutMs: askTimeoutMs });
  if (role === 'replica') await releaseWrites(redis, address);
}

async function finish(
  course: PlannedCourse,
  before: MasterRecord,
  { to, manner, offset }: Promoted,
): Promise<PlannedReport> {
  const { redis } = course.parts;
  const early = await readInheritedBy(redis, to.master);
  requireWhole(course, { to, inherited: early, paused: offset });
  await confirm(course, to);
  const isDemoted = async () => {
    requireStill(course, to);
    return (await redis.role(before.master, { timeoutMs: askTimeoutMs })).role === 'replica';
  };
  await course.until('the old master is a replica', { reached: isDemoted, timeoutMs: demotionTimeoutMs });
  requireStill(course, to);
  course.stages.reached('demoted');
  // A connection that is just opened again gives no answer.
  const inherited = Number.isNaN(early) ? await readInheritedBy(redis, to.master) : early;
  const paused = offset ?? (await readEnd(course, { from: before.master, to: to.master }));
  requireWhole(course, { to, inherited, paused });
  return {
    name: course.name,
    manner,
    from: before.master,
    to: to.master,
    generation: to.generation,
    epoch: to.epoch,
    stages: course.stages.times,
    withoutWritesMs: course.stages.between('paused', 'promoted'),
    offsets: { paused, inherited },
  };
}

/** Throws if the new master is known to lack something of the old one. */
function requireWhole(
  course: PlannedCourse,
  state: { readonly to: MasterRecord; readonly inherited: number; readonly paused: number | null | undefined },
): void {
  const { to, inherited, paused } = state;
  if (typeof paused !== 'number' || !(inherited < paused)) return;
  throw course.failed(`${formatAddress(to.master)} has offset ${inherited} of ${paused}`);
}

/** Where the history ended that the old master wrote itself. null where it copied the whole data set of the new one. */
async function readEnd(
  { parts: { redis } }: PlannedCourse,
  { from, to }: { readonly from: Address; readonly to: Address },
): Promise<number | null> {
  const [old, now] = await Promise.all([from, to].map((address) => readReplicationInfo(redis, address)));
  const [ended, began] = [readSharedHistory(old), readSharedHistory(now)];
  return ended !== undefined && ended.id === began?.id ? ended.offset : null;
}

/** Waits until a majority of the Sentinels confirms this very record. */
async function confirm(course: PlannedCourse, to: MasterRecord): Promise<void> {
  const { timeoutMs } = course;
  const isOver = (known: MasterRecord) => compareVersions(known, to) !== 0 || known.phase === 'confirmed';
  const { memory, ends } = course.parts;
  const known = await memory.whenRemembered(isOver, { timeoutMs, signal: ends.all });
  if (known === undefined) course.requireTime();
  if (known === undefined) throw course.failed(`no majority of the Sentinels confirmed it within ${timeoutMs} ms`);
  requireStill(course, to);
  course.stages.reached('confirmed');
}

/** Throws if the record has changed since: the promotion failed, or another failover followed. */
function requireStill(course: PlannedCourse, to: MasterRecord): void {
  const { record: known } = course.parts.memory;
  if (known !== undefined && compareVersions(known, to) === 0) return;
  throw course.failed(`it was replaced${known === undefined ? '' : `: ${describeRecord(known)}`}`);
}
