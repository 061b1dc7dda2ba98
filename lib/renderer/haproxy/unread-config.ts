import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../../errors.ts';
import type { ServerLine } from './plan.ts';
import { type CommandLine, readServers } from './runtime-api.ts';

const pollMs = 50;

/** `silent`: nothing answers at the socket. `other`: it has none of the servers. */
export type Finding = { readonly kind: 'read' } | { readonly kind: 'silent' | 'other'; readonly reason: string };

/**
 * Whether a HAProxy that was reloaded has read the config with these servers: it has one of them. A reload also succeeds where
 * HAProxy's arguments do not name the file. A new worker may take some time to start.
 */
export async function findUnread(
  process: CommandLine,
  search: { readonly expected: readonly ServerLine[]; readonly limitMs: number; readonly signal: AbortSignal },
): Promise<Finding> {
  const { expected, limitMs, signal } = search;
  const endMs = performance.now() + limitMs;
  for (;;) {
    const finding = await look(process, expected, signal);
    if (finding.kind === 'read' || performance.now() > endMs) return finding;
    await delay(pollMs, undefined, { signal });
  }
}

async function look(process: CommandLine, expected: readonly ServerLine[], signal: AbortSignal): Promise<Finding> {
  const [first] = expected;
  if (first === undefined) return { kind: 'read' };
  try {
    const servers = new Set((await readServers(process, signal)).map(({ backend, server }) => `${backend}/${server}`));
    const isThere = expected.some(({ backend, server }) => servers.has(`${backend}/${server}`));
    if (isThere) return { kind: 'read' };
    return { kind: 'other', reason: `It has no server ${first.backend}/${first.server}.` };
  } catch (thrown) {
    signal.throwIfAborted();
    return { kind: 'silent', reason: SwitchmasterError.from(thrown).message };
  }
}
