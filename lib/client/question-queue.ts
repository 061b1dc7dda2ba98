import { SwitchmasterError } from '../errors.ts';
import { Semaphore } from '../semaphore.ts';

/**
 * Asks one server a few questions at a time, the others in their order. A thousand at once take a busy server longer than the
 * deadline of each, so none of them would be answered in time, and each would be asked again. What cannot wait is asked without a
 * queue, and finds few questions before it in the connection.
 */
export class QuestionQueue {
  readonly #semaphore: Semaphore;

  constructor(atOnce: number) {
    this.#semaphore = new Semaphore({ places: () => atOnce });
  }

  /**
   * Settles as `question` does. A question that waits is not asked any more when `signal` is aborted: then it rejects with its reason.
   * If the server leaves one without an answer, those that wait fail with the same error, so that none waits for several deadlines.
   */
  async ask<T>(question: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const permit = this.#semaphore.permit();
    signal?.throwIfAborted();
    if (!permit.tryEnter()) await permit.enter(signal);
    try {
      return await question();
    } catch (thrown) {
      if (thrown instanceof SwitchmasterError && thrown.code === 'redis-timeout') this.#semaphore.rejectWaiting(thrown);
      throw thrown;
    } finally {
      permit.leave();
    }
  }
}
