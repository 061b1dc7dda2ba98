import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../client/consul.ts';
import { hasNoAcls, hiddenError, readRights } from '../client/consul-access.ts';
import { hasValue } from '../consul/watch-state.ts';
import type { CatalogWatches, Follow } from '../consul/watches.ts';
import type { SwitchmasterError } from '../errors.ts';
import type { KvEntry } from '../model/catalog.ts';
import { longestTimerMs } from '../model/duration.ts';
import {
  type MaintenanceChange,
  type MaintenanceOfMaster,
  type MaintenanceScope,
  type Maintenances,
  nextTimeMs,
} from '../model/maintenance.ts';
import { maintenancePrefix, maintenanceScope } from '../model/maintenance-keys.ts';
import type { Naming } from '../model/naming.ts';
import { isMarkerKey } from '../model/records.ts';
import type { MaintenanceMemory } from './memory.ts';

export interface MaintenanceSourceOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  readonly memory: MaintenanceMemory;
  readonly onChange: (changes: readonly MaintenanceChange[]) => void;
  /** Consul was read for the first time. */
  readonly onRead: () => void;
  /** The token may not read the keys: without that, Consul answers as if there were none. */
  readonly onDenied: (error: SwitchmasterError) => void;
  /** The shortest time between two questions whether the token may read them. Default 10 s. */
  readonly askAgainMs?: number;
}

const deleteTimeoutMs = 5_000;
const deleteAgainMs = 30_000;
const usualAskAgainMs = 10_000;
/** After a question that Consul did not answer. */
const askSoonMs = 1_000;
const askTimeoutMs = 2_000;

type Access = 'allowed' | 'denied' | 'unanswered';

/** The keys of maintenance, by a blocking query, and the ends of those that end by themselves. */
export class MaintenanceSource {
  readonly #options: MaintenanceSourceOptions;
  readonly #prefix: string;
  #tree: Follow<{ kind: 'key-tree'; prefix: string }> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When Consul may be asked again whether the token may read the keys, in milliseconds of `performance.now()`. */
  #askAtMs = Number.NEGATIVE_INFINITY;
  #askAgain: NodeJS.Timeout | undefined;
  /** The last answer to that. `unanswered`: asked, and not answered yet. */
  #access: Access | 'unasked' = 'unasked';
  /** By an answer that Consul marked as filtered. */
  #isHidden = false;
  readonly #abort = new AbortController();

  constructor(options: MaintenanceSourceOptions) {
    this.#options = options;
    this.#prefix = maintenancePrefix(options.naming);
  }

  start(): void {
    this.#tree = this.#options.watches.follow({ kind: 'key-tree', prefix: this.#prefix }, () => this.#observe());
    this.#observe();
  }

  stop(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#askAgain);
    this.#abort.abort();
    this.#tree?.release();
    this.#tree = undefined;
  }

  /** Why there may be maintenance that this daemon does not see; undefined where it sees all. */
  get whyHidden(): string | undefined {
    if (this.#isHidden || this.#access === 'denied')
      return 'the token may not read in Consul whether it is in maintenance';
    if (this.#access !== 'unanswered') return undefined;
    return 'Consul has not answered yet whether the token may read if it is in maintenance';
  }

  /** Whether Consul was ever read. A token that may not read it sees no maintenance, as the health says. */
  get isRead(): boolean {
    return this.#options.memory.isRead(this.#prefix);
  }

  get all(): Maintenances {
    return this.#options.memory.all;
  }

  of(name: string): MaintenanceOfMaster | undefined {
    return this.isRead ? this.#options.memory.of(name, performance.now()) : undefined;
  }

  #observe(): void {
    const state = this.#tree?.state;
    if (state === undefined) return;
    const isDenied = state.kind === 'failed' && state.error.code === 'consul-denied';
    const isHidden = 'error' in state && state.error.code === 'consul-denied';
    if (isHidden || state.kind === 'current') this.#isHidden = isHidden;
    // Another token, as after a reload, shows nothing about what was read before it.
    if (!hasValue(state) && (!isDenied || this.isRead)) {
      this.#report();
      if (isDenied) void this.#checkAccess();
      return;
    }
    const wasRead = this.isRead;
    const values = new Map(hasValue(state) ? this.#named(state.value).map(([scope, { value }]) => [scope, value]) : []);
    this.#options.memory.observe(this.#prefix, values, { nowMs: performance.now(), wallMs: Date.now() });
    this.#report();
    if (!wasRead) this.#options.onRead();
    if (values.size === 0) void this.#checkAccess();
  }

  /** Not after every answer, because each would cost a request more. Consul before 1.11 shows it in no other way. */
  async #checkAccess(): Promise<void> {
    const { signal } = this.#abort;
    const { askAgainMs = usualAskAgainMs } = this.#options;
    if (performance.now() < this.#askAtMs || signal.aborted) return;
    this.#askAtMs = performance.now() + askAgainMs;
    if (this.#access === 'unasked') this.#access = 'unanswered';
    const answer = await this.#readAccess(signal);
    if (signal.aborted) return;
    const before = this.#access;
    // Without an answer, the last one counts.
    if (answer !== 'unanswered') this.#access = answer;
    if (answer === 'denied' && before !== 'denied')
      this.#options.onDenied(hiddenError('the keys of maintenance', [this.#keys]));
    const againMs = answer === 'unanswered' ? Math.min(askSoonMs, askAgainMs) : askAgainMs;
    this.#askAtMs = performance.now() + againMs;
    clearTimeout(this.#askAgain);
    // An answer without keys looks the same when the token has the right again.
    if (answer !== 'allowed') this.#askAgain = setTimeout(() => void this.#checkAccess(), againMs + 1);
  }

  get #keys() {
    return { resource: 'key', segment: this.#prefix } as const;
  }

  /** Without ACLs, every token may read them. */
  async #readAccess(signal: AbortSignal): Promise<Access> {
    const question = [{ ...this.#keys, policy: 'read' }] as const;
    try {
      const rights = await readRights(this.#options.client, question, { timeoutMs: askTimeoutMs, signal });
      if (rights === undefined) return 'unanswered';
      return rights[0] === false ? 'denied' : 'allowed';
    } catch (thrown) {
      return hasNoAcls(thrown) ? 'allowed' : 'unanswered';
    }
  }

  #named(entries: readonly KvEntry[]): readonly (readonly [MaintenanceScope, KvEntry])[] {
    return entries.flatMap((entry) => {
      const scope = isMarkerKey(entry.key) ? undefined : maintenanceScope(this.#options.naming, entry.key);
      return scope === undefined ? [] : [[scope, entry] as const];
    });
  }

  #report(): void {
    if (!this.isRead) return;
    const changes = this.#options.memory.takeChanges(performance.now());
    if (changes.length > 0) this.#options.onChange(changes);
    this.#setTimer(nextTimeMs(this.all, performance.now()));
    void this.#deleteOver();
  }

  #setTimer(atMs: number | undefined): void {
    clearTimeout(this.#timer);
    if (atMs === undefined || this.#tree === undefined) return;
    // A timer may end up to a millisecond early.
    const inMs = Math.min(Math.max(0, atMs - performance.now()) + 1, longestTimerMs);
    this.#timer = setTimeout(() => this.#report(), inMs);
  }

  /** Deletes the keys of what is over everywhere. Every bridge tries it; one that was changed meanwhile stays. */
  async #deleteOver(): Promise<void> {
    const state = this.#tree?.state;
    if (state?.kind !== 'current') return;
    const nowMs = performance.now();
    const over = this.#named(state.value).filter(([scope, { value }]) => {
      const maintenance = this.all.get(scope);
      return maintenance?.text === value && (maintenance.overMs ?? Number.POSITIVE_INFINITY) <= nowMs;
    });
    for (const [, { key, modifyIndex: index }] of over) {
      const step = { kind: 'kv-delete-cas', key, index } as const;
      const deleting = this.#options.client.transact([step], { timeoutMs: deleteTimeoutMs });
      await deleting.catch(() => this.#retryDelete());
    }
  }

  /** The next end takes precedence if it is sooner. */
  #retryDelete(): void {
    const nowMs = performance.now();
    const retryMs = nowMs + deleteAgainMs;
    this.#setTimer(Math.min(nextTimeMs(this.all, nowMs) ?? retryMs, retryMs));
  }
}
