import type { TapFile } from './tap-file.ts';
import { type FileRun, TestProcess, type TestProcessOptions } from './test-process.ts';

/** The processes that run test files. A file gets one that has nothing to do, or a new one. */
export class ProcessPool {
  readonly #options: TestProcessOptions;
  readonly #idle: TestProcess[] = [];

  constructor(options: TestProcessOptions) {
    this.#options = options;
  }

  async run(file: string, tap: TapFile): Promise<FileRun> {
    const process = this.#idle.pop() ?? new TestProcess(this.#options);
    const result = await process.run(file, tap);
    // A failure may leave things behind that fail the next file.
    if (tap.tally.failed > 0 || result.problem !== undefined) process.kill();
    else this.#idle.push(process);
    return result;
  }

  /** Call it when no file runs. Answers how processes ended that did not end well. */
  async end(): Promise<readonly string[]> {
    const ends = await Promise.all(this.#idle.splice(0).map((process) => process.end()));
    return ends.filter((end) => end !== undefined);
  }
}
