import { setTimeout as delay } from 'node:timers/promises';
import type { DrainSpec } from '../../model/template-spec.ts';
import { HaproxyRuntime } from './runtime-api.ts';

/** How long HAProxy may take to set the servers ready again, also while the daemon stops. */
const restoreTimeoutMs = 2_000;
const pollMs = 20;

/**
 * Runs `work` while the HAProxy in front of a consumer sends it no new sessions. With `awaited`, sessions get some time to
 * end by themselves; then they are closed, as `work` would do. The servers are always set to ready again. A server that
 * cannot be drained does not prevent the work.
 */
export async function whileDrained(
  drain: DrainSpec,
  input: {
    readonly sessions: 'awaited' | 'closed';
    readonly signal: AbortSignal;
    /** Ends the wait for sessions, and the work is not done. */
    readonly interrupted: AbortSignal;
    readonly work: () => Promise<void>;
  },
): Promise<void> {
  const { signal, interrupted, work } = input;
  const runtime = new HaproxyRuntime(drain.socket);
  const send = (commands: readonly string[]) => runtime.send(commands, signal).catch(() => signal.throwIfAborted());
  try {
    await send(drain.servers.map((server) => `set server ${server} state drain`));
    if (input.sessions === 'awaited') await untilIdle(runtime, drain, AbortSignal.any([signal, interrupted]));
    await send(drain.servers.map((server) => `shutdown sessions server ${server}`));
    await work();
  } finally {
    const ready = drain.servers.flatMap((server) => [
      `set server ${server} health up`,
      `set server ${server} state ready`,
    ]);
    await runtime.send(ready, AbortSignal.timeout(restoreTimeoutMs)).catch(() => undefined);
  }
}

async function untilIdle(runtime: HaproxyRuntime, drain: DrainSpec, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + drain.timeoutMs;
  while (performance.now() < endMs) {
    const sessions = await runtime.countSessions(signal).catch(() => new Map<string, number>());
    signal.throwIfAborted();
    if (drain.servers.every((server) => (sessions.get(server) ?? 0) === 0)) return;
    await delay(pollMs, undefined, { signal });
  }
}
