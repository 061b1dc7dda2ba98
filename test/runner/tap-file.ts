import { Parser, type Result } from 'tap-parser';
import type { TestGroup } from './group.ts';

export interface Failure {
  /** The file and the names of the nested tests. */
  readonly path: readonly string[];
  readonly reason: string;
}

interface Tally {
  passed: number;
  failed: number;
}

interface Level {
  readonly path: readonly string[];
  readonly tally: Tally;
}

/**
 * Reads the TAP of a test process and counts its test points: assertions, and tests without any. A skipped or unfinished
 * (`todo`) test counts as failed.
 */
export class TapFile {
  readonly input = new Parser();
  /** What the tests printed by `t.comment`, such as the logs of servers. */
  readonly comments: string[] = [];
  readonly #onFailure: (failure: Failure) => void;
  readonly #tally: Tally = { passed: 0, failed: 0 };
  readonly #group: TestGroup;

  constructor(group: TestGroup, { onFailure }: { readonly onFailure: (failure: Failure) => void }) {
    this.#group = group;
    this.#onFailure = onFailure;
    this.#follow(this.input, this.#root());
  }

  get tally(): Readonly<Tally> {
    return this.#tally;
  }

  /** Call it after the end of the input; `problem` is how the process failed. */
  end(problem: string | undefined): void {
    if (this.#tally.failed > 0) return;
    const [planProblem] = this.input.failures;
    if (problem !== undefined) this.#fail(this.#root(), problem);
    else if (planProblem !== undefined) this.#fail(this.#root(), describe(planProblem));
    else if (this.#tally.passed === 0) this.#fail(this.#root(), 'no test ran');
  }

  #root(): Level {
    return { path: [this.#group.name], tally: this.#tally };
  }

  #follow(parser: Parser, { path, tally }: Level): void {
    let child: Tally | undefined;
    parser.on('child', (nested: Parser) => {
      child = { passed: 0, failed: 0 };
      this.#follow(nested, { path: [...path, nested.name], tally: child });
    });
    parser.on('assert', (result: Result) => {
      if (result.closingTestPoint && child !== undefined) this.#close(result, { path, tally, child });
      else this.#count(result, { path, tally });
      child = undefined;
    });
    parser.on('comment', (comment: string) => {
      // Names and times of the points are in the points.
      if (!/^# (Subtest: |time=|\{ total: )/.test(comment)) this.comments.push(comment.trimEnd());
    });
    parser.on('bailout', (reason: string) => this.#fail({ path, tally }, `bailed out: ${reason}`));
  }

  // A nested test's own point counts only where it adds something to the points in it.
  #close(result: Result, { path, tally, child }: Level & { readonly child: Tally }): void {
    tally.passed += child.passed;
    tally.failed += child.failed;
    const counted = result.ok ? child.passed : child.failed;
    if (counted > 0) return;
    // Where files share a process, each is such a test.
    const isFile = path.length === 1 && this.#group.files.includes(result.name);
    if (isFile && result.ok) this.#fail({ path: [...path, result.name], tally }, 'no test ran');
    else this.#count(result, { path, tally });
  }

  #count(result: Result, { path, tally }: Level): void {
    const level = { path: [...path, result.name], tally };
    if (result.skip !== false) this.#fail(level, `skipped: ${result.skip}`);
    else if (result.todo !== false) this.#fail(level, `to do: ${result.todo}`);
    else if (result.ok) tally.passed += 1;
    else this.#fail(level, describe(result.diag));
  }

  #fail({ path, tally }: Level, reason: string): void {
    tally.failed += 1;
    this.#onFailure({ path, reason });
  }
}

// The fields of tap's diagnostics that say what failed.
const diagnosticFields = [
  'message',
  'cause',
  'signal',
  'exitCode',
  'timeout',
  'diff',
  'found',
  'wanted',
  'source',
  'stack',
  'tapError',
];

function describe(diagnostic: unknown): string {
  if (typeof diagnostic !== 'object' || diagnostic === null) return '';
  const fields = diagnostic as Record<string, unknown>;
  return diagnosticFields
    .filter((name) => fields[name] !== undefined && fields[name] !== null)
    .map((name) => `${name}: ${describeValue(fields[name])}`)
    .join('\n');
}

function describeValue(value: unknown): string {
  if (typeof value === 'object') return describe(value);
  if (typeof value !== 'string') return String(value);
  const text = value.trimEnd();
  return text.includes('\n') ? `\n${text}` : text;
}
