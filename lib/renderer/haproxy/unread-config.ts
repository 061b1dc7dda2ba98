import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../../errors.ts';
import type { ServerLine } from './plan.ts';
import { type CommandLine, readServers } from './runtime-api.ts';

const pollMs = 50;
/** How long a new worker may take to start after the reload command has ended. */
const startLimitMs = 3_000;

/**
 * Why a HAProxy that was reloaded has not read the config with these servers; undefined once it has one of them. A reload
 * also succeeds where HAProxy's arguments do not name the file.
 */
export async function findUnread(
  process: CommandLine,
  expected: readonly ServerLine[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const endMs = performance.now() + startLimitMs;
  for (;;) {
    const reason = await readReason(process, expected, signal);
    if (reason === undefined || performance.now() > endMs) return reason;
    await delay(pollMs, undefined, { signal });
  }
}

async function readReason(
  process: CommandLine,
  expected: readonly ServerLine[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const [first] = expected;
  if (first === undefined) return undefined;
  try {
    const servers = new Set((await readServers(process, signal)).map(({ backend, server }) => `${backend}/${server}`));
    const isThere = expected.some(({ backend, server }) => servers.has(`${backend}/${server}`));
    return isThere ? undefined : `It has no server ${first.backend}/${first.server}.`;
  } catch (thrown) {
    signal.throwIfAborted();
    return SwitchmasterError.from(thrown).message;
  }
}
