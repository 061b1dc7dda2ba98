import { sameAddress } from '../../model/address.ts';
import { isDoubted, isReplica, isUnreached, masterOpinion, replicaOpinions } from '../../model/check-opinion.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Finding } from '../finding.ts';
import type { MasterMemory } from '../memory.ts';
import { heldMasterCheck, type Wanted } from '../plan/catalog.ts';
import { reachLimitMs, replicaLimitMs, reportLeftMs } from '../plan/reach.ts';

export interface Opinions extends Pick<Wanted, 'master' | 'replicas'> {
  /** After this time the opinion of the master changes without any event. */
  readonly leftMs: number | undefined;
}

/** What the checks of a record's servers must say after this finding. */
export function formOpinions(finding: Finding, { record, memory }: Of): Opinions {
  const { master } = record;
  const { views, role, unmonitored } = finding;
  const outage =
    finding.outage !== undefined && sameAddress(finding.outage.master, master) ? finding.outage : undefined;
  const held = heldMasterCheck(finding.reading.catalogContents, master);
  const reachLeftMs = timeToReach(finding, { record, memory });
  const replicaLeftMs = timeAsReplica(finding, { record, memory });
  const unreached = span(reachLeftMs);
  const asReplica = span(replicaLeftMs);
  const reportedLeftMs = timeReported(finding, { record, memory });
  const reported = span(reportedLeftMs);
  const opinion = masterOpinion(master, { views, role, unmonitored, outage, held, unreached, asReplica, reported });
  // Another bridge may answer before the watch shows this one's question.
  if (isDoubted(opinion)) memory.faults.heldMs(opinion?.code, { master, nowMs: finding.observedMs });
  return {
    master: opinion,
    replicas: replicaOpinions(views, master),
    leftMs: soonest(outage?.leftMs, reachLeftMs, replicaLeftMs, reportedLeftMs),
  };
}

/** The time until the first of these changes; those that are over do not count. */
function soonest(...leftMs: readonly (number | undefined)[]): number | undefined {
  const known = leftMs.filter((ms): ms is number => ms !== undefined && ms > 0);
  return known.length === 0 ? undefined : Math.min(...known);
}

const span = (leftMs: number) => (leftMs > 0 ? 'for-now' : 'too-long');

interface Of {
  readonly record: MasterRecord;
  readonly memory: MasterMemory;
}

/** How much longer nobody may reach the master; 0 where somebody reaches it. */
function timeToReach({ views, role, reading, observedMs }: Finding, { record: { master }, memory }: Of): number {
  if (!isUnreached(master, { views, role })) {
    if (role !== undefined) memory.faults.recovered('unreached');
    return 0;
  }
  const limitMs = reachLimitMs(heldMasterCheck(reading.catalogContents, master), views);
  return limitMs - memory.faults.lastedMs('unreached', { master, nowMs: observedMs });
}

/** How much longer the check of another bridge counts for a master that this one does not reach; 0 where it does. */
function timeReported({ views, role, reading, observedMs }: Finding, { record: { master }, memory }: Of): number {
  const held = heldMasterCheck(reading.catalogContents, master);
  const heldMs = memory.faults.heldMs(held?.code, { master, nowMs: observedMs });
  if (role === undefined || !sameAddress(role.address, master)) return 0;
  if (role.role !== 'unreachable') {
    memory.faults.recovered('unanswered');
    return 0;
  }
  const unreachedMs = memory.faults.lastedMs('unanswered', { master, nowMs: observedMs });
  return reportLeftMs(held, { views, unreachedMs, heldMs });
}

/** How much longer the master may answer as a replica; 0 where it does not. */
function timeAsReplica({ role, reading, observedMs }: Finding, { record: { master }, memory }: Of): number {
  if (!isReplica(master, { role })) {
    if (role !== undefined) memory.faults.recovered('as-replica');
    return 0;
  }
  const limitMs = replicaLimitMs(heldMasterCheck(reading.catalogContents, master));
  return limitMs - memory.faults.lastedMs('as-replica', { master, nowMs: observedMs });
}
