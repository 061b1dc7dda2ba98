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

/**
 * Keys in Consul that end with this process: they belong to one session, which is renewed. After an outage of Consul the
 * keys are written again under a new session. No call rejects: what Consul did not take is written by the next renewal.
 */
export class SessionKeys {
  readonly #options: SessionKeysOptions;
  readonly #wanted = new Map<string, object>();
  readonly #abort = new AbortController();
  #session: string | undefined;
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
    this.#abort.abort();
    await this.#opening;
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    await destroySession(this.#options.client, session, AbortSignal.timeout(requestMs)).catch(() => undefined);
  }

  async set(key: string, value: object): Promise<void> {
    this.#wanted.set(key, value);
    if (this.#session !== undefined) await this.#write(this.#session, key, value);
  }

  async remove(key: string): Promise<void> {
    if (!this.#wanted.delete(key)) return;
    const { signal } = this.#abort;
    await this.#options.client.transact([{ kind: 'kv-delete', key }], { signal }).catch(() => undefined);
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
    await Promise.all([...this.#wanted].map(([key, value]) => this.#write(session, key, value)));
  }

  /** A key of a former session of this process is still held: it is deleted, because nobody else writes it. */
  async #write(session: string, key: string, value: object): Promise<void> {
    const { client } = this.#options;
    const put = () => setSessionKey(client, { key, value, session, signal: this.#signal() });
    try {
      if ((await put()) === 'acquired') return;
      await client.transact([{ kind: 'kv-delete', key }], { signal: this.#signal() });
      await put();
    } catch {
      // Ends the session, so that the next renewal writes everything again.
      if (this.#session === session) this.#session = undefined;
      await destroySession(client, session, this.#signal()).catch(() => undefined);
    }
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#abort.signal, AbortSignal.timeout(requestMs)]);
  }
}
