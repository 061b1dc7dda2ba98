import { SwitchmasterError } from '../errors.ts';
import { formatAddress } from '../model/address.ts';
import type { InfoFields } from './instance-shapes.ts';
import { replyNumber, replyText } from './reply-text.ts';

/** The replication state from ROLE. `offset` counts the bytes of the replication stream. */
export type ReplicationState =
  /** `acknowledged`: the replicas that have acknowledged all of the stream, as `host:port`. */
  | { readonly role: 'master'; readonly offset: number; readonly acknowledged: ReadonlySet<string> }
  | { readonly role: 'replica'; readonly link: string; readonly offset: number };

/** Reads the reply to ROLE: `master offset [...]`, or `slave host port state offset` (redis.io/commands/role). */
export function readReplication(reply: unknown, what: string): ReplicationState {
  if (reply instanceof Error)
    throw new SwitchmasterError('redis-refused', `${what}: ${reply.message}`, { cause: reply });
  const list: readonly unknown[] = Array.isArray(reply) ? reply : [];
  const offset = replyNumber(list[0] === 'master' ? list[1] : list[4]);
  if (!Number.isSafeInteger(offset))
    throw new SwitchmasterError('redis-answer-invalid', `${what} has no offset in its reply`);
  if (list[0] === 'master') return { role: 'master', offset, acknowledged: readAcknowledged(list[2], offset) };
  if (list[0] === 'slave') return { role: 'replica', link: replyText(list[3]), offset };
  throw new SwitchmasterError('redis-answer-invalid', `${what} answered the role ${replyText(list[0])}`);
}

/**
 * ROLE lists the replicas that are online, as `host port offset`, with what each has acknowledged (replication.c, roleCommand). An
 * address that several lines name, behind NAT or by a connection that was cut off, has acknowledged what all of them have.
 */
function readAcknowledged(listed: unknown, offset: number): ReadonlySet<string> {
  const lines = (Array.isArray(listed) ? listed : []).filter(Array.isArray) as readonly unknown[][];
  const named = lines.map(([host, port, acknowledged]) => {
    const address = formatAddress({ host: replyText(host), port: replyNumber(port) });
    return { address, isInStep: replyNumber(acknowledged) === offset };
  });
  const behind = new Set(named.flatMap(({ address, isInStep }) => (isInStep ? [] : [address])));
  return new Set(named.map(({ address }) => address).filter((address) => !behind.has(address)));
}

/**
 * The last offset that a master has in common with its former master: one below `second_repl_offset` of INFO replication
 * (replication.c, shiftReplicationId). undefined where it never was a replica.
 */
export function readInheritedOffset(info: unknown): number | undefined {
  const match = /^second_repl_offset:(-?\d+)\r?$/m.exec(replyText(info));
  const offset = Number(match?.[1] ?? -1);
  return offset > 0 ? offset - 1 : undefined;
}

/**
 * Where the history that a server shares with its former replication ended: `master_replid2`, and one below `second_repl_offset`. A
 * promoted replica and the master that it replaced name the same id, if the old one continued without a full copy. undefined where
 * there is none.
 */
export function readSharedHistory(info: unknown): { readonly id: string; readonly offset: number } | undefined {
  const id = /^master_replid2:([0-9a-f]{40})\r?$/m.exec(replyText(info))?.[1];
  const offset = readInheritedOffset(info);
  return id === undefined || /^0+$/.test(id) || offset === undefined ? undefined : { id, offset };
}

/** The replicas that a master lists, in any state, and how long ago one that is online acknowledged something. */
export interface ListedReplicas {
  readonly listed: number;
  /** In whole seconds; undefined where none is online. */
  readonly ackAgeMs: number | undefined;
}

/**
 * Lines `slave0:ip=...,port=...,state=online,offset=...,lag=1` of INFO replication: `lag` is the age of the last acknowledgement
 * in seconds. A connection that was cut off stays `online` for `repl-timeout` (replication.c, replicationCron).
 */
export function readListedReplicas(info: InfoFields): ListedReplicas {
  const lines = [...info].filter(([field]) => /^slave\d+$/.test(field)).map(([, line]) => line);
  const ages = lines.flatMap((line) => {
    const lag = /(?:^|,)lag=(-?\d+)(?:,|$)/.exec(line)?.[1];
    return lag === undefined || !/(?:^|,)state=online(?:,|$)/.test(line) ? [] : [Math.max(0, Number(lag)) * 1_000];
  });
  return { listed: lines.length, ackAgeMs: ages.length === 0 ? undefined : Math.min(...ages) };
}
