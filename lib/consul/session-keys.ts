import type { ConsulClient } from '../client/consul.ts';
import { createSession, destroySession, renewSession, setSessionKey } from '../client/consul-sessions.ts';

export interface SessionKeysOptions {
  readonly client: ConsulClient;
  /** The session's name, for people who list sessions. */
  readonly name: string;
  /** How long keys outlive a process that dies, at least. Consul permits 10,000 and more. Default 10,000. */
  readonly ttlMs?: number;
}

const defaultTtlMs = 10_000;
const requestMs = 5_000;
const priority = 'failover';

/**
 * Keys in Consul that end with this process: they belong to one session, which is renewed. After an outage of Consul the
 * keys are written again under a new session. No call rejects: what Consul did not take is written by the next renewal.
 */
export class SessionKeys {
  readonly #options: SessionKeysOptions;
  readonly #wanted = new Map<string, object>();
  readonly #abort = new AbortController();
  #session: string | undefined;
  /** Ends after the last change: Consul must not get changes of one key in another order. */
  #changes: Promise<void> = Promise.resolve();
  #opening: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SessionKeysOptions) {
    this.#options = options;
  }

  start(): void {
    const { ttlMs = defaultTtlMs } = this.#options;
    this.#timer = setInterval(() => void this.#renew(), ttlMs / 3);
    void this.#open();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const before = this.#session;
    this.#abort.abort();
    await this.#opening;
    await this.#changes;
    const session = this.#session ?? before;
    this.#session = undefined;
    if (session === undefined) return;
    await destroySession(this.#options.client, session, AbortSignal.timeout(requestMs)).catch(() => undefined);
  }

  set(key: string, value: object): Promise<void> {
    this.#wanted.set(key, value);
    return this.#change(async (session) => {
      if (this.#wanted.get(key) === value) await this.#write(session, key, value);
    });
  }

  remove(key: string): Promise<void> {
    if (!this.#wanted.delete(key)) return this.#changes;
    return this.#change(async () => {
      await this.#options.client.transact([{ kind: 'kv-delete', key }], { signal: this.#signal(), priority });
    });
  }

  /** If a change fails, the session ends, and with it every key. The next renewal writes the keys that are still wanted. */
  #change(change: (session: string) => Promise<void>): Promise<void> {
    this.#changes = this.#changes.then(async () => {
      const session = this.#session;
      if (session === undefined) return;
      try {
        await change(session);
      } catch {
        if (this.#session === session) this.#session = undefined;
        await destroySession(this.#options.client, session, this.#signal()).catch(() => undefined);
      }
    });
    return this.#changes;
  }

  async #renew(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return this.#open();
    try {
      await renewSession(this.#options.client, session, this.#signal());
    } catch {
      if (this.#session === session) this.#session = undefined;
      return this.#open();
    }
  }

  #open(): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.resolve();
    this.#opening ??= this.#create().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #create(): Promise<void> {
    const { client, name, ttlMs = defaultTtlMs } = this.#options;
    const session = await createSession(client, { name, ttlMs, signal: this.#signal() }).catch(() => undefined);
    if (session === undefined) return;
    this.#session = session;
    for (const [key, value] of this.#wanted) void this.#change((current) => this.#write(current, key, value));
    await this.#changes;
  }

  /** A key of a former session of this process may still be held: it is deleted, because nobody else writes it. */
  async #write(session: string, key: string, value: object): Promise<void> {
    const { client } = this.#options;
    const put = () => setSessionKey(client, { key, value, session, signal: this.#signal() });
    if ((await put()) === 'acquired') return;
    await client.transact([{ kind: 'kv-delete', key }], { signal: this.#signal(), priority });
    await put();
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#abort.signal, AbortSignal.timeout(requestMs)]);
  }
}
