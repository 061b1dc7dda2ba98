import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../../errors.ts';
import { planAlignment, type ServerChange, type ServerLine, type ServerName, type ServerState } from './plan.ts';
import { type CommandLine, readServers } from './runtime-api.ts';

/** Commands on one connection. HAProxy reads a line of at most 16 KiB. */
const commandsAtOnce = 60;
/** Pauses between readings of the servers' states. HAProxy applies some commands in another thread. */
const readBackDelaysMs = [0, 5, 20, 100];

/**
 * Changes servers of a running HAProxy. A server that moved is set up at once, because its health check would take a
 * second to notice. Sessions on its old address are closed.
 */
export async function changeServers(
  process: CommandLine,
  changes: readonly ServerChange[],
  signal: AbortSignal,
): Promise<void> {
  await sendAll(process, changes.flatMap(commandsFor), signal);
}

/** Disables servers that a reload is about to remove, and closes their sessions. */
export async function retireServers(
  process: CommandLine,
  gone: readonly ServerName[],
  signal: AbortSignal,
): Promise<void> {
  const commands = gone.flatMap(({ backend, server }) => [
    `set server ${backend}/${server} state maint`,
    `shutdown sessions server ${backend}/${server}`,
  ]);
  await sendAll(process, commands, signal);
}

/** Moves the servers of a process that are at another address than expected. A server at its address is not touched. */
export async function alignServers(
  process: CommandLine,
  expected: readonly ServerLine[],
  signal: AbortSignal,
): Promise<void> {
  await changeServers(process, planAlignment(await readServers(process, signal), expected), signal);
}

/** What the new config says of the sessions of a worker that it replaces or has replaced. */
export interface Departure {
  readonly expected: readonly ServerLine[];
  readonly gone: readonly ServerName[];
  /** Frontends, backends and listens, all of whose sessions end. */
  readonly proxies: ReadonlySet<string>;
}

/**
 * Closes the sessions of an old worker whose server is at another address than expected, or gone, and those of whole
 * proxies. An old worker refuses commands for a server ("Proxy is disabled"), so each session is closed by its id.
 */
export async function closeSessions(worker: CommandLine, departure: Departure, signal: AbortSignal): Promise<void> {
  const { expected, gone, proxies } = departure;
  const moved = planAlignment(await readServers(worker, signal), expected);
  const left = new Set([...moved, ...gone].map(({ backend, server }) => `${backend}/${server}`));
  if (left.size + proxies.size === 0) return;
  const sessions = parseSessions(await worker.send(['show sess'], signal));
  const ending = sessions.filter(({ frontend, backend, server }) => {
    return left.has(`${backend}/${server}`) || proxies.has(frontend) || proxies.has(backend);
  });
  await sendAll(
    worker,
    ending.map(({ id }) => `shutdown session ${id}`),
    signal,
  );
}

interface Session {
  readonly id: string;
  readonly frontend: string;
  readonly backend: string;
  readonly server: string;
}

/** Reads lines such as `0x55d0: proto=tcpv4 src=... fe=f be=b srv=s ts=00 ...`. */
function parseSessions(text: string): readonly Session[] {
  const lines = text.matchAll(/^(0x[0-9a-f]+): .*?\bfe=(\S+) be=(\S+) srv=(\S+)/gm);
  return [...lines].map(([, id = '', frontend = '', backend = '', server = '']) => ({ id, frontend, backend, server }));
}

/** Reads back that every server is as the config says. Throws `reload-failed`. */
export async function confirmServers(
  process: CommandLine,
  expected: readonly ServerLine[],
  signal: AbortSignal,
): Promise<void> {
  let wrong: string | undefined;
  for (const delayMs of readBackDelaysMs) {
    await delay(delayMs, undefined, { signal });
    wrong = findWrong(await readServers(process, signal), expected);
    if (wrong === undefined) return;
  }
  throw new SwitchmasterError('reload-failed', `HAProxy did not apply the changes: ${wrong}`);
}

async function sendAll(process: CommandLine, commands: readonly string[], signal: AbortSignal): Promise<void> {
  for (let i = 0; i < commands.length; i += commandsAtOnce) {
    await process.send(commands.slice(i, i + commandsAtOnce), signal);
  }
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
  // A server of weight 0 takes no new sessions, and a config may mark its master that way.
  const leaves = change.move !== undefined || change.state === 'maint' || change.weight === 0;
  if (leaves) commands.push(`shutdown sessions server ${name}`);
  return commands;
}

function findWrong(states: readonly ServerState[], expected: readonly ServerLine[]): string | undefined {
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
