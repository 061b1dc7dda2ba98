import { planAlignment, planHaproxy } from './plan.ts';
import type { HaproxyStep } from './reload.ts';
import { HaproxyRuntime } from './runtime-api.ts';
import { changeServers } from './servers.ts';

/**
 * Moves servers that somebody moved over the socket back to their addresses in the file that HAProxy runs with. Returns
 * them as `backend/server`. Does nothing when no process answers.
 */
export async function restoreServers(
  { reload, signal }: Pick<HaproxyStep, 'reload' | 'signal'>,
  text: string,
): Promise<readonly string[]> {
  const runtime = new HaproxyRuntime(reload.socket);
  try {
    const { expected } = planHaproxy(undefined, text);
    const changes = planAlignment(await runtime.readServers(signal), expected).filter(({ move }) => move !== undefined);
    await changeServers(runtime, changes, signal);
    return changes.map(({ backend, server }) => `${backend}/${server}`);
  } catch {
    signal.throwIfAborted();
    return [];
  }
}
