import { type Backoff, makeBackoff } from './backoff.ts';
import { SwitchmasterError } from './errors.ts';

/** A server that listens once. `Bound` is plain data about where it listens. */
export interface Listener<Bound extends object> {
  /** Rejects with the reason, for example that the address is taken. */
  listen(): Promise<Bound>;
  close(): Promise<unknown>;
}

export interface ListeningOptions<Bound extends object, Server extends Listener<Bound>> {
  /** A new server for each attempt. */
  readonly makeServer: () => Server;
  readonly onListening: (bound: Bound) => void;
  /** Called once, and not at each attempt that fails after it. */
  readonly onRefused: (why: string) => void;
}

export type ListenState<Bound extends object> =
  | { readonly kind: 'closed' }
  | ({ readonly kind: 'listening' } & Bound)
  | { readonly kind: 'refused'; readonly why: string };

/** Has a server listen at its address. While the system refuses the address, it tries again. */
export class Listening<Bound extends object, Server extends Listener<Bound>> {
  readonly #options: ListeningOptions<Bound, Server>;
  readonly #backoff: Backoff = makeBackoff({ initialMs: 250, maxMs: 5_000 });
  #server: Server | undefined;
  #state: ListenState<Bound> = { kind: 'closed' };
  #attempt: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: ListeningOptions<Bound, Server>) {
    this.#options = options;
  }

  /** The server that listens; undefined while none does. */
  get server(): Server | undefined {
    return this.#server;
  }

  get state(): ListenState<Bound> {
    return this.#state;
  }

  /** What readiness lacks. */
  get missing(): readonly string[] {
    return this.#state.kind === 'refused' ? [`cannot listen: ${this.#state.why}`] : [];
  }

  /** Answers after the first attempt, however it ends. */
  start(): Promise<void> {
    this.#attempt = this.#listen();
    return this.#attempt;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    await this.#attempt;
    await this.#server?.close();
    this.#server = undefined;
    this.#state = { kind: 'closed' };
  }

  async #listen(): Promise<void> {
    const server = this.#options.makeServer();
    let bound: Bound;
    try {
      bound = await server.listen();
    } catch (thrown) {
      await server.close();
      this.#refuse(SwitchmasterError.from(thrown).message);
      return;
    }
    this.#server = server;
    this.#state = { kind: 'listening', ...bound };
    if (!this.#isStopped) this.#options.onListening(bound);
  }

  #refuse(why: string): void {
    const wasRefused = this.#state.kind === 'refused';
    this.#state = { kind: 'refused', why };
    if (!wasRefused) this.#options.onRefused(why);
    if (!this.#isStopped) this.#retry = setTimeout(() => void this.start(), this.#backoff.nextMs());
  }
}
