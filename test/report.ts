import { Parser, type Result } from 'tap-parser';

type Tally = { passed: number; failed: number };
type Failure = { path: readonly string[]; reason: string };

/**
 * Reads TAP and counts test points: assertions, and tests that make none. What is skipped or left to do counts as failed,
 * for nothing here is meant to be skipped.
 */
export class TestReport {
  /** Where the TAP goes. */
  readonly input: Parser;
  readonly #print: (line: string) => void;
  readonly #failures: Failure[] = [];
  readonly #total: Tally = { passed: 0, failed: 0 };
  readonly #files = new Map<string, Tally>();

  constructor({ print }: { print: (line: string) => void }) {
    this.#print = print;
    this.input = new Parser();
    this.#follow(this.input, { path: [], comments: [] }, this.#total);
  }

  get passed(): number {
    return this.#total.passed;
  }

  get failed(): number {
    return this.#total.failed;
  }

  /** The files with failures; undefined where something failed that belongs to no file. */
  get failedFiles(): readonly string[] | undefined {
    const failed = [...this.#files].filter(([, tally]) => tally.failed > 0);
    const counted = failed.reduce((sum, [, tally]) => sum + tally.failed, 0);
    return counted === this.#total.failed ? failed.map(([file]) => file) : undefined;
  }

  /** Takes the outcome of a second run of some files in place of the first. */
  replace(files: readonly string[], second: TestReport): void {
    for (const file of files) {
      this.#total.passed -= this.#files.get(file)?.passed ?? 0;
      this.#total.failed -= this.#files.get(file)?.failed ?? 0;
    }
    this.#total.passed += second.passed;
    this.#total.failed += second.failed;
    this.#failures.splice(0, this.#failures.length, ...second.#failures);
  }

  /** Counts a failure that no test point tells. */
  fail(reason: string): void {
    this.#failed(this.#total, { path: ['npm test'], reason });
  }

  /** Names the failures once more, for the first may have scrolled away. */
  summarize(): void {
    if (this.#failures.length === 0) return;
    this.#print(`\nfailed:`);
    for (const { path } of this.#failures) this.#print(`  ${path.join(' > ')}`);
  }

  #follow(parser: Parser, { path, comments }: { path: readonly string[]; comments: string[] }, tally: Tally): void {
    let child: { tally: Tally; comments: string[] } | undefined;
    parser.on('child', (nested: Parser) => {
      child = { tally: { passed: 0, failed: 0 }, comments: path.length === 0 ? [] : comments };
      this.#follow(nested, { path: [...path, nested.name], comments: child.comments }, child.tally);
    });
    parser.on('assert', (result: Result) => {
      if (result.closingTestPoint && child !== undefined) this.#close(result, { path, child, tally });
      else this.#count(result, { path, tally });
      child = undefined;
    });
    parser.on('comment', (comment: string) => {
      // tap's own comments say what the names and times of the points say.
      if (!/^# (Subtest: |time=)/.test(comment)) comments.push(comment.trimEnd());
    });
    parser.on('bailout', (reason: string) => this.#failed(tally, { path, reason: `bailed out: ${reason}` }));
  }

  // A nested test's own point only counts when it tells something that the points in it do not.
  #close(
    result: Result,
    { path, child, tally }: { path: readonly string[]; child: { tally: Tally; comments: string[] }; tally: Tally },
  ): void {
    const before = { ...tally };
    tally.passed += child.tally.passed;
    tally.failed += child.tally.failed;
    const told = result.ok ? child.tally.passed : child.tally.failed;
    if (told === 0) this.#count(result, { path, tally });
    if (path.length > 0) return;
    this.#files.set(result.name, { passed: tally.passed - before.passed, failed: tally.failed - before.failed });
    this.#print(`${result.ok ? 'ok    ' : 'FAILED'} ${result.name}  ${seconds(result.time)}`);
    if (!result.ok) for (const comment of child.comments) this.#print(`    ${comment}`);
  }

  #count(result: Result, { path, tally }: { path: readonly string[]; tally: Tally }): void {
    const own = [...path, result.name];
    if (result.skip !== false) this.#failed(tally, { path: own, reason: `skipped: ${result.skip}` });
    else if (result.todo !== false) this.#failed(tally, { path: own, reason: `to do: ${result.todo}` });
    else if (result.ok) tally.passed += 1;
    else this.#failed(tally, { path: own, reason: told(result.diag) });
  }

  #failed(tally: Tally, failure: Failure): void {
    tally.failed += 1;
    this.#failures.push(failure);
    this.#print(`\nFAILED ${failure.path.join(' > ')}`);
    for (const line of failure.reason.split('\n')) this.#print(`    ${line}`);
  }
}

// What tap tells beside a failed point; the rest is about how the process was started.
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
];

function told(diagnostic: unknown): string {
  if (typeof diagnostic !== 'object' || diagnostic === null) return '';
  const fields = diagnostic as Record<string, unknown>;
  return diagnosticFields
    .filter((name) => fields[name] !== undefined && fields[name] !== null)
    .map((name) => `${name}: ${shown(fields[name])}`)
    .join('\n');
}

function shown(value: unknown): string {
  if (typeof value === 'object') return told(value);
  if (typeof value !== 'string') return String(value);
  const text = value.trimEnd();
  return text.includes('\n') ? `\n${text}` : text;
}

function seconds(timeMs: number | null): string {
  return timeMs === null ? '' : `${(timeMs / 1_000).toFixed(1)} s`;
}
