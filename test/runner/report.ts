import { type Failure, TapFile } from './tap-file.ts';
import type { FileRun } from './test-process.ts';

interface FileResult extends FileRun {
  readonly name: string;
}

const slowestCount = 10;

/** Collects the results of test files and prints them: each failure and each file at once, a summary at the end. */
export class TestReport {
  readonly #print: (line: string) => void;
  readonly #failures: Failure[] = [];
  readonly #results: FileResult[] = [];
  #passed = 0;

  constructor({ print }: { readonly print: (line: string) => void }) {
    this.#print = print;
  }

  /** Test points that passed. */
  get passed(): number {
    return this.#passed;
  }

  /** Test points that failed, and files that failed without one. */
  get failed(): number {
    return this.#failures.length;
  }

  /** Begins a file: `tap` counts its TAP; `end` is called when it has ended. */
  open(name: string): { readonly tap: TapFile; readonly end: (run: FileRun) => void } {
    const tap = new TapFile(name, { onFailure: (failure) => this.fail(failure) });
    return { tap, end: (run) => this.#end(tap, { ...run, name }) };
  }

  /** Counts and prints a failure. */
  fail(failure: Failure): void {
    this.#failures.push(failure);
    this.#print(`\nFAILED ${failure.path.join(' > ')}`);
    for (const line of failure.reason.split('\n')) this.#print(`    ${line}`);
  }

  /**
   * Prints the failures again, because the first may have scrolled away, then the slowest files and the CPU time of the
   * whole run.
   */
  summarize({ cpuMs }: { readonly cpuMs: number }): void {
    if (this.#failures.length > 0) this.#print('\nfailed:');
    for (const { path } of this.#failures) this.#print(`  ${path.join(' > ')}`);
    const slowest = [...this.#results].sort((a, b) => b.wallMs - a.wallMs).slice(0, slowestCount);
    this.#print('\nslowest files:');
    for (const result of slowest) this.#print(`  ${times(result)}  ${result.name}`);
    this.#print(`\nCPU time: ${(cpuMs / 60_000).toFixed(1)} minutes`);
  }

  #end(tap: TapFile, result: FileResult): void {
    tap.end(result.problem);
    this.#passed += tap.tally.passed;
    this.#results.push(result);
    const passed = tap.tally.failed === 0;
    this.#print(`${passed ? 'ok    ' : 'FAILED'} ${times(result)}  ${result.name}`);
    if (!passed) for (const comment of tap.comments) this.#print(`    ${comment}`);
  }
}

function times({ wallMs, cpuMs }: FileRun): string {
  return `${seconds(wallMs)} s (CPU ${seconds(cpuMs)} s)`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1).padStart(5);
}
