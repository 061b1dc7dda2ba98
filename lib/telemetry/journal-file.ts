import { rename } from 'node:fs/promises';
import { appendLines, PartialWrite } from '../append-file.ts';
import { SwitchmasterError } from '../errors.ts';
import { withinDeadline, writeTimeoutMs } from '../file-system.ts';
import { anchored, followLinks } from '../links.ts';
import { parseJsonObject } from '../model/json.ts';
import { readRegularFile } from '../regular-file.ts';
import type { JournalEntry, KeptEntry } from './journal.ts';

export interface JournalFileOptions {
  /** Absolute. One JSON object a line; `<path>.1` is the part before it. */
  readonly path: string;
  /** Above this size the file is renamed to `<path>.1`, and a new one begins. Default 16 MiB. */
  readonly maxBytes?: number;
  /** How long a write may take before it counts as failed. Default 5 s. */
  readonly timeoutMs?: number;
  /** How long a write that failed waits for the next one. Default 5 s. */
  readonly retryMs?: number;
  /** Called once when writing begins to fail, and again when something else fails, or after a success in between. */
  readonly onProblem: (error: SwitchmasterError) => void;
  /** Called at that success. */
  readonly onRecovered?: () => void;
}

/** How many lines, and characters, may wait for a slow disk. The file loses the lines beyond. */
const maxKept = 1_000;
const maxKeptCharacters = 8 * 1024 * 1024;

/** A longer journal is not read. */
const maxReadBytes = 256 * 1024 * 1024;

/*
 * A journal that survives restarts. `append` never waits and never throws: one write at a time takes all waiting lines. Lines that
 * were not written wait for the next try. Lines of which some may be in the file do not: each try would add them once more.
 * `load` skips a line that a crash has cut.
 */
export class JournalFile {
  readonly #options: JournalFileOptions;
  #waiting: string[] = [];
  /** The lines that wait, and those of writes that have not returned. */
  readonly #kept = { lines: 0, characters: 0 };
  #retry: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #failing: Failure['of'] | undefined;

  constructor(options: JournalFileOptions) {
    this.#options = options;
  }

  /** Every readable entry, oldest first. A missing file is empty. */
  async load(): Promise<readonly JournalEntry[]> {
    const texts = await Promise.all([`${this.#options.path}.1`, this.#options.path].map((file) => this.#read(file)));
    return texts.flatMap((text) =>
      text.split('\n').flatMap((line) => {
        // The inputs of decisions stay in the file.
        const { replay: _, ...entry } = parseEntry(line) ?? { replay: undefined };
        return 'id' in entry ? [entry] : [];
      }),
    );
  }

  append(entry: KeptEntry): void {
    if (this.#kept.lines >= maxKept || this.#kept.characters >= maxKeptCharacters) return;
    const line = JSON.stringify(entry);
    this.#waiting.push(line);
    this.#kept.lines += 1;
    this.#kept.characters += line.length;
    if (this.#retry === undefined) this.#drainSoon();
  }

  /** Waits until every appended line is written or has failed. */
  async close(): Promise<void> {
    this.#cancelRetry();
    await this.#writing;
    this.#cancelRetry();
  }

  #drainSoon(): void {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      let writing: Promise<void> | undefined;
      const write = () => {
        writing = this.#write(`${lines.join('\n')}\n`);
        return writing;
      };
      try {
        await withinDeadline(this.#options.path, write, { timeoutMs: this.#options.timeoutMs ?? writeTimeoutMs });
      } catch (thrown) {
        this.#fail({ of: 'write', message: `cannot write the journal to ${this.#options.path}`, cause: thrown });
        if (writing === undefined) this.#putBack(lines);
        else this.#settleLate(writing, lines);
        this.#retryLater();
        return;
      }
      this.#drop(lines);
    }
  }

  /** A write that hangs returns after the next try, which has found nothing to write. */
  #settleLate(writing: Promise<void>, lines: readonly string[]): void {
    const fail = (error: unknown) => (error instanceof PartialWrite ? this.#drop(lines) : this.#putBack(lines));
    writing.then(() => this.#drop(lines), fail);
  }

  #drop(lines: readonly string[]): void {
    this.#kept.lines -= lines.length;
    for (const { length } of lines) this.#kept.characters -= length;
  }

  #putBack(lines: readonly string[]): void {
    this.#waiting = [...lines, ...this.#waiting];
    this.#retryLater();
  }

  #cancelRetry(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#drainSoon();
    }, this.#options.retryMs ?? 5_000);
    this.#retry.unref();
  }

  #succeed(): void {
    if (this.#failing !== undefined) this.#options.onRecovered?.();
    this.#failing = undefined;
  }

  async #write(text: string): Promise<void> {
    const file = this.#options.path;
    const size = await appendLines(file, text);
    if (size > (this.#options.maxBytes ?? 16 * 1024 * 1024) && !(await this.#rotate())) return;
    this.#succeed();
  }

  /** Where it fails, the lines are written already, and the file grows. */
  async #rotate(): Promise<boolean> {
    const file = this.#options.path;
    try {
      await anchored(file, (full) => rename(full, `${full}.1`));
      return true;
    } catch (thrown) {
      this.#fail({ of: 'rename', message: `cannot rename the journal ${file} to ${file}.1`, cause: thrown });
      return false;
    }
  }

  async #read(file: string): Promise<string> {
    try {
      const target = await withinDeadline(file, () => followLinks(file));
      return await readRegularFile(target, { maxBytes: maxReadBytes, accept: () => undefined });
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#fail({ of: 'read', message: `cannot read the journal ${file}`, cause: thrown });
      return '';
    }
  }

  #fail({ of, message, cause }: Failure): void {
    const { message: why } = SwitchmasterError.from(cause);
    if (this.#failing !== of)
      this.#options.onProblem(new SwitchmasterError('file-unwritable', `${message}: ${why}`, { cause }));
    this.#failing = of;
  }
}

interface Failure {
  readonly of: 'read' | 'write' | 'rename';
  readonly message: string;
  readonly cause: unknown;
}

const kinds: ReadonlySet<unknown> = new Set(['applied', 'fenced', 'held', 'failed']);

/** Undefined for a line that is not an entry. Somebody may have edited the file. */
export function parseEntry(line: string): KeptEntry | undefined {
  const json = parseJsonObject(line);
  if (json === undefined) return undefined;
  const { id, at, loop, key, reconcileId, kind, summary, hints, details, error, durationMs, failures } = json;
  const texts = [at, loop, key, reconcileId, summary].every((text) => typeof text === 'string');
  const counts = [durationMs, failures].every((count) => typeof count === 'number');
  if (!texts || !counts || !Number.isSafeInteger(id) || !kinds.has(kind) || !Array.isArray(hints)) return undefined;
  if (typeof details !== 'object' || details === null || (error !== null && typeof error !== 'object'))
    return undefined;
  return json as unknown as KeptEntry;
}
