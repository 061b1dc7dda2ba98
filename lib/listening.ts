import type { TlsOptions } from 'node:tls';
import { type Backoff, makeBackoff } from './backoff.ts';
import { SwitchmasterError } from './errors.ts';
import { type Address, formatAddress } from './model/address.ts';

/** A server that listens once. `Bound` is plain data about where it listens. */
export interface Listener<Bound extends object> {
  /** Rejects with the reason, for example that the address is taken. */
  listen(): Promise<Bound>;
  close(): Promise<unknown>;
}

export interface ListeningOptions<Bound extends object, Server extends Listener<Bound>> {
  /** A new server for each attempt. */
  readonly makeServer: () => Server;
  /** Keeps the server across a reload. Default: it closes with its part. */
  readonly succession?: {
    readonly handover: Handover<Bound, Server>;
    /** Gives the server of the former part the settings of this one. Answers false if that needs another server. */
    readonly adopt: (former: Server) => Promise<boolean>;
    /** Releases what the server answers from. Called after `stop`: when the server has closed, or the next part has it. */
    readonly release?: () => void;
  };
  readonly onListening: (bound: Bound) => void;
  /** Called once, and not at each attempt that fails after it. */
  readonly onRefused: (why: string) => void;
}

export type ListenState<Bound extends object> =
  | { readonly kind: 'closed' }
  | ({ readonly kind: 'listening' } & Bound)
  | { readonly kind: 'refused'; readonly why: string };

interface Running<Bound extends object, Server extends Listener<Bound>> {
  readonly server: Server;
  readonly bound: Bound;
}

type Attempt<Bound extends object, Server extends Listener<Bound>> =
  | ({ readonly kind: 'listening' } & Running<Bound, Server>)
  | { readonly kind: 'refused'; readonly why: string };

/** Passes a server that listens from one part to the next one of a reload, so that no connection is refused between them. */
export class Handover<Bound extends object, Server extends Listener<Bound>> {
  #left: Running<Bound, Server> | undefined;
  #onGone: (() => void) | undefined;

  get left(): Running<Bound, Server> | undefined {
    return this.#left;
  }

  /** `onGone` is called when a part has the server, or it has closed. */
  leave(running: Running<Bound, Server>, onGone: () => void): void {
    this.#left = running;
    this.#onGone = onGone;
  }

  /** A part has it now. */
  take(): void {
    const onGone = this.#onGone;
    this.#left = undefined;
    this.#onGone = undefined;
    onGone?.();
  }

  /** Closes a server that no part has taken. */
  async close(): Promise<void> {
    const left = this.#left;
    this.#left = undefined;
    await left?.server.close();
    this.take();
  }
}

/** Has a server listen at its address. While the system refuses the address, it tries again. */
export class Listening<Bound extends object, Server extends Listener<Bound>> {
  readonly #options: ListeningOptions<Bound, Server>;
  readonly #backoff: Backoff = makeBackoff({ initialMs: 250, maxMs: 5_000 });
  #running: Running<Bound, Server> | undefined;
  #refusal: string | undefined;
  #attempt: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: ListeningOptions<Bound, Server>) {
    this.#options = options;
  }

  /** The server that listens, also while it is left to the next part; undefined while none does. */
  get server(): Server | undefined {
    return this.#running?.server;
  }

  get state(): ListenState<Bound> {
    if (this.#running !== undefined) return { kind: 'listening', ...this.#running.bound };
    return this.#refusal === undefined ? { kind: 'closed' } : { kind: 'refused', why: this.#refusal };
  }

  /** What readiness lacks. */
  get missing(): readonly string[] {
    return this.#refusal === undefined ? [] : [`cannot listen: ${this.#refusal}`];
  }

  /** Answers after the first attempt, however it ends. */
  start(): Promise<void> {
    this.#attempt = this.#begin();
    return this.#attempt;
  }

  /** Closes the server, or leaves it to the next part if that starts at once. Default: closes it. */
  async stop(cause: 'end' | 'reload' = 'end'): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    await this.#attempt;
    this.#refusal = undefined;
    const { handover, release } = this.#options.succession ?? {};
    const running = this.#running;
    const end = (): void => {
      this.#running = undefined;
      release?.();
    };
    if (cause === 'reload' && running !== undefined && handover !== undefined) return handover.leave(running, end);
    this.#running = undefined;
    await running?.server.close();
    end();
  }

  async #begin(): Promise<void> {
    const { handover, adopt } = this.#options.succession ?? {};
    const former = handover?.left;
    if (former !== undefined && (await adopt?.(former.server))) {
      handover?.take();
      return this.#accept(former);
    }
    const first = await this.#listen();
    await handover?.close();
    // The former server may have had the address.
    const attempt = first.kind === 'refused' && former !== undefined ? await this.#listen() : first;
    if (attempt.kind === 'refused') this.#refuse(attempt.why);
    else this.#accept(attempt);
  }

  async #listen(): Promise<Attempt<Bound, Server>> {
    const server = this.#options.makeServer();
    try {
      return { kind: 'listening', server, bound: await server.listen() };
    } catch (thrown) {
      await server.close();
      return { kind: 'refused', why: SwitchmasterError.from(thrown).message };
    }
  }

  #accept(running: Running<Bound, Server>): void {
    this.#running = running;
    this.#refusal = undefined;
    if (!this.#isStopped) this.#options.onListening(running.bound);
  }

  #refuse(why: string): void {
    const wasRefused = this.#refusal !== undefined;
    this.#refusal = why;
    if (!wasRefused) this.#options.onRefused(why);
    if (!this.#isStopped) this.#retry = setTimeout(() => void this.start(), this.#backoff.nextMs());
  }
}

/** Settings with the same kind can share a server that listens: Node's can change its certificates only. */
export function serverKind({ listen, tls }: { readonly listen: Address; readonly tls?: TlsOptions }): string {
  return `${formatAddress(listen)} ${tls === undefined ? 'tcp' : 'tls'} ${tls?.requestCert === true}`;
}
