import { performance } from 'node:perf_hooks';
import type { Decisions } from '../consul/decisions.ts';
import { trustRecords } from '../consul/trust-records.ts';
import { lastValue } from '../consul/watch-state.ts';
import type { CatalogWatches, Follow } from '../consul/watches.ts';
import type { KvEntry } from '../model/catalog.ts';
import { endpointService, masterService, type Naming, recordPrefix, replicaService } from '../model/naming.ts';
import type { ConsulQuery } from '../model/query.ts';
import type { MasterRecord } from '../model/record.ts';
import { readRecords } from '../model/records.ts';
import { type Message, messagesOf } from './plan/messages.ts';
import { type EndpointMeta, formerListMs, makeView, type ServedView } from './plan/view.ts';

export interface KnowledgeOptions {
  readonly watches: CatalogWatches;
  readonly decisions: Decisions;
  readonly naming: Naming;
  /** How this endpoint is registered. */
  readonly own: () => EndpointMeta;
  readonly onMessages: (messages: readonly Message[]) => void;
}

type ServiceQuery = ConsulQuery & { readonly kind: 'service' };

interface Follows {
  readonly records: Follow<ConsulQuery & { readonly kind: 'key-tree' }>;
  readonly masters: Follow<ServiceQuery>;
  readonly replicas: Follow<ServiceQuery>;
  readonly endpoints: Follow<ServiceQuery>;
}

/**
 * What the endpoint knows: the records that a renderer would follow too, with this node's own newer decisions, and the
 * catalog's opinion of each server. While Consul is down it keeps the last records.
 */
export class Knowledge {
  readonly #options: KnowledgeOptions;
  #follows: Follows | undefined;
  #view: ServedView | undefined;
  #staleSince: string | undefined;
  #isExpired = false;
  #timer: NodeJS.Timeout | undefined;
  #parsed: { readonly entries: readonly KvEntry[]; readonly records: readonly MasterRecord[] } | undefined;

  constructor(options: KnowledgeOptions) {
    this.#options = options;
  }

  /** undefined until the records were read once. */
  get view(): ServedView | undefined {
    return this.#view;
  }

  /** `stale`: Consul does not answer now. */
  get consul(): 'pending' | 'current' | 'stale' {
    if (this.#view === undefined) return 'pending';
    return !this.#isExpired && this.#follows?.records.state.kind === 'current' ? 'current' : 'stale';
  }

  get staleSince(): string | undefined {
    return this.consul === 'stale' ? this.#staleSince : undefined;
  }

  start(): void {
    const { watches, decisions, naming } = this.#options;
    const trusted = trustRecords({ watches, decisions, environment: naming.environment });
    const update = (): void => this.#update();
    const service = (name: string) => watches.follow({ kind: 'service', service: name } as const, update);
    this.#follows = {
      records: trusted.watches.follow({ kind: 'key-tree', prefix: recordPrefix(naming) }, update),
      masters: service(masterService),
      replicas: service(replicaService),
      endpoints: service(endpointService),
    };
    this.#update();
  }

  /** Counts as stale from now on, because the watches may end. It still takes what they and the bridge report. */
  expire(): void {
    this.#isExpired = true;
    this.#staleSince ??= new Date().toISOString();
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const follow of Object.values(this.#follows ?? {})) follow.release();
    this.#follows = undefined;
  }

  /** Most changes are those of a check: a watch keeps its value until that changes. */
  #parse(entries: readonly KvEntry[]): readonly MasterRecord[] {
    if (this.#parsed?.entries !== entries) {
      const { records } = readRecords(entries, recordPrefix(this.#options.naming));
      this.#parsed = { entries, records };
    }
    return this.#parsed.records;
  }

  #update(): void {
    if (this.#follows === undefined) return;
    const { naming, own, onMessages } = this.#options;
    const { records, masters, replicas, endpoints } = this.#follows;
    if (this.#isExpired || records.state.kind === 'stale') this.#staleSince ??= new Date().toISOString();
    else this.#staleSince = undefined;
    const entries = lastValue(records.state);
    if (entries === undefined) return;
    // Without the catalog a dead replica would seem healthy, and this endpoint the only one. What cannot be read is left
    // out.
    const isPartial = [masters, replicas, endpoints].some(({ state }) => state.kind === 'pending');
    if (this.#view === undefined && isPartial) return;
    const catalog = {
      records: this.#parse(entries),
      masters: lastValue(masters.state) ?? [],
      replicas: lastValue(replicas.state) ?? [],
      endpoints: lastValue(endpoints.state) ?? [],
    };
    const before = this.#view;
    const nowMs = performance.now();
    const after = makeView(catalog, { naming, own: own(), nowMs, former: before });
    this.#view = after;
    this.#endFormerList(after, nowMs);
    if (before !== undefined) onMessages(messagesOf(before, after));
  }

  /** No change of Consul wakes an endpoint that is gone from the catalog for good. */
  #endFormerList({ unlistedSinceMs }: ServedView, nowMs: number): void {
    clearTimeout(this.#timer);
    if (unlistedSinceMs === undefined) return;
    // A timer may be up to a millisecond early.
    this.#timer = setTimeout(() => this.#update(), unlistedSinceMs + formerListMs - nowMs + 1);
    this.#timer.unref();
  }
}
