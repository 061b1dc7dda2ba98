import { isDeepStrictEqual } from 'node:util';
import { formatAddress } from '../model/address.ts';
import type { KvEntry, ServiceInstance } from '../model/catalog.ts';
import { isOfMaster, recordedAddress } from '../model/master-instance.ts';
import { type Naming, plainKey, recordKey, recordPrefix } from '../model/naming.ts';
import { type ConsulAnswer, type ConsulQuery, queryId } from '../model/query.ts';
import { type MasterRecord, parseRecord, recordIn } from '../model/record.ts';
import { readRecords } from '../model/records.ts';
import {
  type Evidence,
  evidenceQueries,
  judgeRecords,
  type UntrustedRecord,
  type WatchQuality,
} from '../model/trust.ts';
import { LastingRecords } from './lasting-records.ts';
import { LostRecords, type RememberedEntry } from './lost-records.ts';
import { ValueIndex } from './value-index.ts';
import { hasValue, lastValue, type WatchEvent, type WatchState } from './watch-state.ts';
import type { Follow, FollowOptions, Watches } from './watches.ts';

type TreeQuery = ConsulQuery & { readonly kind: 'key-tree' };
type Listener = (event: WatchEvent) => void;

/** What a daemon before this one knew. */
export interface FormerRecords {
  /** The records that it followed, as texts. */
  readonly records: readonly string[];
  /** Consul's index of each query, in decimal. */
  readonly indexes: Readonly<Record<string, string>>;
}

export interface TrustedRecordsOptions {
  readonly watches: Watches;
  readonly naming: Naming;
  /** This node's own decision about a master. */
  readonly decided: (name: string) => MasterRecord | undefined;
}

/**
 * A hold is reported when it lasts longer than this. The parts of one transaction reach this node one after the other,
 * and a bridge repairs what it finds within a second.
 */
const reportAfterMs = 1_000;

/** Consul's watches, in which only trusted records appear (see {@link judgeRecords}). */
export class TrustedRecords implements Watches {
  readonly #options: TrustedRecordsOptions;
  readonly #listeners = new Set<Listener>();
  readonly #remembered = new Map<string, RememberedEntry>();
  #observation: Observation | undefined;

  constructor(options: TrustedRecordsOptions) {
    this.#options = options;
  }

  /** The masters whose records have not been followed for some time. */
  get held(): readonly UntrustedRecord[] {
    return this.#observation?.held ?? [];
  }

  /** Whether any record is not followed now, reported or not. */
  get holds(): boolean {
    return this.#observation?.holds ?? false;
  }

  /** Takes over what a daemon before this one followed. What is known already counts. */
  remember({ records, indexes }: FormerRecords): void {
    const { naming } = this.#options;
    const highest = Number(indexes[queryId({ kind: 'key-tree', prefix: recordPrefix(naming) })] ?? 0);
    for (const value of records) {
      const record = parseRecord(value);
      if (record === undefined) continue;
      const key = recordKey(naming, record.name);
      if (!this.#remembered.has(key)) this.#remembered.set(key, { key, value, modifyIndex: 0, highest });
    }
    this.#observation?.remember([...this.#remembered.values()]);
  }

  follow<Q extends ConsulQuery>(query: Q, onChange: Listener, options: FollowOptions = {}): Follow<Q> {
    const { watches, naming } = this.#options;
    if (query.kind !== 'key-tree' || query.prefix !== recordPrefix(naming)) {
      return watches.follow(query, onChange, options);
    }
    const listener: Listener = (event) => onChange(event);
    this.#observation ??= new Observation({
      ...this.#options,
      remembered: [...this.#remembered.values()],
      emit: (event) => this.#emit(event),
    });
    const observation = this.#observation;
    // After the observation has begun: its first judgement is not a change.
    this.#listeners.add(listener);
    return {
      query,
      get state() {
        // Q is the key-tree here. The compiler does not infer this from query.kind.
        return observation.state as unknown as WatchState<ConsulAnswer<Q>>;
      },
      release: () => {
        if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
        observation.close();
        this.#observation = undefined;
      },
    };
  }

  #emit(event: WatchEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** The watches on the records and on the evidence, and the judgement. It lives while somebody follows the records. */
class Observation {
  readonly #options: TrustedRecordsOptions;
  readonly #emit: Listener;
  readonly #records: Follow<TreeQuery>;
  readonly #keys: Follow<TreeQuery>;
  readonly #services: Follow<ConsulQuery & { readonly kind: 'service' }>;
  readonly #plainKeys = new ValueIndex<KvEntry>(({ key }) => [key]);
  readonly #instances = new ValueIndex<ServiceInstance>(({ tags }) => tags);
  #trusted: readonly KvEntry[] = [];
  #held: readonly UntrustedRecord[] = [];
  #reported: readonly UntrustedRecord[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #lost: LostRecords;
  readonly #lasting = new LastingRecords(() => this.#judge(undefined));

  constructor(
    options: TrustedRecordsOptions & { readonly remembered: readonly RememberedEntry[]; readonly emit: Listener },
  ) {
    const { watches, naming, emit } = options;
    this.#trusted = options.remembered;
    this.#options = options;
    this.#emit = emit;
    const onEvidence = () => this.#judge(undefined);
    const prefix = recordPrefix(naming);
    this.#lost = new LostRecords({ prefix, before: options.remembered, onEnd: onEvidence });
    const [keys, services] = evidenceQueries(naming);
    this.#keys = watches.follow(keys, onEvidence);
    this.#services = watches.follow(services, onEvidence);
    this.#records = watches.follow({ kind: 'key-tree', prefix }, (event) => this.#judge(event));
    this.#judge(undefined);
  }

  get state(): WatchState<readonly KvEntry[]> {
    const { state } = this.#records;
    return hasValue(state) ? { ...state, value: this.#trusted } : state;
  }

  get held(): readonly UntrustedRecord[] {
    return this.#reported;
  }

  get holds(): boolean {
    return this.#held.length > 0;
  }

  /** Adds records of masters that are not known yet. */
  remember(entries: readonly RememberedEntry[]): void {
    const known = new Set(this.#trusted.map(({ key }) => key));
    const added = entries.filter(({ key }) => !known.has(key));
    if (added.length === 0) return;
    this.#lost.remember(entries);
    this.#trusted = [...this.#trusted, ...added];
    this.#judge(undefined);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#lost.close();
    this.#lasting.close();
    for (const follow of [this.#records, this.#keys, this.#services]) follow.release();
  }

  /** `event` is the records' own; undefined when only the evidence changed. */
  #judge(event: WatchEvent | undefined): void {
    const records = lastValue(this.#records.state);
    const before = this.#trusted;
    if (records !== undefined) {
      const { decided } = this.#options;
      const evidence = (name: string) => this.#evidenceOf(name);
      const own = withoutCopies(records, this.#options.naming);
      this.#noteLoss(own);
      const { lasting } = this.#lasting;
      const input = { trusted: before, entries: own, evidence, decided, lost: this.#lost.names, lasting };
      const { entries, held } = judgeRecords(input);
      // While Consul is away nothing can prove the record.
      const isCurrent = this.#records.state.kind === 'current';
      this.#lasting.note(held.filter(({ reason }) => isCurrent || reason !== 'unproven'));
      if (!isDeepStrictEqual(entries, before)) this.#trusted = entries;
      this.#hold(held);
    }
    if (this.#trusted !== before) this.#emit('value');
    else if (event !== undefined && event !== 'value') this.#emit(event);
  }

  #noteLoss(entries: readonly KvEntry[]): void {
    const { state } = this.#records;
    if (!hasValue(state)) return;
    const [known, present] = [this.#trusted, entries].map((list) => list.flatMap((one) => recordIn(one)?.name ?? []));
    const plainKeys = lastValue(this.#keys.state);
    const seen = { entries, plainKeys, index: state.index, resets: state.resets };
    this.#lost.note(seen, { known: known ?? [], present: present ?? [] });
  }

  #hold(held: readonly UntrustedRecord[]): void {
    if (isDeepStrictEqual(held, this.#held)) return;
    this.#held = held;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#report(held), held.length > 0 ? reportAfterMs : 0);
  }

  #report(held: readonly UntrustedRecord[]): void {
    if (isDeepStrictEqual(held, this.#reported)) return;
    this.#reported = held;
    this.#emit('state');
  }

  #evidenceOf(name: string): Evidence {
    const { naming } = this.#options;
    const [keys, services] = [this.#keys.state, this.#services.state];
    const key = this.#plainKeys.of(lastValue(keys)).get(plainKey(naming, name))?.[0];
    const served = (this.#instances.of(lastValue(services)).get(name) ?? [])
      .filter((instance) => isOfMaster(instance, { naming, name }))
      .map((instance) => formatAddress(recordedAddress(instance)));
    return {
      key: key === undefined ? undefined : { address: key.value, modifyIndex: key.modifyIndex },
      services: served,
      watches: { key: qualityOf(keys), services: qualityOf(services) },
      kind: keys.kind === 'pending' || services.kind === 'pending' ? 'pending' : 'read',
    };
  }
}

function qualityOf(state: WatchState<unknown>): WatchQuality {
  if (state.kind === 'current') return 'current';
  const isUnavailable = state.kind === 'failed' || (state.kind === 'stale' && state.error.code === 'consul-denied');
  return isUnavailable ? 'unavailable' : 'outdated';
}

/** A copy of a record under another key says nothing about its master. */
function withoutCopies(entries: readonly KvEntry[], naming: Naming): readonly KvEntry[] {
  const { ignoredKeys } = readRecords(entries, recordPrefix(naming));
  const copies = new Set(ignoredKeys.filter(({ kind }) => kind === 'other-name').map(({ key }) => key));
  return copies.size === 0 ? entries : entries.filter(({ key }) => !copies.has(key));
}
