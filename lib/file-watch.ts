import { stat } from 'node:fs/promises';
import { withinDeadline } from './file-system.ts';
import { ticks } from './ticks.ts';

export interface FileWatchOptions {
  readonly files: readonly string[];
  /** The files changed, and the poll after that found no further change. */
  readonly onChange: () => void;
  /** Calls a function again and again, until it is ended. Default: every 2 s. */
  readonly repeat?: (look: () => void) => () => void;
}

/**
 * Polls files, such as those of secrets and certificates. Notifications would miss what secret stores do: they swap a symbolic link to a
 * folder, or mount another file. A change counts once it has lasted for an interval, because a certificate and its key
 * are two files.
 */
export class FileWatch {
  readonly #onChange: () => void;
  readonly #stopLooking: () => void;
  #files: readonly string[];
  /** The state that is in use; undefined until the first look. */
  #known: string | undefined;
  #last: string | undefined;
  #looking = false;
  /** The last state of each file. */
  readonly #states = new Map<string, string>();

  constructor({ files, onChange, repeat = (look) => ticks.every(2, look) }: FileWatchOptions) {
    this.#files = files;
    this.#onChange = onChange;
    this.#stopLooking = repeat(() => void this.#look());
    void this.#look();
  }

  /** Whether it knows the state of the files, so that it sees a change. */
  get ready(): boolean {
    return this.#known !== undefined;
  }

  /**
   * Watches these files from now on. A list of other files begins with their present state, or with the `states` that they
   * had when they were read.
   */
  follow(files: readonly string[], states?: ReadonlyMap<string, string>): void {
    if (files.join('\n') === this.#files.join('\n')) return;
    this.#files = files;
    this.#known = states && files.map((file) => states.get(file)).join('\n');
    this.#last = undefined;
    void this.#look();
  }

  close(): void {
    this.#stopLooking();
  }

  /** A file whose file system hangs counts as unchanged. */
  async #stateOf(file: string): Promise<string> {
    const state = await stateOf(file);
    if (state === 'unknown') return this.#states.get(file) ?? state;
    this.#states.set(file, state);
    return state;
  }

  async #look(): Promise<void> {
    // While a file system hangs, this takes longer than the interval.
    if (this.#looking) return;
    this.#looking = true;
    const files = this.#files;
    const seen = (await Promise.all(files.map((file) => this.#stateOf(file)))).join('\n');
    this.#looking = false;
    if (files !== this.#files) return;
    const settled = seen === this.#last;
    this.#last = seen;
    if (this.#known === undefined) this.#known = seen;
    if (seen === this.#known || !settled) return;
    this.#known = seen;
    this.#onChange();
  }
}

/** A text that changes with the file; `unknown` while its file system does not answer. */
export async function stateOf(file: string): Promise<string> {
  try {
    const { ino, dev, size, mtimeNs, ctimeNs } = await withinDeadline(file, () => stat(file, { bigint: true }));
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (thrown) {
    return (thrown as { code?: unknown }).code === 'ETIMEDOUT' ? 'unknown' : 'absent';
  }
}
