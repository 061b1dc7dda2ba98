import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../../errors.ts';
import { hasEnded } from '../../model/process-stat.ts';
import { readRegularFile } from '../../regular-file.ts';
import { InOrder } from './in-order.ts';
import { readOwnJson, writeOwnJson } from './own-file.ts';
import { signalGroup } from './process-group.ts';
import { readProcessStat } from './process-stat.ts';
import { leftProgramPath } from './side-files.ts';

/*
 * A daemon that is killed (SIGKILL, out of memory) leaves its supervised program behind. That program keeps its port and its former
 * config, so the next daemon ends it before it starts its own. The kernel's start time and boot id tell it from a later process
 * with its id.
 */

/** The process of a supervised program, in the file beside the destination. */
interface Note {
  readonly pid: number;
  readonly startedTicks: number;
  readonly boot: string;
  /** The daemon that started it, and is its parent while it runs. */
  readonly daemon: number;
}

/** How a program is ended. */
export interface StopLimits {
  readonly stopSignal: NodeJS.Signals;
  /** How long it may take to end before SIGKILL. */
  readonly stopTimeoutMs: number;
}

const pauseMs = 10;
/** A process that waits for a file system does not end before it answers, whichever signal it gets. */
const killedMs = 2_000;

/** By file. */
const noting = new InOrder();

export class LeftProgram {
  readonly #destination: string;

  constructor(destination: string) {
    this.#destination = destination;
  }

  /** For a daemon after this one. Rejects when it cannot be written. */
  async note(pid: number): Promise<void> {
    const [stat, boot] = await Promise.all([readProcessStat(pid), readBoot()]);
    if (stat === undefined || boot === undefined) return;
    const path = leftProgramPath(this.#destination);
    const note: Note = { pid, startedTicks: stat.startedTicks, boot, daemon: process.pid };
    await noting.run(path, () => writeOwnJson(path, note));
  }

  /**
   * Ends the program of a daemon that is gone, and waits for its exit. The program of one that runs is left to it. Throws
   * `reload-failed` where the program does not end: it would keep its port and its former config.
   */
  async end({ stopSignal, stopTimeoutMs }: StopLimits): Promise<'ended' | 'none' | 'of-another-daemon'> {
    const note = await readOwnJson(leftProgramPath(this.#destination));
    if (!isNote(note) || note.boot !== (await readBoot())) return 'none';
    const found = await findNoted(note);
    if (found === undefined) return 'none';
    if (found.parent === note.daemon) return 'of-another-daemon';
    const { pid } = note;
    signalProcess(pid, stopSignal);
    // A paused process does not receive other signals.
    signalProcess(pid, 'SIGCONT');
    const killMs = performance.now() + stopTimeoutMs;
    // It is no child of this process, so nothing reports its exit.
    while ((await findNoted(note)) !== undefined) {
      const overMs = performance.now() - killMs;
      if (overMs > killedMs) throw stillThere(pid);
      if (overMs >= 0) signalGroup(pid, 'SIGKILL');
      await delay(pauseMs);
    }
    // What it has started would hold its port.
    signalGroup(pid, 'SIGKILL');
    return 'ended';
  }
}

function stillThere(pid: number): SwitchmasterError {
  const message = `Process ${pid}, the program of a daemon that was killed, does not end: it still runs with its former config.`;
  return new SwitchmasterError('reload-failed', message, { details: { pid } });
}

/** undefined when it has ended, also if another process has its id now. */
async function findNoted({ pid, startedTicks }: Note) {
  const stat = await readProcessStat(pid);
  return stat === undefined || hasEnded(stat) || stat.startedTicks !== startedTicks ? undefined : stat;
}

async function readBoot(): Promise<string | undefined> {
  const id = await readRegularFile('/proc/sys/kernel/random/boot_id').catch(() => undefined);
  return id?.trim();
}

function isNote(json: unknown): json is Note {
  if (typeof json !== 'object' || json === null) return false;
  const { pid, startedTicks, boot, daemon } = json as Record<string, unknown>;
  const areNumbers = [pid, startedTicks, daemon].every((value) => Number.isSafeInteger(value));
  return areNumbers && (pid as number) > 1 && typeof boot === 'string';
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}
