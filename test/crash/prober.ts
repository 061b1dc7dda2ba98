import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../lib/model/address.ts';
import type { ProbeOrder, ProbeWord } from './probing.ts';
import type { Silences } from './silence.ts';

const program = fileURLToPath(new URL('probing.ts', import.meta.url));

/** Connects to addresses again and again, in a process of its own: what the rounds do must not delay an attempt. */
export class Prober {
  readonly #child: ChildProcess = fork(program);
  readonly #waiting = new Map<number, (silences: Silences) => void>();
  #last = 0;
  #isClosed = false;

  constructor() {
    this.#child.on('message', ({ id, ...silences }: ProbeWord) => this.#waiting.get(id)?.(silences));
    this.#child.on('exit', (code, signal) => {
      if (!this.#isClosed) throw new Error(`the prober ended with ${signal ?? code}`);
    });
  }

  /** Resolves once the first attempt was made. The returned function ends it, with what was seen. */
  async start(to: Address): Promise<() => Promise<Silences>> {
    this.#last += 1;
    const id = this.#last;
    await this.#ask({ id, to });
    return () => this.#ask({ id });
  }

  close(): void {
    this.#isClosed = true;
    this.#child.disconnect();
  }

  #ask(order: ProbeOrder): Promise<Silences> {
    const { promise, resolve } = Promise.withResolvers<Silences>();
    this.#waiting.set(order.id, resolve);
    this.#child.send(order);
    return promise.finally(() => this.#waiting.delete(order.id));
  }
}
