import type { Outcome, RunReport } from '../../lib/loop/outcome.ts';

/** A run of the bridge that came to `outcome`, 5 ms after a hint. */
export function exampleReport(outcome: Outcome, extra: Partial<RunReport> = {}): RunReport {
  return {
    loop: 'bridge',
    key: 'shard1',
    reconcileId: 'abcd1234',
    hints: [{ source: 'sentinel 127.0.0.1:1', event: '+switch-master', receivedMs: 1_000 }],
    outcome,
    startedMs: 1_001,
    durationMs: 4,
    failures: outcome.kind === 'failed' ? 1 : 0,
    nextMs: undefined,
    ...extra,
  };
}
