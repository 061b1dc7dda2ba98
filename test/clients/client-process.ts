import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ClientJob, ClientProgram } from './programs.ts';

/** A running client program, and what it has written. */
export class ClientProcess {
  readonly library: string;
  readonly job: ClientJob;
  /** Milliseconds since 1970 of each acknowledgement, by number. */
  readonly acknowledged = new Map<number, number>();
  /** The last lines that it printed to standard error. */
  readonly errors: string[] = [];
  readonly #child: ChildProcess;

  private constructor({ library }: ClientProgram, job: ClientJob, child: ChildProcess) {
    this.library = library;
    this.job = job;
    this.#child = child;
  }

  static start(
    program: ClientProgram,
    on: { readonly job: ClientJob; readonly env: NodeJS.ProcessEnv },
  ): ClientProcess {
    const { job, env } = on;
    const [file, ...args] = program.argv;
    const child = spawn(file, [...args, JSON.stringify(job)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const client = new ClientProcess(program, job, child);
    child.on('error', (error) => client.errors.push(String(error)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { n, atMs } = JSON.parse(line) as { n: number; atMs: number };
      client.acknowledged.set(n, atMs);
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (client.errors.push(line) > 20) client.errors.shift();
    });
    return client;
  }

  /** Whether it has written since. Throws if the process has ended. */
  hasWrittenAfter(sinceMs: number): boolean {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null)
      throw new Error(`${this.library} ended with ${exitCode ?? signalCode}: ${this.errors.join('\n')}`);
    return ([...this.acknowledged.values()].at(-1) ?? 0) > sinceMs;
  }

  /** The longest time without an acknowledgement in the window, in milliseconds; Infinity if it ends with more than 5 s. */
  longestGap({ fromMs, toMs }: Window): number {
    let longest = 0;
    let before = fromMs;
    for (const atMs of this.acknowledged.values()) {
      if (atMs <= fromMs || atMs > toMs) continue;
      longest = Math.max(longest, atMs - before);
      before = atMs;
    }
    return toMs - before > 5_000 ? Number.POSITIVE_INFINITY : longest;
  }

  /** The numbers that were acknowledged in the window. */
  acknowledgedIn({ fromMs, toMs }: Window): readonly number[] {
    return [...this.acknowledged].filter(([, atMs]) => atMs > fromMs && atMs <= toMs).map(([n]) => n);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'close');
  }
}

/** Milliseconds since 1970. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}
