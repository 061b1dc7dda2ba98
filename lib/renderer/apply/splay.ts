import { setTimeout as delay } from 'node:timers/promises';
import type { Urgency } from '../plan/urgency.ts';
import type { StepSignals } from './interruption.ts';

/**
 * How long a reload may be delayed, in milliseconds. A change of master, HAProxy's runtime API, the first file of a consumer, the
 * start of a program and what an earlier run left to do are never delayed.
 */
export function splayOf(
  step: {
    readonly spec: { readonly splayMs?: number };
    readonly urgency: Urgency;
    readonly supervisor: { readonly pid: number | undefined } | undefined;
  },
  change: {
    readonly route: 'none' | 'runtime' | 'reload';
    readonly present: object | undefined;
    readonly owed: object | undefined;
  },
): number {
  const { spec, urgency, supervisor } = step;
  const { route, present, owed } = change;
  const isRunning = supervisor === undefined || supervisor.pid !== undefined;
  const mayWait =
    urgency === 'ordinary' && route === 'reload' && present !== undefined && owed === undefined && isRunning;
  return mayWait ? (spec.splayMs ?? 0) : 0;
}

/** A random delay before a reload, so that the consumers of a fleet do not reload at once. */
export class Splay {
  readonly #random: () => number;
  readonly #ended = new AbortController();

  /** `random` gives a number from 0 to 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Waits up to `maxMs`. Rejects when the run is interrupted or aborted. */
  async wait(maxMs: number, { signal, interrupted }: StepSignals): Promise<void> {
    if (maxMs === 0) return;
    const any = AbortSignal.any([signal, interrupted, this.#ended.signal]);
    await delay(this.#random() * maxMs, undefined, { signal: any }).catch(() => undefined);
    signal.throwIfAborted();
    interrupted.throwIfAborted();
  }

  /** The daemon stops: the reload follows at once, because the file is in place already. */
  end(): void {
    this.#ended.abort();
  }
}
