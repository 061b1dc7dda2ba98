import { realpathSync } from 'node:fs';
import { basename } from 'node:path';
import type { CommandOutput } from '../command-output.ts';
import { isExecutable, type Launch } from '../process-group.ts';
import type { Started } from '../started.ts';
import { isKnownProgram } from './known-program.ts';
import { environmentProgram, type ShellKind, writeScript } from './script.ts';
import { WaitingShell } from './waiting-shell.ts';

export interface ShellPoolOptions {
  /** How many shells wait at most. */
  readonly size: number;
  /** Default: `/bin/sh`. */
  readonly shell?: string;
  /** Whether nothing is under way that waits for the event loop. Default: always. */
  readonly isCalm?: () => boolean;
  /** How long no command may have started or ended before a shell is started. Default: {@link usualCalmMs}. */
  readonly calmMs?: number;
  /** How long a shell may take to become a command. */
  readonly startLimitMs?: number;
  /** Called when no more shells are started, because they start no command. */
  readonly onOff?: () => void;
}

/** How long nothing happens before a shell is started for a later command. */
export const usualCalmMs = 200;

/**
 * So many shells without a command switch the pool off: in a row, those that ended while they waited; more than those that started
 * theirs, those that did not do so in time, which also happens on a busy machine.
 */
const mostLost = { waiting: 3, used: 10 };

/**
 * Shells that wait for the next commands. To start a process, the operating system copies the page tables of the daemon, while
 * its event loop stands still. The pool does that when nothing happens.
 */
export class ShellPool {
  readonly #options: Required<ShellPoolOptions>;
  readonly #shells = new Set<WaitingShell>();
  #state: 'new' | 'open' | 'off' | 'closed' = 'new';
  #kind: ShellKind | undefined;
  #timer: NodeJS.Timeout | undefined;
  #commands = 0;
  #lost = { waiting: 0, used: 0 };

  constructor(options: ShellPoolOptions) {
    this.#options = {
      ...{ shell: '/bin/sh', isCalm: () => true, calmMs: usualCalmMs, startLimitMs: 100, onOff: () => undefined },
      ...options,
    };
  }

  /** The process ids of the shells that wait. */
  get waiting(): readonly number[] {
    return [...this.#shells].flatMap(({ pid }) => pid ?? []);
  }

  /** Whether it was neither opened nor closed. */
  get isNew(): boolean {
    return this.#state === 'new';
  }

  /** Starts shells from now on, the first after `calmMs`. Call it again to replace those that wait. */
  open(): void {
    if (this.#state === 'closed') return;
    this.#end();
    this.#kind = findKind(this.#options.shell);
    this.#state = 'open';
    this.#lost = { waiting: 0, used: 0 };
    this.#fillLater();
  }

  /** For good. */
  close(): void {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#end();
  }

  /** Runs a command, directly or in a shell. No shell is started meanwhile. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#commands += 1;
    try {
      return await work();
    } finally {
      this.#commands -= 1;
      this.#fillLater();
    }
  }

  /** The script for {@link start}. undefined if no shell waits, or if a shell would start the command in another way. */
  prepare(command: Launch & { readonly args: readonly string[] }): string | undefined {
    const kind = this.#kind;
    if (this.#shells.size === 0 || kind === undefined) return undefined;
    const script = writeScript(kind, command);
    return script === undefined || !isKnownProgram(command) ? undefined : script;
  }

  /** Starts a command in a shell that waits. undefined if it has not started: no shell waits, or the shell ended. */
  async start(script: string): Promise<(Started & { readonly output: CommandOutput }) | undefined> {
    const shell = this.#take();
    if (shell === undefined) return undefined;
    const started = await shell.become(script, this.#options.startLimitMs);
    if (started === undefined) this.#countLost('used');
    else this.#lost = { waiting: 0, used: Math.max(0, this.#lost.used - 1) };
    return started;
  }

  #take(): WaitingShell | undefined {
    const [shell] = this.#shells;
    if (shell === undefined) return undefined;
    this.#shells.delete(shell);
    if (shell.isReady) return shell;
    shell.end();
    return undefined;
  }

  #end(): void {
    for (const shell of this.#shells) shell.end();
    this.#shells.clear();
  }

  #fillLater(): void {
    clearTimeout(this.#timer);
    if (this.#state !== 'open' || this.#kind === undefined || this.#shells.size >= this.#options.size) return;
    this.#timer = setTimeout(() => this.#fill(), this.#options.calmMs).unref();
  }

  /** One at a time: each holds up the event loop. */
  #fill(): void {
    if (this.#commands === 0 && this.#options.isCalm()) {
      const shell = WaitingShell.start(this.#options.shell, (lost) => {
        this.#shells.delete(lost);
        this.#countLost('waiting');
      });
      if (shell === undefined) this.#countLost('waiting');
      else this.#shells.add(shell);
    }
    this.#fillLater();
  }

  #countLost(when: keyof typeof mostLost): void {
    this.#lost[when] += 1;
    if (this.#lost[when] >= mostLost[when] && this.#state === 'open') {
      this.#state = 'off';
      this.#end();
      this.#options.onOff();
    }
    this.#fillLater();
  }
}

/** undefined for a shell of which it is not known how it executes a program, and if there is none. */
function findKind(shell: string): ShellKind | undefined {
  try {
    const name = basename(realpathSync(shell));
    // See writeScript.
    if (name === 'bash') return isExecutable(environmentProgram) ? 'bash' : undefined;
    return name === 'dash' || name === 'busybox' ? name : undefined;
  } catch {
    return undefined;
  }
}
