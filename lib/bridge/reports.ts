import { describeCrash } from '../crash/journal.ts';
import type { SwitchmasterError } from '../errors.ts';
import type { MasterState } from '../http/views.ts';
import { momentReport } from '../loop/moment-report.ts';
import type { Outcome, RunReport } from '../loop/outcome.ts';
import { formatAddress } from '../model/address.ts';
import { agreement } from '../model/judgement/votes.ts';
import { explainFault, isNamed, type LinkFault, linkFaults } from '../model/link-fault.ts';
import type { MasterRecord } from '../model/record.ts';
import { conditionFlags } from '../model/sentinel.ts';
import type { CompletionReport } from './failover/completion.ts';
import type { CrashReport } from './failover/crash-report.ts';
import type { FenceReport } from './fencing/enforcement.ts';
import type { SentinelReading } from './observe/sentinel-reading.ts';

/* Reports and API data of what the bridge's loop does not report by itself. */

/** A write whose run a failover interrupted is reported like a run of its own. */
export function lateReport(name: string, outcome: Outcome): RunReport {
  return momentReport({ loop: 'bridge', key: name, hint: ['consul', 'answered late'], outcome });
}

/** A fencing step is reported like a run: to the log, the journal and the metrics. */
export function fenceReport({ name, action, address, error, refused }: FenceReport): RunReport {
  const done = {
    'pause-before-promotion': 'writes paused, because a Sentinel selected a replica',
    pause: 'writes paused',
    disconnect: 'its clients disconnected',
    demote: 'made a replica',
    release: 'writes resumed',
  }[action];
  const who = action === 'pause-before-promotion' ? `master ${address}` : `former master ${address}`;
  const details = { action, address, ...(refused.length === 0 ? {} : { refused }) };
  const without = refused.length === 0 ? '' : `; the server refused ${refused.join(', ')}`;
  const outcome: Outcome =
    error === undefined
      ? { kind: 'applied', summary: `${who}: ${done}${without}`, details }
      : { kind: 'held', summary: `cannot fence ${who} (${action}): ${error.message}`, details };
  return momentReport({ loop: 'fence', key: name, hint: ['bridge', 'former master'], outcome });
}

/** A failover that lost its leader, and whether another Sentinel was ordered to complete it. */
export function completionReport({ name, record, sentinel, error }: CompletionReport): RunReport {
  const promoted = `${formatAddress(record.master)} was promoted at epoch ${record.epoch}, and the leader of the failover is gone`;
  const details = { action: 'finish', address: formatAddress(record.master) };
  const outcome: Outcome =
    sentinel === undefined
      ? { kind: 'held', summary: `${promoted}: ${error?.message ?? 'no Sentinel was ordered to complete it'}`, details }
      : {
          kind: 'applied',
          summary: `${promoted}: ordered ${formatAddress(sentinel)} to fail over to it`,
          details: { ...details, sentinel: formatAddress(sentinel) },
        };
  return momentReport({ loop: 'fence', key: name, hint: ['bridge', 'leader lost'], outcome });
}

/** A master that crashed, and whether a Sentinel was ordered to fail it over. */
export function crashReport({ name, sentinel, ...end }: CrashReport): RunReport {
  const described = describeCrash({ ...end, target: sentinel, order: 'to fail over' });
  return momentReport({ loop: 'crash', key: name, ...described });
}

/** What one Sentinel answered about a master, compared with its record. */
export function toVote(
  reading: SentinelReading,
  { readAt, record }: { readonly readAt: Date | undefined; readonly record: MasterRecord | null },
): MasterState['sentinels'][number] {
  const view = reading.kind === 'seen' ? reading.view : undefined;
  const [master, epoch] = [view?.master ?? null, view?.configEpoch ?? null];
  return {
    address: reading.sentinel,
    id: reading.sentinelId,
    state: reading.kind,
    epoch,
    master,
    agrees: agreement({ master, epoch }, record),
    tiltSince: view?.tiltSinceMs === undefined ? null : new Date(view.tiltSinceMs).toISOString(),
    flags: view === undefined ? [] : conditionFlags(view),
    quorum: view?.quorum ?? null,
    replicas: (view?.replicas ?? []).map(({ address, condition, priority = null }) => ({
      address,
      condition,
      priority,
    })),
    lastReadAt: readAt?.toISOString() ?? null,
    error: reading.kind === 'unreachable' ? (explainError(reading.error) ?? null) : null,
  };
}

/** Why a Sentinel does not answer; undefined where the cause is unknown. The same text as long as the cause is the same. */
export function explainError({ details }: SwitchmasterError): string | undefined {
  const fault = details.fault as LinkFault | undefined;
  if (fault === undefined) return undefined;
  return isNamed(fault) ? explainFault(fault) : linkFaults[fault].says;
}
