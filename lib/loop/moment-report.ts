import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Outcome, RunReport } from './outcome.ts';

/** A report of something that happened at one moment, in the form of a run. */
export function momentReport(what: {
  readonly loop: string;
  readonly key: string;
  readonly hint: readonly [source: string, event: string];
  readonly outcome: Outcome;
}): RunReport {
  const nowMs = performance.now();
  const [source, event] = what.hint;
  return {
    loop: what.loop,
    key: what.key,
    reconcileId: randomUUID().slice(0, 8),
    hints: [{ source, event, receivedMs: nowMs }],
    outcome: what.outcome,
    startedMs: nowMs,
    durationMs: 0,
    failures: 0,
    nextMs: undefined,
  };
}
