import { type ErrorCode, SwitchmasterError } from '../errors.ts';
import type { CommandSpec, TemplateSpec } from '../plan/render-spec.ts';
import { discardCandidate, readDestination, swapIn, writeCandidate } from '../sink/file.ts';
import { resolveOwnership } from '../sink/ownership.ts';
import { runCommand } from '../sink/process.ts';
import type { StageClock } from './renderer-stages.ts';

export interface Step {
  readonly spec: TemplateSpec;
  readonly clock: StageClock;
  readonly signal: AbortSignal;
}

/** Candidate, check, swap. The destination holds the old bytes or the new ones at any time, and old ones after an error. */
export async function writeProven(step: Step, text: string): Promise<void> {
  const { spec, clock, signal } = step;
  const wish = await resolveOwnership(spec, signal);
  const present = await readDestination(spec.destination);
  const bytes = Buffer.from(text);
  const candidate = await writeCandidate({ destination: spec.destination, bytes, wish, present, signal });
  try {
    if (spec.check !== undefined) {
      const refusal = { code: 'check-failed', what: `The check refuses the new ${spec.destination}` } as const;
      await runStep({ command: spec.check, file: candidate.path, signal, refusal });
      clock.reached('checked');
    }
  } catch (thrown) {
    await discardCandidate(candidate);
    throw thrown;
  }
  await swapIn(candidate);
  clock.reached('swapped');
}

/** Makes the consumer take the file over. */
export async function reloadConsumer(step: Step): Promise<void> {
  const { spec, clock, signal } = step;
  if (spec.reload === undefined) return;
  const refusal = { code: 'reload-failed', what: `${spec.destination} is in place, but its reload failed` } as const;
  await runStep({ command: spec.reload.command, file: spec.destination, signal, refusal });
  clock.reached('reloaded');
}

async function runStep(input: {
  command: CommandSpec;
  file: string;
  signal: AbortSignal;
  refusal: { readonly code: ErrorCode; readonly what: string };
}): Promise<void> {
  try {
    await runCommand(input);
  } catch (cause) {
    const error = SwitchmasterError.from(cause);
    if (error.code === 'stopping') throw error;
    const { code, what } = input.refusal;
    throw new SwitchmasterError(code, `${what}. ${error.message}`, { cause: error, details: { ...error.details } });
  }
}
