import type { RunReport } from '../reconcile/outcome.ts';
import { serializeError } from './serialize.ts';

/** What the last run of a key came to. */
export interface LastOutcome {
  readonly kind: RunReport['outcome']['kind'];
  /** A sentence; empty where nothing had to be done. */
  readonly summary: string;
  readonly at: string;
  readonly reconcileId: string;
  readonly durationMs: number;
  readonly failures: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** The last outcome of each key of each loop. */
export class Ledger {
  readonly #last = new Map<string, LastOutcome>();

  observe(report: RunReport): void {
    const { outcome } = report;
    const error = outcome.kind === 'failed' ? serializeError(outcome.error) : null;
    this.#last.set(idOf(report.loop, report.key), {
      kind: outcome.kind,
      summary: 'summary' in outcome ? outcome.summary : (error?.message ?? ''),
      at: new Date().toISOString(),
      reconcileId: report.reconcileId,
      durationMs: report.durationMs,
      failures: report.failures,
      error: error === null ? null : { code: error.code, message: error.message },
    });
  }

  last(loop: string, key: string): LastOutcome | undefined {
    return this.#last.get(idOf(loop, key));
  }

  /** Forgets what a loop did: it was stopped or built anew. */
  forget(loop: string): void {
    for (const id of this.#last.keys()) if (id.startsWith(`${loop} `)) this.#last.delete(id);
  }
}

function idOf(loop: string, key: string): string {
  return `${loop} ${key}`;
}
