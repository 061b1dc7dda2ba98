import { SwitchmasterError } from '../errors.ts';

/** The replication state from ROLE. `offset` counts the bytes of the replication stream. */
export type ReplicationState =
  | { readonly role: 'master'; readonly offset: number }
  | { readonly role: 'replica'; readonly link: string; readonly offset: number };

/** Reads the reply to ROLE: `master offset [...]`, or `slave host port state offset` (redis.io/commands/role). */
export function readReplication(reply: unknown, what: string): ReplicationState {
  if (reply instanceof Error)
    throw new SwitchmasterError('redis-refused', `${what}: ${reply.message}`, { cause: reply });
  const list: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const offset = Number(list[0] === 'master' ? list[1] : list[4]);
  if (!Number.isSafeInteger(offset))
    throw new SwitchmasterError('redis-answer-invalid', `${what} has no offset in its reply`);
  if (list[0] === 'master') return { role: 'master', offset };
  if (list[0] === 'slave') return { role: 'replica', link: String(list[3]), offset };
  throw new SwitchmasterError('redis-answer-invalid', `${what} answered the role ${String(list[0])}`);
}

/**
 * The last offset that a master has in common with its former master: one below `second_repl_offset` of INFO replication
 * (replication.c, shiftReplicationId). undefined where it never was a replica.
 */
export function readInheritedOffset(info: unknown): number | undefined {
  const match = /^second_repl_offset:(-?\d+)\r?$/m.exec(String(info));
  const offset = Number(match?.[1] ?? -1);
  return offset > 0 ? offset - 1 : undefined;
}
