import type { ConsulClient } from '../client/consul.ts';
import { createSession, destroySession, renewSession } from '../client/consul-sessions.ts';

/** The use of a session, which is renewed until `end`. */
export interface SessionUse {
  readonly session: string;
  /** `shared`: others used it before, so it may have ended in Consul without anybody's knowledge. */
  readonly origin: 'new' | 'shared';
  /** `doubtful`: keys of this use may be left, or Consul refused the session. Never rejects. */
  readonly end: (state: 'clean' | 'doubtful') => Promise<void>;
}

export interface SessionOptions {
  readonly client: ConsulClient;
  /** For people who list sessions. */
  readonly name: string;
  /** How long keys outlive a process that dies, at least. Consul permits 10,000 and more. */
  readonly ttlMs: number;
}

const requestMs = 5_000;

/** A session for one use. It ends with that, and deletes the keys that are left. */
export async function openSession({ client, name, ttlMs }: SessionOptions, signal: AbortSignal): Promise<SessionUse> {
  const session = await createSession(client, { name, ttlMs, signal });
  const renew = () => renewSession(client, session, AbortSignal.timeout(ttlMs));
  const renewal = setInterval(() => void renew().catch(() => undefined), ttlMs / 3);
  const end = async () => {
    clearInterval(renewal);
    // Otherwise it ends by itself, because nothing renews it any more.
    await destroySession(client, session, AbortSignal.timeout(requestMs)).catch(() => undefined);
  };
  return { session, origin: 'new', end };
}

interface Opened {
  readonly opening: Promise<SessionUse>;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

/** How long a session without a use is kept for the next one. */
const idleMs = 5_000;

/**
 * A session that several uses share, each with keys of its own, which it deletes. When many masters crash at once, a session for each
 * of them would take two writes of Consul.
 */
export class SharedSession {
  readonly #options: SessionOptions;
  #current: Opened | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Opens one if there is none. Rejects where Consul does not give it. */
  async use(signal: AbortSignal): Promise<SessionUse> {
    const before = this.#current;
    const opened = before ?? this.#open();
    clearTimeout(opened.idle);
    opened.users += 1;
    try {
      const { session } = await opened.opening;
      signal.throwIfAborted();
      const origin = before === undefined ? 'new' : 'shared';
      return { session, origin, end: (state) => this.#end(opened, state) };
    } catch (thrown) {
      await this.#end(opened, 'clean');
      throw thrown;
    }
  }

  /** Ends it as soon as nobody uses it any more. */
  async stop(): Promise<void> {
    const opened = this.#current;
    if (opened === undefined) return;
    this.#leaveIt(opened);
    clearTimeout(opened.idle);
    if (opened.users === 0) await close(opened);
  }

  /** Nobody's signal ends it, because several may wait for it. */
  #open(): Opened {
    const opening = openSession(this.#options, AbortSignal.timeout(requestMs));
    const opened: Opened = { opening, users: 0, idle: undefined };
    opening.catch(() => this.#leaveIt(opened));
    this.#current = opened;
    return opened;
  }

  /** The next use opens another one. */
  #leaveIt(opened: Opened): void {
    if (this.#current === opened) this.#current = undefined;
  }

  async #end(opened: Opened, state: 'clean' | 'doubtful'): Promise<void> {
    opened.users -= 1;
    if (state === 'doubtful') this.#leaveIt(opened);
    if (opened.users > 0) return;
    if (this.#current !== opened) return close(opened);
    opened.idle = setTimeout(() => {
      this.#leaveIt(opened);
      void close(opened);
    }, idleMs).unref();
  }
}

async function close({ opening }: Opened): Promise<void> {
  const opened = await opening.catch(() => undefined);
  await opened?.end('clean');
}
