import type { Inputs } from './inputs.ts';

/** What a template waits for, and whether its inputs changed while it was rendered. */
export class Gaps {
  readonly #inputs: Pick<Inputs, 'stateOf'>;
  /** Ids of what the last render read without an answer; undefined where it gave a text or an error. */
  #missing: Set<string> | undefined;
  #state: 'idle' | 'renders' = 'idle';
  #changed = new Set<string>();

  constructor(inputs: Pick<Inputs, 'stateOf'>) {
    this.#inputs = inputs;
  }

  /** Whether the last render missed something, and all of it is there now. */
  get areClosed(): boolean {
    return this.#missing?.size === 0;
  }

  /** Ids of the inputs that changed while the last render was under way. It may have read them before. */
  get changed(): ReadonlySet<string> {
    return this.#changed;
  }

  /** Notes changes until `work` ends: it takes turns of the event loop. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#state = 'renders';
    this.#changed = new Set();
    try {
      return await work();
    } finally {
      this.#state = 'idle';
    }
  }

  /** `missing`: what had no answer when the render looked it up. */
  take(missing: readonly string[] | undefined): void {
    this.#missing = missing === undefined ? undefined : new Set(missing.filter((id) => !this.#isAnswered(id)));
  }

  note(id: string): 'complete' | 'incomplete' | 'changed' {
    // What a render misses is not known before its end.
    if (this.#state === 'renders') this.#changed.add(id);
    if (this.#state === 'renders' || this.#missing === undefined) return 'changed';
    if (this.#isAnswered(id)) this.#missing.delete(id);
    return this.areClosed ? 'complete' : this.#inputs.stateOf(id) === 'failed' ? 'changed' : 'incomplete';
  }

  #isAnswered(id: string): boolean {
    const state = this.#inputs.stateOf(id);
    return state === 'current' || state === 'stale';
  }
}
