import { SwitchmasterError } from '../../errors.ts';
import { PlannedFailover } from './planned-run.ts';
import {
  type PlannedFailoverParts,
  type PlannedOptions,
  type PlannedReport,
  type PlannedStep,
  refused,
} from './planned-steps.ts';

/** Carries out a planned failover. Rejects with `failover-refused` if nothing was changed, or with `failover-stalled`. */
export async function failOver(
  name: string,
  parts: PlannedFailoverParts,
  options: PlannedOptions = {},
): Promise<PlannedReport> {
  const lease = await parts.enter(name, AbortSignal.timeout(enterTimeoutMs)).catch((thrown: unknown) => {
    const error = SwitchmasterError.from(thrown);
    const why = error.code === 'consul-denied' ? error.message : `Consul cannot be reached: ${error.message}`;
    throw refused(name, why, error);
  });
  if (lease.kind === 'full') throw refused(name, 'another daemon is failing it over at this moment.');
  let leaving: Promise<void> | undefined;
  const leave = () => {
    leaving ??= lease.leave();
    return leaving;
  };
  const onStep = (step: PlannedStep, elapsedMs: number) => {
    // From here on, any bridge may complete the failover if its leader dies.
    if (step === 'promoted') void leave();
    options.onStep?.(step, elapsedMs);
  };
  try {
    return await new PlannedFailover(name, parts, { ...options, onStep }).run();
  } finally {
    await leave();
  }
}

const enterTimeoutMs = 5_000;
