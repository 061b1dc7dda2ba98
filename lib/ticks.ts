/** Something that is repeated. */
interface Task {
  readonly everySeconds: number;
  readonly run: (lateMs: number) => void;
  readonly keepsProcess: boolean;
}

const tickMs = 1_000;

/**
 * One timer for all that a process repeats every few seconds. A process that wakes up has cold caches, so ten timers in one turn of the
 * event loop cost much less than ten turns.
 */
export class Ticks {
  readonly #tasks = new Set<Task>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;
  /** When the next tick is due, in milliseconds of `performance.now()`. */
  #dueMs = 0;

  /**
   * Calls `run` every few seconds, for the first time within that time. Returns what ends it. `keepsProcess`: whether the process goes
   * on because of it, by default yes. `run` gets how late its tick is.
   */
  every(
    seconds: number,
    run: (lateMs: number) => void,
    { keepsProcess = true }: { readonly keepsProcess?: boolean } = {},
  ): () => void {
    const task: Task = { everySeconds: seconds, run, keepsProcess };
    this.#tasks.add(task);
    this.#adjust();
    return () => {
      this.#tasks.delete(task);
      this.#adjust();
    };
  }

  /**
   * Begins the second again: a timer that a library starts for every second in the same turn then ends with this one. Node.js keeps
   * timers of the same length in one list, and begins all that are due at the same time again.
   */
  restart(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#adjust();
  }

  #adjust(): void {
    if (this.#tasks.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    this.#timer ??= this.#begin();
    if ([...this.#tasks].some(({ keepsProcess }) => keepsProcess)) this.#timer.ref();
    else this.#timer.unref();
  }

  #begin(): NodeJS.Timeout {
    this.#dueMs = performance.now() + tickMs;
    return setInterval(() => this.#tick(), tickMs);
  }

  #tick(): void {
    const nowMs = performance.now();
    const lateMs = Math.max(0, nowMs - this.#dueMs);
    this.#dueMs = nowMs + tickMs;
    this.#count += 1;
    for (const task of [...this.#tasks]) {
      // An error of one is uncaught, as in a timer of its own, and does not keep the others from their turn.
      if (this.#count % task.everySeconds === 0) queueMicrotask(() => this.#run(task, lateMs));
    }
  }

  /** Unless another task of this tick has ended it. */
  #run(task: Task, lateMs: number): void {
    if (this.#tasks.has(task)) task.run(lateMs);
  }
}

export const ticks = new Ticks();
