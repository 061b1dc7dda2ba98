import { type Address, toAddress } from '../../model/address.ts';
import type { Election, SentinelEvent } from '../../model/sentinel.ts';

/*
 * The failovers that one Sentinel leads, read from its own messages in their order.
 *
 * `+new-epoch N` comes right before `+try-failover` of the same master (sentinel.c, sentinelStartFailover). No other
 * message names the epoch of a failover before it is over. `+elected-leader` follows when the Sentinel has the votes, or
 * was ordered by SENTINEL FAILOVER. `+selected-slave` names the replica. An abort or the end of the failover clears this
 * state. The caller clears it when the connection is lost, because messages may be missing.
 */
export interface Elections {
  /** The epoch of the last `+new-epoch`, if that was the last message. */
  readonly announcedEpoch: number | undefined;
  /** By master. */
  readonly running: ReadonlyMap<string, Running>;
}

/** An election that a Sentinel won, and what it selected. */
export interface Selection extends Election {
  /** The master that the selected replica shall replace. */
  readonly replaced: Address;
  /** The master itself hands over, as the Sentinel said when it was last asked. */
  readonly isCoordinated?: true;
}

type Running =
  | { readonly stage: 'trying' | 'elected'; readonly epoch: number }
  | { readonly stage: 'selected'; readonly epoch: number; readonly selected: Address; readonly replaced: Address };

export const noElections: Elections = { announcedEpoch: undefined, running: new Map() };

/** The election of `master` that this Sentinel won and selected a replica for. */
export function wonElection({ running }: Elections, master: string): Selection | undefined {
  const election = running.get(master);
  if (election?.stage !== 'selected') return undefined;
  const { epoch, selected, replaced } = election;
  return { epoch, selected, replaced };
}

/** Returns the state after one more message. */
export function applyElectionMessage(before: Elections, { event, master, message }: SentinelEvent): Elections {
  if (event === '+new-epoch') {
    return { ...before, announcedEpoch: /^\d{1,15}$/.test(message) ? Number(message) : undefined };
  }
  const { announcedEpoch } = before;
  const after = announcedEpoch === undefined ? before : { ...before, announcedEpoch: undefined };
  if (master === undefined) return after;
  const running = next(event, { running: before.running.get(master), announcedEpoch, message });
  if (running === before.running.get(master)) return after;
  const all = new Map(before.running);
  if (running === undefined) all.delete(master);
  else all.set(master, running);
  return { ...after, running: all };
}

function next(
  event: string,
  input: {
    readonly running: Running | undefined;
    readonly announcedEpoch: number | undefined;
    readonly message: string;
  },
): Running | undefined {
  const { running, announcedEpoch, message } = input;
  switch (event) {
    case '+try-failover':
      return announcedEpoch === undefined ? undefined : { stage: 'trying', epoch: announcedEpoch };
    case '+elected-leader':
      return running === undefined ? undefined : { stage: 'elected', epoch: running.epoch };
    case '+selected-slave': {
      const selection = readSelection(message);
      return running?.stage !== 'elected' || selection === undefined
        ? undefined
        : { stage: 'selected', epoch: running.epoch, ...selection };
    }
    case '+switch-master':
    case '+failover-end':
    case '+reset-master':
    case '-monitor':
      return undefined;
    default:
      return event.startsWith('-failover-abort') ? undefined : running;
  }
}

/** `slave name ip port @ master ip port`. */
function readSelection(message: string): Pick<Selection, 'selected' | 'replaced'> | undefined {
  const [kind, , host = '', port, , , masterHost = '', masterPort] = message.split(' ');
  const [selected, replaced] = [toAddress(host, port), toAddress(masterHost, masterPort)];
  return kind === 'slave' && selected !== undefined && replaced !== undefined ? { selected, replaced } : undefined;
}
