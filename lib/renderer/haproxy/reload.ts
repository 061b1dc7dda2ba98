import type { ReloadSpec } from '../../model/template-spec.ts';
import type { HaproxyPlan, ServerLine } from './plan.ts';
import { HaproxyRuntime } from './runtime-api.ts';
import { alignServers, changeServers, confirmServers, retireServers } from './servers.ts';

type HaproxyReload = ReloadSpec & { readonly kind: 'haproxy' };

/** Applies a plan without a reload. `failed`: HAProxy does not run, or runs with another config than expected. */
export async function changeAtRuntime(
  { socket }: HaproxyReload,
  plan: HaproxyPlan & { readonly kind: 'runtime' },
  signal: AbortSignal,
): Promise<'changed' | 'failed'> {
  const runtime = new HaproxyRuntime(socket);
  try {
    await changeServers(runtime, plan.changes, signal);
    await confirmServers(runtime, plan.expected, signal);
    return 'changed';
  } catch {
    signal.throwIfAborted();
    return 'failed';
  }
}

/**
 * Moves servers of the process that a reload is about to replace: its sessions outlive the reload, and none may stay on
 * a demoted master. Does nothing when no process answers.
 */
export async function prepareReload(
  { socket }: HaproxyReload,
  plan: HaproxyPlan & { readonly kind: 'reload' },
  signal: AbortSignal,
): Promise<void> {
  const runtime = new HaproxyRuntime(socket);
  try {
    await alignServers(runtime, plan.expected, signal);
    await retireServers(runtime, plan.gone, signal);
  } catch {
    signal.throwIfAborted();
  }
}

/** Moves the servers of the running process before anything else. The check and the reload follow. */
export async function moveServers(
  { socket }: HaproxyReload,
  expected: readonly ServerLine[],
  signal: AbortSignal,
): Promise<void> {
  await alignServers(new HaproxyRuntime(socket), expected, signal).catch(() => undefined);
}
