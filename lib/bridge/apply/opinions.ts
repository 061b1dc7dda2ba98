import { sameAddress } from '../../model/address.ts';
import { isUnreached, masterOpinion, replicaOpinions } from '../../model/check-opinion.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { Finding } from '../finding.ts';
import type { MasterMemory } from '../memory.ts';
import { heldMasterCheck, type Wanted } from '../plan/catalog.ts';
import { reachLimitMs } from '../plan/reach.ts';

export interface Opinions extends Pick<Wanted, 'master' | 'replicas'> {
  /** After this time the opinion of the master changes without any event. */
  readonly leftMs: number | undefined;
}

/** What the checks of a record's servers must say after this finding. */
export function formOpinions(
  finding: Finding,
  { record, memory }: { readonly record: MasterRecord; readonly memory: MasterMemory },
): Opinions {
  const { master } = record;
  const { views, role, unmonitored } = finding;
  const outage =
    finding.outage !== undefined && sameAddress(finding.outage.master, master) ? finding.outage : undefined;
  const reachLeftMs = timeToReach(finding, { record, memory });
  const unreached = reachLeftMs > 0 ? 'for-now' : 'too-long';
  return {
    master: masterOpinion(master, { views, role, unmonitored, outage, unreached }),
    replicas: replicaOpinions(views, master),
    leftMs: outage?.leftMs ?? (reachLeftMs > 0 ? reachLeftMs : undefined),
  };
}

/** How much longer nobody may reach the master; 0 where somebody reaches it. */
function timeToReach(
  { views, role, reading, observedMs }: Finding,
  { record: { master }, memory }: { readonly record: MasterRecord; readonly memory: MasterMemory },
): number {
  if (!isUnreached(master, { views, role })) {
    if (role !== undefined) memory.reached();
    return 0;
  }
  const limitMs = reachLimitMs(heldMasterCheck(reading.catalogContents, master), views);
  return limitMs - memory.unreachedForMs(master, observedMs);
}
