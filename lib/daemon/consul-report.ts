import { momentReport } from '../loop/moment-report.ts';
import type { Outcome, RunReport } from '../loop/outcome.ts';
import type { Log } from '../telemetry/log.ts';
import type { ConsulChange } from './consul-condition.ts';

/** What the journal shows of a Consul that cannot be read, or can be read again. */
export function reportConsulChange(change: ConsulChange): RunReport {
  const outcome: Outcome =
    change.kind === 'lost'
      ? { kind: 'failed', error: change.error }
      : {
          kind: 'applied',
          summary: `Consul can be read again, after ${(change.lostMs / 1_000).toFixed(1)} s`,
          details: { lostMs: change.lostMs },
        };
  return momentReport({ loop: 'consul', key: 'agent', hint: ['consul', change.kind], outcome });
}

export function logConsulChange(change: ConsulChange, log: Log): void {
  if (change.kind === 'lost') log.warn({ error: change.error }, 'cannot read from consul');
  else log.info({ lostMs: change.lostMs }, 'reading from consul again');
}
