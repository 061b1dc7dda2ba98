import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { nodeEnvironment, programFile } from '../runner/environment.ts';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real program, as a user starts it, with nothing of Consul's or ours in its environment. */
export class Program {
  readonly child: ChildProcess;
  #stdout = '';
  #stderr = '';
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Set<() => void>();

  constructor(argv: readonly string[], environment: Record<string, string> = {}) {
    const env = { ...nodeEnvironment(), NO_COLOR: '1', ...environment };
    this.child = spawn(process.execPath, [programFile(), ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk) => {
      this.#stdout += String(chunk);
      this.#wake();
    });
    this.child.stderr?.on('data', (chunk) => {
      this.#stderr += String(chunk);
      this.#wake();
    });
    this.#ended = once(this.child, 'close').then(() => this.#wake());
  }

  /** Its log so far, one object a line. */
  get lines(): readonly Record<string, unknown>[] {
    return this.#stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  get stdout(): string {
    return this.#stdout;
  }

  /** The first log line with this message that `where` accepts, as soon as it is there. */
  async line(msg: string, where: (line: Record<string, unknown>) => boolean = () => true) {
    for (;;) {
      const found = this.lines.find((line) => line.msg === msg && where(line));
      if (found !== undefined) return found;
      if (this.child.exitCode !== null) throw new Error(`it ended before it printed ${msg}:\n${this.#stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Waits until standard output contains `wanted`. */
  says(wanted: RegExp): Promise<RegExpExecArray> {
    return this.#holds(wanted, () => this.#stdout);
  }

  /** Waits until standard error contains `wanted`. */
  complains(wanted: RegExp): Promise<RegExpExecArray> {
    return this.#holds(wanted, () => this.#stderr);
  }

  async end(): Promise<Finished> {
    await this.#ended;
    return { code: this.child.exitCode, stdout: this.#stdout, stderr: this.#stderr };
  }

  async #holds(wanted: RegExp, read: () => string): Promise<RegExpExecArray> {
    for (;;) {
      const found = wanted.exec(read());
      if (found !== null) return found;
      if (this.child.exitCode !== null) throw new Error(`it ended before it printed ${wanted}:\n${this.#stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Runs it to its end. */
export function runProgram(argv: readonly string[], environment?: Record<string, string>): Promise<Finished> {
  return new Program(argv, environment).end();
}
