import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, SwitchmasterError } from '../../errors.ts';
import type { CommandSpec, ReloadSpec, TemplateSpec } from '../../model/template-spec.ts';
import { changeServers, confirmServers, planFor, retireServers, whileDrained } from '../haproxy/apply.ts';
import type { HaproxyPlan } from '../haproxy/plan.ts';
import { HaproxyRuntime } from '../haproxy/runtime-api.ts';
import type { Urgency } from '../plan/urgency.ts';
import type { StageClock } from '../stages.ts';
import { runCommand } from './command.ts';
import { signalPidFile } from './signal.ts';
import type { Supervisor } from './supervisor.ts';

/** What carrying out a plan for one template needs. */
export interface Step {
  readonly spec: TemplateSpec;
  readonly clock: StageClock;
  readonly signal: AbortSignal;
  /** A change of master does not wait until a consumer has been drained. */
  readonly urgency: Urgency;
  /** Of a template whose reload is `supervise`. */
  readonly supervisor: Supervisor | undefined;
}

/**
 * How the consumer gets from one text to another. `runtime`: HAProxy is told over its socket, which needs no check to
 * stand before it, for nothing but servers' addresses, weights and states differs from a file that was proven.
 */
export type Route =
  | { readonly kind: 'runtime'; readonly plan: HaproxyPlan & { kind: 'runtime' } }
  | { readonly kind: 'reload'; readonly plan: HaproxyPlan };

/** Pause before a command that failed is given its second chance. */
const retryPauseMs = 200;

/** `before` is what the consumer runs with; undefined where that is not known. */
export function chooseRoute(spec: TemplateSpec, before: string | undefined, after: string): Route {
  const plan = spec.reload?.kind === 'haproxy' ? planFor(before, after) : planFor(undefined, after);
  return plan.kind === 'runtime' ? { kind: 'runtime', plan } : { kind: 'reload', plan };
}

/** Makes the consumer take over the file that is in place. Throws `reload-failed`, or `check-failed` for a late check. */
export async function takeOver(step: Step, route: Route): Promise<void> {
  const { reload } = step.spec;
  switch (reload?.kind) {
    case undefined:
      return;
    case 'haproxy':
      await reloadHaproxy(step, { reload, route });
      break;
    case 'command': {
      const work = () => runReload(step, reload.command);
      const patience = step.urgency === 'ordinary' ? 'wait' : 'none';
      if (reload.drain === undefined) await work();
      else await whileDrained(reload.drain, { patience, signal: step.signal, work });
      break;
    }
    case 'signal':
      await signalPidFile(reload.pidFile, reload.signal);
      break;
    case 'supervise':
      await reloadSupervised(step, reload);
  }
  step.clock.reached('reloaded');
}

/** Throws `check-failed` with what the check said. */
export async function runCheck(step: Step, file: string): Promise<void> {
  const { spec, signal, clock } = step;
  if (spec.check === undefined) return;
  const refusal = { code: 'check-failed', what: `The check refuses the new ${spec.destination}` } as const;
  await runStep({ command: spec.check, file, signal, refusal });
  clock.reached('checked');
}

async function reloadHaproxy(
  step: Step,
  input: { reload: ReloadSpec & { kind: 'haproxy' }; route: Route },
): Promise<void> {
  const { reload, route } = input;
  const { signal } = step;
  const runtime = new HaproxyRuntime(reload.socket);
  if (route.kind === 'runtime') {
    try {
      await changeServers(runtime, route.plan.changes, signal);
      await confirmServers(runtime, route.plan.expected, signal);
    } catch {
      signal.throwIfAborted();
      // It runs with something else than believed, or not at all: a reload settles both.
      await runCheck(step, step.spec.destination);
      await runReload(step, reload.fallback);
      return;
    }
    step.clock.reached('reloaded');
    await runCheck(step, step.spec.destination);
    return;
  }
  try {
    if (route.plan.changes.length > 0) await changeServers(runtime, route.plan.changes, signal);
    if (route.plan.kind === 'reload' && route.plan.gone.length > 0) {
      await retireServers(runtime, route.plan.gone, signal);
    }
  } catch {
    // There may be no process yet, or no socket: the reload decides.
    signal.throwIfAborted();
  }
  await runReload(step, reload.fallback);
}

async function reloadSupervised(step: Step, reload: ReloadSpec & { kind: 'supervise' }): Promise<void> {
  const { supervisor } = step;
  if (supervisor === undefined) throw new SwitchmasterError('internal', 'A supervised template has no supervisor.');
  if (supervisor.pid === undefined) return supervisor.start();
  return reload.change.kind === 'restart' ? supervisor.restart() : supervisor.signal(reload.change.signal);
}

/** Twice at most: a service manager that is busy refuses, and is not to blame for the new file. */
async function runReload(step: Step, command: CommandSpec): Promise<void> {
  const { spec, signal } = step;
  const refusal = { code: 'reload-failed', what: `${spec.destination} is in place, but its reload failed` } as const;
  const run = () => runStep({ command, file: spec.destination, signal, refusal });
  try {
    await run();
  } catch (thrown) {
    const { cause } = SwitchmasterError.from(thrown);
    if (!(cause instanceof SwitchmasterError) || cause.code !== 'command-failed') throw thrown;
    await delay(retryPauseMs, undefined, { signal });
    await run();
  }
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
