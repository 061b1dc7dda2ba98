import type { ConsulClient } from '../client/consul.ts';
import { maxTransactionSteps } from '../client/consul-operations.ts';
import { createSession, destroySession, renewSession, setSessionKey } from '../client/consul-sessions.ts';
import { SwitchmasterError } from '../errors.ts';
import type { CatalogOperation } from '../model/catalog.ts';

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
 *
 * One write is under way at a time. What changes meanwhile is written together afterwards, in one transaction: when many masters
 * crash at once, each has two changes, and every write wakes the watches of all bridges.
 */
export class SessionKeys {
  readonly #options: SessionKeysOptions;
  readonly #wanted = new Map<string, object>();
  readonly #abort = new AbortController();
  #session: string | undefined;
  /** The keys that Consul may hold, with their sessions. One that could not be renewed may live for some seconds more. */
  readonly #sent = new Map<string, string>();
  /** The keys whose changes are to be written. */
  readonly #changed = new Set<string>();
  /** Ends after the last write: Consul must not get changes of one key in another order. */
  #writes: Promise<void> = Promise.resolve();
  /** The write that has not begun yet. */
  #next: Promise<void> | undefined;
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
    await this.#writes;
    const session = this.#session ?? before;
    this.#session = undefined;
    if (session === undefined) return;
    await destroySession(this.#options.client, session, AbortSignal.timeout(requestMs)).catch(() => undefined);
  }

  set(key: string, value: object): Promise<void> {
    this.#wanted.set(key, value);
    return this.#change(key);
  }

  remove(key: string): Promise<void> {
    return this.#wanted.delete(key) ? this.#change(key) : this.#writes;
  }

  /** Resolves when the change is written, or has failed. */
  #change(key: string): Promise<void> {
    this.#changed.add(key);
    this.#next ??= this.#writes.then(() => this.#writeChanges());
    this.#writes = this.#next;
    return this.#next;
  }

  /** If a write fails, the session ends, and with it every key. The next renewal writes the keys that are still wanted. */
  async #writeChanges(): Promise<void> {
    this.#next = undefined;
    const changed = [...this.#changed];
    this.#changed.clear();
    const session = this.#session;
    if (session === undefined) return;
    const keys = changed.filter((key) => this.#wanted.has(key) || this.#sent.has(key));
    try {
      for (let from = 0; from < keys.length; from += maxTransactionSteps)
        await this.#write(session, keys.slice(from, from + maxTransactionSteps));
    } catch {
      if (this.#session === session) this.#session = undefined;
      const isEnded = await destroySession(this.#options.client, session, this.#signal()).then(
        () => true,
        () => false,
      );
      for (const [key, holder] of this.#sent) if (isEnded && holder === session) this.#sent.delete(key);
    }
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
    for (const key of [...this.#wanted.keys(), ...this.#sent.keys()]) void this.#change(key);
    await this.#writes;
  }

  /** A key that Consul does not take keeps none of the others. */
  async #write(session: string, keys: readonly string[]): Promise<void> {
    if (keys.length > 1 && (await this.#writeTogether(session, keys)) === 'written') return;
    for (const key of keys) await this.#writeOne(session, key);
  }

  async #writeTogether(session: string, keys: readonly string[]): Promise<'written' | 'refused'> {
    const wanted = new Map(keys.map((key) => [key, this.#wanted.get(key)]));
    for (const [key, value] of wanted) if (value !== undefined) this.#mayHold(key, session);
    try {
      await this.#transact([...wanted].map(([key, value]) => toStep(key, { value, session })));
    } catch (thrown) {
      if (!refusals.has(SwitchmasterError.from(thrown).code)) throw thrown;
      return 'refused';
    }
    for (const [key, value] of wanted)
      if (value === undefined) this.#sent.delete(key);
      else this.#sent.set(key, session);
    return 'written';
  }

  /** A key of a former session of this process may still be held: it is deleted, because nobody else writes it. */
  async #writeOne(session: string, key: string): Promise<void> {
    const { client } = this.#options;
    const value = this.#wanted.get(key);
    if (value === undefined) {
      await this.#transact([{ kind: 'kv-delete', key }]);
      this.#sent.delete(key);
      return;
    }
    this.#mayHold(key, session);
    const put = () => setSessionKey(client, { key, value, session, signal: this.#signal() });
    if ((await put()) !== 'acquired') {
      await this.#transact([{ kind: 'kv-delete', key }]);
      await put();
    }
    this.#sent.set(key, session);
  }

  /** Until the write has succeeded, it may still belong to a former session. */
  #mayHold(key: string, session: string): void {
    if (!this.#sent.has(key)) this.#sent.set(key, session);
  }

  async #transact(steps: readonly CatalogOperation[]): Promise<void> {
    await this.#options.client.transact(steps, { signal: this.#signal(), priority });
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#abort.signal, AbortSignal.timeout(requestMs)]);
  }
}

/** Consul took none of the steps, because it refuses one of them. */
const refusals: ReadonlySet<SwitchmasterError['code']> = new Set(['consul-refused', 'consul-denied']);

function toStep(key: string, { value, session }: { value: object | undefined; session: string }): CatalogOperation {
  return value === undefined
    ? { kind: 'kv-delete', key }
    : { kind: 'kv-lock', key, value: JSON.stringify(value), session };
}
