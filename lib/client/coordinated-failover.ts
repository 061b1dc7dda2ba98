import { SwitchmasterError } from '../errors.ts';
import type { Address } from '../model/address.ts';
import { readInfo } from './instance-shapes.ts';
import type { RedisPool } from './redis-pool.ts';
import type { SentinelLink } from './sentinel.ts';
import { noMaster } from './sentinel-questions.ts';
import { readFields } from './sentinel-shapes.ts';

/*
 * Coordinated failovers: SENTINEL FAILOVER name COORDINATED (Valkey 9, src/commands/sentinel-failover.json and sentinel.c), with
 * which Sentinel lets the master carry out FAILOVER TO replica (Redis 6.2).
 */

interface Deadline {
  readonly timeoutMs: number;
}

/** Orders one. Sentinel asks the other Sentinels for their votes first. */
export async function orderCoordinated(link: SentinelLink, name: string, deadline: Deadline): Promise<void> {
  await link.call(['FAILOVER', name, 'COORDINATED'], deadline);
}

/**
 * Whether a Sentinel knows the option. An order about a master that does not exist shows it: older Sentinels count its words first.
 * Rejects where it does not answer, or its user may not order failovers.
 */
export async function knowsCoordinated(link: SentinelLink, deadline: Deadline): Promise<boolean> {
  try {
    await link.call(['FAILOVER', noMaster, 'COORDINATED'], deadline);
    return false;
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown);
    if (error.code === 'sentinel-master-unknown') return true;
    if (error.cause instanceof Error && /^ERR wrong number of arguments/i.test(error.cause.message)) return false;
    throw error;
  }
}

/**
 * Where a Sentinel is in its failover. `given`: it has sent FAILOVER to the master, and has an answer to everything that it sent
 * there.
 */
export type SentinelProgress = 'none' | 'under-way' | 'given';

export async function readProgress(link: SentinelLink, name: string, deadline: Deadline): Promise<SentinelProgress> {
  const fields = readFields(await link.call(['MASTER', name], deadline), `SENTINEL MASTER ${name}`);
  if (!(fields.flags ?? '').split(',').includes('failover_in_progress')) return 'none';
  const isGiven = fields['failover-state'] === 'wait_promotion' && fields['link-pending-commands'] === '0';
  return isGiven ? 'given' : 'under-way';
}

/**
 * What a server answers to FAILOVER ABORT with one word too many, which none carries out: `ERR syntax error` where this user may
 * abort a failover. undefined where it does not answer.
 */
export async function probeFailover(
  redis: RedisPool,
  address: Address,
  deadline: Deadline,
): Promise<string | undefined> {
  const reply = await request(redis, address, ['FAILOVER', 'ABORT', 'x'], deadline);
  return reply instanceof Error ? reply.message : reply === undefined ? undefined : String(reply);
}

/** Ends a FAILOVER that the master carries out. The master takes writes again. */
export async function abortFailover(redis: RedisPool, master: Address, deadline: Deadline): Promise<void> {
  await request(redis, master, ['FAILOVER', 'ABORT'], deadline);
}

/** Where a server is in a FAILOVER (replication.c, failoverCommand and failoverCron). */
export interface HandOverState {
  /**
   * `idle`: a master without a FAILOVER. `waits`: it waits for a replica to have all of its data. `offers`: it is a replica already, and
   * asks that replica to become master. `done`: a replica.
   */
  readonly stage: 'idle' | 'waits' | 'offers' | 'done';
  /** The id of its replication history. A master that offered, and became master again, has another one. */
  readonly history: string | undefined;
  /** Whether a CLIENT PAUSE holds its writes. undefined where it does not report that (before Valkey 9). */
  readonly isPaused: boolean | undefined;
}

/** undefined where the server does not answer. */
export async function readHandOver(
  redis: RedisPool,
  master: Address,
  deadline: Deadline,
): Promise<HandOverState | undefined> {
  const asked = [
    ['INFO', 'replication'],
    ['INFO', 'clients'],
  ] as const;
  const [replication, clients] = await redis.command(master, asked, deadline).catch(() => []);
  if (typeof replication !== 'string') return undefined;
  const fields = readInfo(replication);
  const paused = typeof clients === 'string' ? readInfo(clients).get('paused_actions') : undefined;
  return {
    stage: readStage(fields.get('role'), fields.get('master_failover_state')),
    history: fields.get('master_replid'),
    isPaused: paused === undefined ? undefined : paused !== 'none',
  };
}

function readStage(role: string | undefined, state: string | undefined): HandOverState['stage'] {
  if (state === 'waiting-for-sync') return 'waits';
  if (state === 'failover-in-progress') return 'offers';
  return role === 'master' ? 'idle' : 'done';
}

/** By a connection of its own: the refusal of a command that is not needed is no problem of the server. */
async function request(
  redis: RedisPool,
  address: Address,
  command: readonly [string, ...string[]],
  deadline: Deadline,
): Promise<unknown> {
  const link = redis.openLink(address);
  try {
    await link.connected(deadline);
    const [reply] = await link.callNow([command], deadline);
    return reply;
  } catch {
    return undefined;
  } finally {
    link.close();
  }
}
