import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { waitFor } from '../../sandbox/condition.ts';

/** Where the port of a backend is that a consumer uses: in the answer of HAProxy's socket, or in a file. */
export type Consumer = { readonly backend: string } & (
  | { readonly kind: 'haproxy'; readonly socket: string }
  | { readonly kind: 'file'; readonly file: string }
);

export interface Job {
  readonly name: string;
  readonly port: number;
  readonly consumer: Consumer;
}

/** How long after the write of a record its consumer used the new port, and how long a bare program needed. */
export interface Sample {
  readonly movedMs: number;
  readonly bareMs: number;
}

interface Observation {
  readonly name: string;
  readonly port: number;
  readonly atMs: number;
}

/** Two processes: one polls a consumer, the other is a bare program that follows the same records. */
export class Observers {
  readonly #poller: Observer;
  readonly #bare: Observer;

  private constructor(poller: Observer, bare: Observer) {
    [this.#poller, this.#bare] = [poller, bare];
  }

  static async start(
    t: Pick<Test, 'teardown'>,
    { url, socket }: { readonly url: string; readonly socket: string },
  ): Promise<Observers> {
    const [poller, bare] = [new Observer(t, ['poll']), new Observer(t, ['bare', url, socket])];
    await Promise.all([poller.ready(), bare.ready()]);
    return new Observers(poller, bare);
  }

  /** Times start before `move`, which writes the record. */
  async measure(job: Job, move: () => Promise<unknown>): Promise<Sample> {
    const moved = this.#poller.find(job);
    const bare = this.#bare.find(job);
    this.#poller.begin(job);
    const startMs = Number(process.hrtime.bigint()) / 1e6;
    await move();
    return { movedMs: (await moved) - startMs, bareMs: (await bare) - startMs };
  }
}

class Observer {
  readonly #child: ChildProcess;
  readonly #observations: Observation[] = [];
  #isReady = false;

  constructor(t: Pick<Test, 'teardown'>, args: readonly string[]) {
    const program = fileURLToPath(new URL('./observer.ts', import.meta.url));
    const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    t.teardown(() => child.kill('SIGKILL'));
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (this.#isReady) this.#observations.push(JSON.parse(line) as Observation);
      this.#isReady = true;
    });
  }

  ready(): Promise<unknown> {
    return waitFor('the observer', () => this.#isReady);
  }

  begin(job: Job): void {
    this.#child.stdin?.write(`${JSON.stringify(job)}\n`);
  }

  async find({ name, port }: Job): Promise<number> {
    const find = () => this.#observations.find((seen) => seen.name === name && seen.port === port);
    const found = await waitFor(`${name} at port ${port}`, find, { intervalMs: 5 });
    return found?.atMs ?? Number.NaN;
  }
}
