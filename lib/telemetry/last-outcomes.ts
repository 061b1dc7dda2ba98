import type { RunReport } from '../loop/outcome.ts';
import { serializeError } from './serialize.ts';

/** The outcome of a key's last run. */
export interface LastOutcome {
  readonly kind: RunReport['outcome']['kind'];
  /** A sentence; empty if nothing had to be done. */
  readonly summary: string;
  readonly at: string;
  readonly reconcileId: string;
  readonly durationMs: number;
  readonly failures: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** The failures and the last success of a key. */
export interface KeyState {
  readonly loop: string;
  readonly key: string;
  readonly failures: number;
  /** Seconds since 1970; undefined before the first success. */
  readonly succeededAtSeconds: number | undefined;
}

/** The last outcome of each key of each loop. */
export class LastOutcomes {
  readonly #last = new Map<string, LastOutcome>();
  readonly #states = new Map<string, KeyState>();

  observe(report: RunReport): void {
    const { outcome } = report;
    const error = outcome.kind === 'failed' ? serializeError(outcome.error) : null;
    const { loop, key, failures } = report;
    const id = idOf(loop, key);
    const succeeded = outcome.kind === 'applied' || outcome.kind === 'unchanged';
    const succeededAtSeconds = succeeded ? Date.now() / 1_000 : this.#states.get(id)?.succeededAtSeconds;
    this.#states.set(id, { loop, key, failures, succeededAtSeconds });
    this.#last.set(id, {
      kind: outcome.kind,
      summary: 'summary' in outcome ? outcome.summary : (error?.message ?? ''),
      at: new Date().toISOString(),
      reconcileId: report.reconcileId,
      durationMs: report.durationMs,
      failures,
      error: error === null ? null : { code: error.code, message: error.message },
    });
  }

  last(loop: string, key: string): LastOutcome | undefined {
    return this.#last.get(idOf(loop, key));
  }

  states(): readonly KeyState[] {
    return [...this.#states.values()];
  }
}

function idOf(loop: string, key: string): string {
  return `${loop} ${key}`;
}
