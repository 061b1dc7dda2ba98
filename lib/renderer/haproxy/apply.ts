import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../../errors.ts';
import type { DrainSpec } from '../../model/template-spec.ts';
import { type HaproxyPlan, planHaproxy, type ServerChange, type ServerLine, type ServerName } from './plan.ts';
import { HaproxyRuntime, type RuntimeServerState } from './runtime-api.ts';

/** Commands that one connection carries: HAProxy reads a line of at most 16 KiB. */
const commandsAtOnce = 60;
/** How often a server's state is read until it is as it was told; HAProxy applies some of it in another thread. */
const readBackDelaysMs = [0, 5, 20, 100];

/**
 * Tells the running HAProxy of changed servers. A server that moved is declared up at once, for Sentinel has said so and
 * its health check would take a second to notice, and the sessions that are still on the old address are ended.
 */
export async function changeServers(
  runtime: HaproxyRuntime,
  changes: readonly ServerChange[],
  signal: AbortSignal,
): Promise<void> {
  const commands = changes.flatMap(commandsFor);
  for (let i = 0; i < commands.length; i += commandsAtOnce) {
    await runtime.send(commands.slice(i, i + commandsAtOnce), signal);
  }
}

/** Takes servers from the process that is about to be replaced, with their sessions. */
export async function retireServers(
  runtime: HaproxyRuntime,
  gone: readonly ServerName[],
  signal: AbortSignal,
): Promise<void> {
  const commands = gone.flatMap(({ backend, server }) => [
    `set server ${backend}/${server} state maint`,
    `shutdown sessions server ${backend}/${server}`,
  ]);
  for (let i = 0; i < commands.length; i += commandsAtOnce) {
    await runtime.send(commands.slice(i, i + commandsAtOnce), signal);
  }
}

/**
 * Runs `work` while a consumer gets no new sessions from the HAProxy in front of it. Sessions that are there may end by
 * themselves for a while, then they are cut, for the work would cut them too. Whatever comes of the work, the servers are
 * ready again after it; a server that cannot be drained does not keep the work from being done.
 */
export async function whileDrained(
  drain: DrainSpec,
  input: { readonly patience: 'wait' | 'none'; readonly signal: AbortSignal; readonly work: () => Promise<void> },
): Promise<void> {
  const { signal, work } = input;
  const runtime = new HaproxyRuntime(drain.socket);
  const tell = (what: readonly string[]) => runtime.send(what, signal).catch(() => signal.throwIfAborted());
  await tell(drain.servers.map((server) => `set server ${server} state drain`));
  if (input.patience === 'wait') await untilIdle(runtime, drain, signal);
  await tell(drain.servers.map((server) => `shutdown sessions server ${server}`));
  try {
    await work();
  } finally {
    await tell(
      drain.servers.flatMap((server) => [`set server ${server} health up`, `set server ${server} state ready`]),
    );
  }
}

async function untilIdle(runtime: HaproxyRuntime, drain: DrainSpec, signal: AbortSignal): Promise<void> {
  const endMs = performance.now() + drain.timeoutMs;
  while (performance.now() < endMs) {
    const sessions = await runtime.countSessions(signal).catch(() => new Map<string, number>());
    signal.throwIfAborted();
    if (drain.servers.every((server) => (sessions.get(server) ?? 0) === 0)) return;
    await delay(20, undefined, { signal });
  }
}

/** Reads back that the running HAProxy has every server as the config has it. Throws `reload-failed`. */
export async function confirmServers(
  runtime: HaproxyRuntime,
  expected: readonly ServerLine[],
  signal: AbortSignal,
): Promise<void> {
  let wrong: string | undefined;
  for (const delayMs of readBackDelaysMs) {
    await delay(delayMs, undefined, { signal });
    wrong = findWrong(await runtime.readServers(signal), expected);
    if (wrong === undefined) return;
  }
  throw new SwitchmasterError('reload-failed', `HAProxy did not take over what it was told: ${wrong}`);
}

export function planFor(before: string | undefined, after: string): HaproxyPlan {
  return before === undefined ? { kind: 'reload', changes: [], gone: [] } : planHaproxy(before, after);
}

function commandsFor(change: ServerChange): readonly string[] {
  const name = `${change.backend}/${change.server}`;
  const commands: string[] = [];
  if (change.weight !== undefined) commands.push(`set server ${name} weight ${change.weight}`);
  if (change.move !== undefined) {
    commands.push(`set server ${name} addr ${change.move.host} port ${change.move.port}`);
    commands.push(`set server ${name} health up`);
  }
  if (change.state !== undefined) commands.push(`set server ${name} state ${change.state}`);
  if (change.move !== undefined || change.state === 'maint') commands.push(`shutdown sessions server ${name}`);
  return commands;
}

function findWrong(states: readonly RuntimeServerState[], expected: readonly ServerLine[]): string | undefined {
  const byName = new Map(states.map((state) => [`${state.backend}/${state.server}`, state]));
  for (const line of expected) {
    const name = `${line.backend}/${line.server}`;
    const state = byName.get(name);
    if (state === undefined) return `it has no server ${name}.`;
    if (state.host !== line.host || state.port !== line.port) {
      return `${name} is ${state.host}:${state.port} and not ${line.host}:${line.port}.`;
    }
    if (line.weight !== undefined && state.weight !== line.weight) return `${name} has weight ${state.weight}.`;
    if (state.state !== line.state) return `${name} is in state ${state.state}.`;
  }
  return undefined;
}
