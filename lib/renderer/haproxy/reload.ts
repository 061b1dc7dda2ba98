import { isAbort, SwitchmasterError } from '../../errors.ts';
import type { ReloadSpec } from '../../model/template-spec.ts';
import { HaproxyMaster } from './master-cli.ts';
import type { HaproxyPlan } from './plan.ts';
import { HaproxyRuntime } from './runtime-api.ts';
import { alignServers, changeServers, closeSessions, confirmServers, retireServers } from './servers.ts';

/** A running HAProxy that gets to a new config. */
export interface HaproxyStep {
  readonly reload: ReloadSpec & { readonly kind: 'haproxy' };
  readonly signal: AbortSignal;
  readonly warn: (warning: string) => void;
}

/** Applies a plan without a reload. `failed`: HAProxy does not run, or runs with another config than expected. */
export async function changeAtRuntime(
  step: HaproxyStep,
  plan: HaproxyPlan & { readonly kind: 'runtime' },
): Promise<'changed' | 'failed'> {
  const { reload, signal } = step;
  const runtime = new HaproxyRuntime(reload.socket);
  const leaves = plan.changes.some(({ move, state }) => move !== undefined || state === 'maint');
  const leaving = leaves ? leaveOldWorkers(step, plan) : undefined;
  leaving?.catch(() => undefined);
  try {
    await changeServers(runtime, plan.changes, signal);
    await confirmServers(runtime, plan.expected, signal);
    await leaving;
    return 'changed';
  } catch {
    signal.throwIfAborted();
    return 'failed';
  }
}

/**
 * Moves servers of the process that a reload is about to replace: its sessions outlive the reload, and none may stay on a
 * former master. Does nothing when no process answers.
 */
export async function moveServers(step: HaproxyStep, plan: HaproxyPlan & { readonly kind: 'reload' }): Promise<void> {
  const { reload, signal } = step;
  const runtime = new HaproxyRuntime(reload.socket);
  try {
    await alignServers(runtime, plan.expected, signal);
    await retireServers(runtime, plan.gone, signal);
  } catch {
    signal.throwIfAborted();
  }
  await leaveOldWorkers(step, plan);
}

/** Closes sessions in workers that earlier reloads have replaced. */
async function leaveOldWorkers({ reload, signal, warn }: HaproxyStep, plan: HaproxyPlan): Promise<void> {
  if (reload.master === undefined) return;
  const master = new HaproxyMaster(reload.master);
  const gone = plan.kind === 'reload' ? plan.gone : [];
  try {
    const workers = await master.oldWorkers(signal);
    await Promise.all(workers.map((worker) => closeSessions(worker, { expected: plan.expected, gone }, signal)));
  } catch (thrown) {
    if (isAbort(thrown) || signal.aborted) throw thrown;
    warn(`Cannot close sessions in old workers of HAProxy. ${SwitchmasterError.from(thrown).message}`);
  }
}
