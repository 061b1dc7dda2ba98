import type { TestGroup } from './group.ts';
import { type Failure, TapFile } from './tap-file.ts';
import type { TestProcess } from './test-process.ts';

interface GroupResult {
  readonly name: string;
  readonly wallMs: number;
  readonly cpuMs: number;
}

const slowestCount = 10;

/** Collects the results of test files and prints them: each failure and each file at once, a summary at the end. */
export class TestReport {
  readonly #print: (line: string) => void;
  readonly #failures: Failure[] = [];
  readonly #results: GroupResult[] = [];
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

  /** Begins a group: its TAP goes into `input`; `end` is called when the process and `input` have ended. */
  open(group: TestGroup): { readonly input: NodeJS.WritableStream; readonly end: (process: TestProcess) => void } {
    const tap = new TapFile(group, { onFailure: (failure) => this.fail(failure) });
    return { input: tap.input, end: (process) => this.#end(tap, { ...process, name: group.name }) };
  }

  /** Counts and prints a failure. */
  fail(failure: Failure): void {
    this.#failures.push(failure);
    this.#print(`\nFAILED ${failure.path.join(' > ')}`);
    for (const line of failure.reason.split('\n')) this.#print(`    ${line}`);
  }

  /** Prints the failures again (the first may have scrolled away), the slowest files, and the CPU time of all files. */
  summarize(): void {
    if (this.#failures.length > 0) this.#print('\nfailed:');
    for (const { path } of this.#failures) this.#print(`  ${path.join(' > ')}`);
    const slowest = [...this.#results].sort((a, b) => b.wallMs - a.wallMs).slice(0, slowestCount);
    this.#print('\nslowest files:');
    for (const result of slowest) this.#print(`  ${times(result)}  ${result.name}`);
    const cpuMs = this.#results.reduce((sum, result) => sum + result.cpuMs, 0);
    this.#print(`\nCPU time: ${(cpuMs / 60_000).toFixed(1)} minutes`);
  }

  #end(tap: TapFile, { name, problem, wallMs, cpuMs }: GroupResult & Pick<TestProcess, 'problem'>): void {
    tap.end(problem);
    this.#passed += tap.tally.passed;
    this.#results.push({ name, wallMs, cpuMs });
    const passed = tap.tally.failed === 0;
    this.#print(`${passed ? 'ok    ' : 'FAILED'} ${times({ wallMs, cpuMs })}  ${name}`);
    if (!passed) for (const comment of tap.comments) this.#print(`    ${comment}`);
  }
}

function times({ wallMs, cpuMs }: { readonly wallMs: number; readonly cpuMs: number }): string {
  return `${seconds(wallMs)} s (CPU ${seconds(cpuMs)} s)`;
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1).padStart(5);
}
