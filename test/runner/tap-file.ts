import type { Parser, Result } from 'tap-parser';

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
 * Counts the test points of a file: assertions, and tests without any. A skipped or unfinished (`todo`) test counts as
 * failed.
 */
export class TapFile {
  /** What the tests printed by `t.comment`, such as the logs of servers. */
  readonly comments: string[] = [];
  readonly #onFailure: (failure: Failure) => void;
  readonly #tally: Tally = { passed: 0, failed: 0 };
  readonly #file: Level;

  constructor(name: string, { onFailure }: { readonly onFailure: (failure: Failure) => void }) {
    this.#onFailure = onFailure;
    this.#file = { path: [name], tally: this.#tally };
  }

  get tally(): Readonly<Tally> {
    return this.#tally;
  }

  /** Reads the TAP of the file's own test. */
  follow(parser: Parser): void {
    this.#follow(parser, this.#file);
  }

  /** Counts a failure that is no part of the file's own TAP. */
  fail(result: Result): void {
    this.#count(result, this.#file);
  }

  /** Call it at the end; `problem` is how the process failed. */
  end(problem: string | undefined): void {
    if (this.#tally.failed > 0) return;
    if (problem !== undefined) this.#fail(this.#file, problem);
    else if (this.#tally.passed === 0) this.#fail(this.#file, 'no test ran');
  }

  #follow(parser: Parser, { path, tally }: Level): void {
    let child: Tally | undefined;
    parser.on('child', (nested: Parser) => {
      child = { passed: 0, failed: 0 };
      this.#follow(nested, { path: [...path, nested.name], tally: child });
    });
    parser.on('assert', (result: Result) => {
      if (result.closingTestPoint && child !== undefined) this.#count(result, { path, tally, child });
      else this.#count(result, { path, tally });
      child = undefined;
    });
    parser.on('comment', (comment: string) => {
      // Names and times of the points are in the points.
      if (!/^# (Subtest: |time=|\{ total: )/.test(comment)) this.comments.push(comment.trimEnd());
    });
    parser.on('bailout', (reason: string) => this.#fail({ path, tally }, `bailed out: ${reason}`));
  }

  // The point of a nested test counts only where it adds something to the points in it.
  #count(result: Result, { path, tally, child = { passed: 0, failed: 0 } }: Level & { readonly child?: Tally }): void {
    tally.passed += child.passed;
    tally.failed += child.failed;
    if ((result.ok ? child.passed : child.failed) > 0) return;
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
