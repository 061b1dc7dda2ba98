// Replaces async-hook-domain, by which tap finds the test of an uncaught error. That package records the creation and the
// destruction of each promise and handle of the process. This one has Node carry the test along.
import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage();
const running = new Set();

export class Domain {
  #onError;
  #parent = current.getStore();

  /** tap constructs it within the scope of the test. */
  constructor(onError) {
    this.#onError = onError;
    if (running.size === 0) process.on('uncaughtException', report);
    running.add(this);
    current.enterWith(this);
  }

  destroy() {
    running.delete(this);
    if (running.size === 0) process.off('uncaughtException', report);
  }

  /** An error that comes after the end of the test goes to the test around it. */
  receive(error, origin) {
    if (running.has(this)) this.#onError(error, origin);
    else if (this.#parent !== undefined) this.#parent.receive(error, origin);
    else throw error;
  }
}

function report(error, origin) {
  const domain = current.getStore() ?? [...running][0];
  domain.receive(error, origin);
}
