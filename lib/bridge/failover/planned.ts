import type { Lease } from '../../consul/lock.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { PlannedPreview } from '../../http/views.ts';
import { readManner } from './manner.ts';
import { PlannedCandidates } from './planned-candidates.ts';
import { previewPlanned } from './planned-preview.ts';
import { PlannedFailover } from './planned-run.ts';
import {
  type PlannedFailoverParts,
  type PlannedOptions,
  type PlannedReport,
  type PlannedStep,
  refused,
} from './planned-steps.ts';
import { ReplicaPriorityOverride } from './replica-priority.ts';

/** Carries out a planned failover. Rejects with `failover-refused` if nothing was changed, or with `failover-stalled`. */
export async function failOver(
  name: string,
  parts: PlannedFailoverParts,
  options: PlannedOptions = {},
): Promise<PlannedReport> {
  let lease: Extract<Lease, { kind: 'inside' }> | undefined;
  let leaving: Promise<void> | undefined;
  const leave = () => {
    leaving ??= lease?.leave();
    return leaving;
  };
  const onStep = (step: PlannedStep, elapsedMs: number) => {
    // From here on, any bridge may complete the failover if its leader dies.
    if (step === 'promoted') void leave();
    options.onStep?.(step, elapsedMs);
  };
  const planned = new PlannedFailover(name, parts, { ...options, onStep });
  await planned.untilPossible();
  lease = await takeLease(name, parts);
  try {
    return await planned.run();
  } finally {
    await leave();
  }
}

/** What a planned failover would do now, and what prevents it. Changes nothing. */
export async function previewFailover(
  name: string,
  parts: PlannedFailoverParts,
  options: Pick<PlannedOptions, 'successor'>,
): Promise<PlannedPreview> {
  const { successor } = options;
  const { record } = parts.memory;
  const priorityOverride = new ReplicaPriorityOverride(parts.redis);
  const check = await new PlannedCandidates(name, { parts, options, priorityOverride }).check();
  const holders = await parts.steering.holders(name, AbortSignal.timeout(enterTimeoutMs)).catch(() => 0);
  const candidates = 'candidates' in check ? check.candidates : (record?.replicas ?? []);
  const manner = record === undefined ? undefined : await readManner(name, parts, { record, candidates });
  const busy = { kind: 'refused', why: 'another daemon is failing it over at this moment' } as const;
  return previewPlanned(holders > 0 ? busy : check, { name, from: record?.master, successor, manner });
}

async function takeLease(name: string, parts: PlannedFailoverParts): Promise<Extract<Lease, { kind: 'inside' }>> {
  const lease = await parts.steering.enter(name, AbortSignal.timeout(enterTimeoutMs)).catch((thrown: unknown) => {
    const error = SwitchmasterError.from(thrown);
    const why = error.code === 'consul-denied' ? error.message : `Consul cannot be reached: ${error.message}`;
    throw refused(name, why, error);
  });
  if (lease.kind === 'full') throw refused(name, 'another daemon is failing it over at this moment.');
  return lease;
}

const enterTimeoutMs = 5_000;
