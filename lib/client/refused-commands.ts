/** A command with what a server answered to it. */
export interface RefusedCommand {
  /** Without arguments: `CLIENT PAUSE`, `REPLICAOF`. */
  readonly command: string;
  /** The server's answer: `NOPERM …`, or `ERR unknown command …` where it was renamed. */
  readonly says: string;
}

type Words = readonly [string, ...(string | number)[]];

/** Commands whose second word is a subcommand. */
const containers: ReadonlySet<string> = new Set(['CLIENT', 'CONFIG', 'CLUSTER', 'SENTINEL']);

/** A server that accepts a command needs no older name of it. */
const olderNames: Readonly<Record<string, string>> = { REPLICAOF: 'SLAVEOF', 'SENTINEL REPLICAS': 'SENTINEL SLAVES' };

/**
 * The daemon forgets a refusal after this time: no server reports a changed ACL, and some commands are sent at a failover
 * only.
 */
const keptMs = 3_600_000;

/** Of nearly all servers. Each run of a master reads the list of each of its servers. */
const none: readonly RefusedCommand[] = [];

/** The commands that a server refused when they were sent last, in the last hour. What it answers about arguments is no refusal. */
export class RefusedCommands {
  /** undefined for nearly all servers, of which a daemon has thousands. */
  #refused: Map<string, { readonly says: string; readonly atMs: number }> | undefined;
  readonly #onChange: () => void;

  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  get list(): readonly RefusedCommand[] {
    if (this.#refused === undefined) return none;
    const sinceMs = performance.now() - keptMs;
    return [...this.#refused]
      .filter(([, { atMs }]) => atMs > sinceMs)
      .map(([command, { says }]) => ({ command, says }))
      .toSorted(byCommand);
  }

  /** `reply` is an Error where the server answered with one. Errors of the connection say nothing. */
  note(words: Words, reply: unknown): void {
    const command = nameOf(words);
    const says = reply instanceof Error ? reply.message : undefined;
    if (says !== undefined && (reply as Error).name !== 'ReplyError') return;
    const before = this.#refused?.get(command)?.says;
    const now = says !== undefined && isRefused(says) ? says : undefined;
    const older = olderNames[command];
    if (now !== undefined) {
      this.#refused ??= new Map();
      this.#refused.set(command, { says: now, atMs: performance.now() });
    } else {
      if (older !== undefined) this.#refused?.delete(older);
      this.#refused?.delete(command);
      if (this.#refused?.size === 0) this.#refused = undefined;
    }
    if (before !== now) this.#onChange();
  }
}

/** Whether an error reply refuses the command itself: its user may not run it, or the server does not know it. */
export function isRefused(says: string): boolean {
  return /^NOPERM|^ERR unknown (?:sub)?command/i.test(says);
}

function nameOf([name, subcommand]: Words): string {
  const upper = name.toUpperCase();
  return containers.has(upper) ? `${upper} ${String(subcommand).toUpperCase()}` : upper;
}

function byCommand(a: RefusedCommand, b: RefusedCommand): number {
  return a.command < b.command ? -1 : 1;
}

/**
 * Commands that a server refuses for their arguments, before it does anything, unless it refuses the command itself: so they
 * show what the fence may do. By `sentinel.fence`. CLIENT UNPAUSE and CONFIG REWRITE have no arguments that could be wrong.
 */
export const fenceProbes = {
  none: [],
  pause: [['CLIENT', 'PAUSE', 'x', 'WRITE']],
  demote: [
    ['CLIENT', 'PAUSE', 'x', 'WRITE'],
    ['CLIENT', 'KILL', 'TYPE', 'x'],
    ['REPLICAOF', 'x', 'x'],
  ],
} as const satisfies Readonly<Record<string, readonly Words[]>>;
