import { setTimeout as delay } from 'node:timers/promises';
import { type ErrorCode, isAbort, SwitchmasterError } from '../../errors.ts';
import type { CommandSpec, ReloadSpec, TemplateSpec } from '../../model/template-spec.ts';
import { whileDrained } from '../haproxy/drain.ts';
import { type HaproxyPlan, planHaproxy, type ReloadPlan } from '../haproxy/plan.ts';
import { changeAtRuntime, moveServers, reloadBetween } from '../haproxy/reload.ts';
import { textWithoutHead } from '../head.ts';
import type { Urgency } from '../plan/urgency.ts';
import type { StageClock } from '../stages.ts';
import { type PreparedCommand, prepareCommand, type RunInput, runCommand } from './command.ts';
import { anySignal, type StepSignals, untilInterrupted } from './interruption.ts';
import type { ReloadInFlight } from './reload-in-flight.ts';
import { signalPidFile } from './signal.ts';
import type { Splay } from './splay.ts';
import type { Supervisor } from './supervisor.ts';

/** What the steps of one run need. */
export interface Step extends StepSignals {
  readonly spec: TemplateSpec;
  readonly clock: StageClock;
  /** A change of master does not wait for a consumer to drain. */
  readonly urgency: Urgency;
  /** Of a template with `reload.supervise`. */
  readonly supervisor: Supervisor | undefined;
  readonly reloads: ReloadInFlight;
  readonly splay: Splay;
  /** Start its commands sooner. Default: they are started directly. */
  readonly shells?: RunInput['shells'];
  /** See {@link prepareReload}. Default: the command of the reload is prepared when it starts. */
  readonly prepared?: PreparedCommand | undefined;
  /** Reports what failed beside the job itself. */
  readonly warn: (warning: string) => void;
}

/**
 * How the consumer gets from one text to another. `runtime`: over HAProxy's socket. Only addresses, weights and states of
 * servers differ from a file that was checked, so the check of the new file may follow.
 */
export type Route =
  | { readonly kind: 'none' }
  | { readonly kind: 'runtime'; readonly plan: HaproxyPlan & { readonly kind: 'runtime' } }
  | { readonly kind: 'reload'; readonly plan?: ReloadPlan };

/** Pause before the second attempt of a reload command that failed. */
const retryPauseMs = 200;

/** `before` is the text that the consumer runs with; undefined when it is not known. */
export function chooseRoute(spec: TemplateSpec, before: string | undefined, after: string): Route {
  if (spec.reload === undefined) return { kind: 'none' };
  if (spec.reload.kind !== 'haproxy') return { kind: 'reload' };
  const known = before === undefined ? undefined : textWithoutHead(before);
  const plan = planHaproxy(known, textWithoutHead(after));
  return plan.kind === 'runtime' ? { kind: 'runtime', plan } : { kind: 'reload', plan };
}

/**
 * Moves HAProxy's servers to the new masters before anything else: the owner's lookup, the writing, the flushing and the
 * check of the file take time, and any of them may fail. Does nothing where no master has moved. `as-proven`: HAProxy's
 * servers are as they were by the text that the route begins with.
 */
export async function moveEarly(step: Step, route: Route, servers: 'as-proven' | 'unknown' = 'unknown'): Promise<void> {
  const { spec, urgency, clock } = step;
  if (urgency !== 'master-change' || spec.reload?.kind !== 'haproxy') return;
  const haproxy = { ...step, reload: spec.reload };
  if (route.kind === 'runtime') await changeAtRuntime(haproxy, route.plan, servers);
  else if (route.kind === 'reload' && route.plan !== undefined) await moveServers(haproxy, route.plan);
  clock.reached('moved');
}

/** Prepares a command that follows the swap at once, while the new file is written. undefined if there is none. */
export function prepareReload({ spec, shells }: Step, route: Route): PreparedCommand | undefined {
  const command = spec.splayMs === undefined ? promptCommandOf(spec.reload, route) : undefined;
  return command === undefined ? undefined : prepareCommand({ command, file: spec.destination, shells });
}

function promptCommandOf(reload: ReloadSpec | undefined, route: Route): CommandSpec | undefined {
  if (reload?.kind === 'command') return reload.drain === undefined ? reload.command : undefined;
  return reload?.kind === 'haproxy' && route.kind === 'reload' ? reload.fallback : undefined;
}

/** Makes the consumer use the file that is in place. Throws `reload-failed`. */
export async function takeOver(step: Step, route: Route): Promise<void> {
  const { reload } = step.spec;
  switch (reload?.kind) {
    case undefined:
      return;
    case 'haproxy':
      await reloadHaproxy(step, { reload, route });
      break;
    case 'command':
      await step.reloads.run(step, (signal) => reloadDrained({ ...step, signal }, reload));
      break;
    case 'signal':
      await signalPidFile(reload.pidFile, reload.signal);
      break;
    case 'supervise':
      await step.reloads.run(step, () => reloadSupervised(step, reload));
  }
  step.clock.reached('reloaded');
}

/** Throws `check-failed` with the output of the check. */
export async function runCheck(step: Step, file: string): Promise<void> {
  const { spec, clock } = step;
  if (spec.check === undefined) return;
  const refusal = { code: 'check-failed', what: `The check refuses the new ${spec.destination}` } as const;
  const { shells } = step;
  const checking = runStep({ command: spec.check, file, signal: anySignal(step), onAbort: 'kill', shells, refusal });
  // A killed process may take its time to end.
  await untilInterrupted(checking, step.interrupted);
  clock.reached('checked');
}

async function reloadHaproxy(
  step: Step,
  { reload, route }: { reload: ReloadSpec & { kind: 'haproxy' }; route: Route },
): Promise<void> {
  if (route.kind === 'runtime') {
    if ((await changeAtRuntime({ ...step, reload }, route.plan)) === 'changed') return;
    // HAProxy does not run, or runs with another config than expected. The reload corrects both.
    await runCheck(step, step.spec.destination);
  }
  const plan = route.kind === 'runtime' ? route.plan.otherwise : route.kind === 'reload' ? route.plan : undefined;
  await step.reloads.run(step, async (signal) => {
    const work = () => runReload({ ...step, signal }, reload.fallback);
    await (plan === undefined ? work() : reloadBetween({ ...step, reload, signal }, plan, work));
  });
}

async function reloadDrained(step: Step, { command, drain }: ReloadSpec & { kind: 'command' }): Promise<void> {
  const work = () => runReload(step, command);
  if (drain === undefined) return work();
  const sessions = step.urgency === 'ordinary' ? 'awaited' : 'closed';
  return whileDrained(drain, { sessions, signal: step.signal, interrupted: step.interrupted, work });
}

async function reloadSupervised(step: Step, reload: ReloadSpec & { kind: 'supervise' }): Promise<void> {
  const { supervisor } = step;
  if (supervisor === undefined) throw new SwitchmasterError('internal', 'A supervised template has no supervisor.');
  if (supervisor.pid === undefined) return supervisor.start();
  return reload.change.kind === 'restart' ? supervisor.restart() : supervisor.signal(reload.change.signal);
}

/** Tries a failed command once more: a busy service manager may refuse it, although the new file is right. */
async function runReload({ spec, signal, shells, prepared }: Step, command: CommandSpec): Promise<void> {
  const refusal = { code: 'reload-failed', what: `${spec.destination} is in place, but its reload failed` } as const;
  const run = (first?: PreparedCommand) =>
    runStep({ command, file: spec.destination, signal, shells, prepared: first, refusal });
  try {
    await run(prepared);
  } catch (thrown) {
    const { cause } = SwitchmasterError.from(thrown);
    if (signal.aborted || !(cause instanceof SwitchmasterError) || cause.code !== 'command-failed') throw thrown;
    await delay(retryPauseMs, undefined, { signal });
    await run();
  }
}

async function runStep(
  input: RunInput & { readonly refusal: { readonly code: ErrorCode; readonly what: string } },
): Promise<void> {
  try {
    await runCommand(input);
  } catch (cause) {
    if (isAbort(cause)) throw cause;
    const error = SwitchmasterError.from(cause);
    if (error.code === 'stopping') throw error;
    const { code, what } = input.refusal;
    throw new SwitchmasterError(code, `${what}. ${error.message}`, { cause: error, details: { ...error.details } });
  }
}

/** Without a consumer, nothing can refuse a file, and a seed has no earlier one. */
export function canGoBack({ spec }: Step): boolean {
  return spec.upkeep !== 'seed' && (spec.reload !== undefined || spec.verify !== undefined);
}
