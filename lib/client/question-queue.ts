import { SwitchmasterError } from '../errors.ts';

interface Waiting {
  readonly begin: () => void;
  readonly fail: (reason: unknown) => void;
}

/**
 * Asks one server a few questions at a time, the others in their order. A thousand at once take a busy server longer than the
 * deadline of each, so none of them would be answered in time, and each would be asked again. What cannot wait is asked without a
 * queue, and finds few questions before it in the connection.
 */
export class QuestionQueue {
  readonly #atOnce: number;
  #asking = 0;
  readonly #waiting = new Set<Waiting>();

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Settles as `question` does. A question that waits is not asked any more when `signal` is aborted: then it rejects with its reason.
   * If the server leaves one without an answer, those that wait fail with the same error, so that none waits for several deadlines.
   */
  async ask<T>(question: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#asking < this.#atOnce) this.#asking += 1;
    else await this.#wait(signal);
    try {
      return await question();
    } catch (thrown) {
      if (thrown instanceof SwitchmasterError && thrown.code === 'redis-timeout') this.#failWaiting(thrown);
      throw thrown;
    } finally {
      this.#next();
    }
  }

  /** The question that ends gives its place to this one. */
  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { begin: resolve, fail: reject };
    const onAbort = (): void => {
      if (this.#waiting.delete(waiting)) reject(signal?.reason);
    };
    this.#waiting.add(waiting);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #next(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#asking -= 1;
      return;
    }
    this.#waiting.delete(next);
    next.begin();
  }

  #failWaiting(error: SwitchmasterError): void {
    const failing = [...this.#waiting];
    this.#waiting.clear();
    for (const { fail } of failing) fail(error);
  }
}
