/*
 * A change of master interrupts the run under way of its template, so that no long step of that run holds it up. A step
 * that has begun to change something is finished or stays owed; a step that only waits ends at once.
 */

/** The abort signals of a step of a run. */
export interface StepSignals {
  /** Aborted when the daemon stops. */
  readonly signal: AbortSignal;
  /** Aborted when a change of master waits for this run to end. */
  readonly interrupted: AbortSignal;
}

/** For a step that may end at any point. */
export function anySignal({ signal, interrupted }: StepSignals): AbortSignal {
  return AbortSignal.any([signal, interrupted]);
}

/** Whether a change of master ended the run, and not the end of the daemon. */
export function wasInterrupted({ signal, interrupted }: StepSignals): boolean {
  return interrupted.aborted && !signal.aborted;
}

/** Rejects when `interrupted` is aborted first. The work continues; nobody handles its later failure. */
export async function untilInterrupted<T>(work: Promise<T>, interrupted: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(interrupted.reason);
  if (interrupted.aborted) onAbort();
  else interrupted.addEventListener('abort', onAbort, { once: true });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, promise]);
  } finally {
    interrupted.removeEventListener('abort', onAbort);
  }
}
