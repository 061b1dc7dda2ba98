import type { Redis } from 'ioredis';
import { SwitchmasterError } from '../errors.ts';
import { withRedisDeadline } from './deadline.ts';
import { readInfo, readTiltSince } from './instance-shapes.ts';
import { isRefused, type RefusedCommands } from './refused-commands.ts';
import { readFieldsList } from './sentinel-shapes.ts';

/* Questions to a Sentinel that have a substitute where its user may not ask them. */

/** Sends `SENTINEL` with these arguments. Rejects with a SwitchmasterError. */
export type Ask = (args: readonly string[]) => Promise<unknown>;

/** The fields of a master and of its replicas, in one round trip and one write: of two, a Sentinel often reads the second later. */
export async function askView(
  { stream }: Partial<Pick<Redis, 'stream'>>,
  ask: Ask,
  name: string,
): Promise<{ readonly master: unknown; readonly replicas: unknown }> {
  stream?.cork();
  const asking = Promise.all([askMaster(ask, name), askReplicas(ask, name)]);
  stream?.uncork();
  const [master, replicas] = await asking;
  return { master, replicas };
}

/** The fields of one master. Rejects with `sentinel-master-unknown` where the Sentinel does not monitor it. */
export async function askMaster(ask: Ask, name: string): Promise<unknown> {
  try {
    return await ask(['MASTER', name]);
  } catch (thrown) {
    if (!refusesCommand(thrown)) throw thrown;
    const all = await ask(['MASTERS']).catch(() => Promise.reject(thrown));
    const place = readFieldsList(all, 'SENTINEL MASTERS').findIndex((fields) => fields.name === name);
    if (place >= 0) return (all as readonly unknown[])[place];
    throw new SwitchmasterError('sentinel-master-unknown', `SENTINEL MASTERS: no master is called ${name} there`);
  }
}

/** The fields of its replicas; undefined where the user may ask neither by this name nor by that of Redis 4 and older. */
export async function askReplicas(ask: Ask, name: string): Promise<unknown> {
  try {
    return await ask(['REPLICAS', name]);
  } catch (thrown) {
    if (!refusesCommand(thrown)) throw thrown;
    return ask(['SLAVES', name]).catch((again) => (refusesCommand(again) ? undefined : Promise.reject(again)));
  }
}

/**
 * Since when it is in TILT mode, in milliseconds since 1970; undefined if it is not. Before Redis 7 nobody knows the beginning:
 * the present stands for it. Rejects if it does not answer, or refused INFO in the last hour: each refusal fills its ACL LOG.
 */
export async function askTiltSince(
  redis: Pick<Redis, 'call'>,
  { refused, ...deadline }: { readonly refused: RefusedCommands; readonly what: string; readonly timeoutMs: number },
): Promise<number | undefined> {
  const before = refused.list.find(({ command }) => command === 'INFO');
  if (before !== undefined) throw new SwitchmasterError('redis-denied', `${deadline.what}: ${before.says}`);
  const answer = await withRedisDeadline(redis.call('INFO', 'sentinel'), deadline).catch((thrown: unknown) => {
    refused.note(['INFO'], thrown);
    throw thrown;
  });
  const since = readTiltSince(readInfo(answer), Date.now());
  return since === 'unknown' ? Date.now() : (since ?? undefined);
}

/**
 * Subscribes to every message. If the user may not receive a Sentinel's messages, the bridge can still ask that Sentinel.
 */
export async function subscribe(events: Redis, refused: RefusedCommands): Promise<'accepted' | 'refused'> {
  const reply = await events.psubscribe('*').catch((error: Error) => error);
  if (reply instanceof Error && !isRefused(reply.message)) throw reply;
  refused.note(['PSUBSCRIBE'], reply);
  return reply instanceof Error ? 'refused' : 'accepted';
}

/** Whether the process answers. A refusal is an answer. */
export async function pingLink(redis: Redis): Promise<void> {
  await redis.ping().catch((error: Error) => {
    if (!isRefused(error.message)) throw error;
  });
}

/** The name of no master: an order about it does nothing, and shows whether orders are permitted. */
export const noMaster = 'switchmaster: no master';

/** Whether the Sentinel refuses the command itself, and not its arguments. */
function refusesCommand(thrown: unknown): boolean {
  const { cause } = SwitchmasterError.from(thrown);
  return cause instanceof Error && isRefused(cause.message);
}
