import type { ConsulClient } from '../client/consul.ts';
import { SessionKeys } from '../consul/session-keys.ts';
import { lastValue } from '../consul/watch-state.ts';
import type { CatalogWatches, Follow } from '../consul/watches.ts';
import { type Address, formatAddress } from '../model/address.ts';
import { ageOf } from '../model/age.ts';
import type { KvEntry } from '../model/catalog.ts';
import type { JudgingBridge } from '../model/crash.ts';
import { matchesAny } from '../model/glob.ts';
import { parseJsonObject } from '../model/json.ts';
import { Memo } from '../model/memo.ts';
import { crashBridgeKey, crashEvidenceKey, crashOrderKey } from '../model/naming.ts';

export interface CrashEvidenceOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  /** The folder of the keys. */
  readonly prefix: string;
  readonly bridgeId: string;
  /** Globs of the masters that this bridge keeps. */
  readonly masters: readonly string[];
}

/** Of requests about an order. */
const requestLimits = { timeoutMs: 1_000, priority: 'failover' } as const;

/** The last failover of a master that was ordered because of a crash. */
export interface LastOrder {
  /** undefined where no bridge ordered one. */
  readonly ageMs: number | undefined;
  /** The bridge that noted it. */
  readonly by: string | undefined;
  /** Consul's index of the key, for the next check-and-set. */
  readonly index: number;
}

/** Since when an order counts. */
export interface OrdersSince {
  /** Consul's index of the last one before; undefined where it is not known. */
  readonly index: number | undefined;
  /** How long ago this judgement began. */
  readonly sinceMs: number;
  /** How long an order counts. One from before this judgement that is older has failed. */
  readonly withinMs: number;
}

/** A bridge that judges crashes: the globs of its masters, and those whose processes its daemon registers. */
interface KnownBridge {
  readonly bridge: string;
  readonly masters: readonly string[];
  readonly beside: readonly string[];
}

/** The keys whose sessions live, and the bridges among them. */
interface LivingKeys {
  readonly values: ReadonlyMap<string, string>;
  readonly known: readonly KnownBridge[];
}

/** A note in Consul that this bridge orders a failover. */
export interface OrderClaim {
  /** What it replaced. */
  readonly before: LastOrder;
  readonly index: number;
}

/**
 * What the bridges exchange about crashes through Consul: which bridges judge crashes, and which of them see one now.
 * Both end with the bridge's session. A bridge that does not see a crash writes nothing, and so it contradicts.
 */
export class CrashEvidence {
  readonly #options: CrashEvidenceOptions;
  readonly #keys: SessionKeys;
  readonly #tree: Follow<{ kind: 'key-tree'; prefix: string }>;
  readonly #followers = new Map<string, Set<() => void>>();
  /** The keys that are there, for what changes next. */
  #seen: ReadonlyMap<string, KvEntry> = new Map();
  #beside = '';
  readonly #memo = new Memo<LivingKeys>();

  constructor(options: CrashEvidenceOptions) {
    const { client, watches, prefix, bridgeId } = options;
    this.#options = options;
    this.#keys = new SessionKeys({ client, name: `${prefix.replace(/\/$/, '')} (${bridgeId})` });
    this.#tree = watches.follow({ kind: 'key-tree', prefix }, () => this.#notify());
  }

  start(): void {
    this.#keys.start();
    this.registerBeside([]);
  }

  async stop(): Promise<void> {
    this.#tree.release();
    await this.#keys.stop();
  }

  /** Makes this bridge known to the others, with the masters whose processes its daemon registers. */
  registerBeside(beside: readonly string[]): void {
    const { prefix, bridgeId: bridge, masters } = this.#options;
    const value = { bridge, masters, beside: beside.toSorted() };
    const text = JSON.stringify(value);
    if (text === this.#beside) return;
    this.#beside = text;
    void this.#keys.set(crashBridgeKey(prefix, bridge), value);
  }

  /** This bridge sees that the process of `name` at `master` is gone. */
  publish(name: string, master: Address): Promise<void> {
    const { prefix, bridgeId: bridge } = this.#options;
    const value = { bridge, master: formatAddress(master), seenAt: new Date().toISOString() };
    return this.#keys.set(crashEvidenceKey(prefix, { name, bridge }), value);
  }

  /** Calls `onNews` when a bridge begins or ends to see the crash of `name`. The returned function ends that. */
  follow(name: string, onNews: () => void): () => void {
    const folder = crashEvidenceKey(this.#options.prefix, { name, bridge: '' });
    const followers = this.#followers.get(folder) ?? new Set();
    this.#followers.set(folder, followers.add(onNews));
    return () => {
      followers.delete(onNews);
      if (followers.size === 0) this.#followers.delete(folder);
    };
  }

  withdraw(name: string): Promise<void> {
    const { prefix, bridgeId: bridge } = this.#options;
    return this.#keys.remove(crashEvidenceKey(prefix, { name, bridge }));
  }

  /** Every bridge that keeps `name` and judges crashes. Empty until Consul has this one's own key. */
  bridges(name: string, master: Address): readonly JudgingBridge[] {
    const { known } = this.#living();
    const own = known.filter(({ masters }) => matchesAny(masters, name));
    return own.map(({ bridge, beside }) => {
      const place = beside.includes(name) ? 'beside' : 'elsewhere';
      return { bridge, place, sees: this.#sees(bridge, { name, master }) ? 'crash' : 'no-crash' };
    });
  }

  #sees(bridge: string, { name, master }: { readonly name: string; readonly master: Address }): boolean {
    const value = this.#living().values.get(crashEvidenceKey(this.#options.prefix, { name, bridge }));
    return value !== undefined && parseJsonObject(value)?.master === formatAddress(master);
  }

  /** Among the keys of a thousand crashes, those of the bridges are looked for once after each change. */
  #living(): LivingKeys {
    const entries = lastValue(this.#tree.state);
    return this.#memo.get([entries], () => {
      // A key without a session is a copy, as from `consul kv import`: it belongs to no bridge.
      const living = (entries ?? []).filter(({ session }) => session !== undefined);
      const folder = crashBridgeKey(this.#options.prefix, '');
      const known = living.filter(({ key }) => key.startsWith(folder)).flatMap(({ value }) => toKnownBridge(value));
      return { values: new Map(living.map(({ key, value }) => [key, value])), known };
    });
  }

  /** Reads the last order of any bridge. Throws where Consul does not answer. */
  async lastOrder(name: string, signal: AbortSignal): Promise<LastOrder> {
    const key = crashOrderKey(this.#options.prefix, name);
    const { value: entry } = await this.#options.client.read(
      { kind: 'key', key },
      { ...requestLimits, consistency: 'consistent', signal },
    );
    if (entry === undefined) return { ageMs: undefined, by: undefined, index: 0 };
    const { orderedAt, orderedBy } = parseJsonObject(entry.value) ?? {};
    // Somebody wrote something else to the key: it counts as an order of this moment, which ends with the next edit.
    const ageMs = typeof orderedAt === 'string' ? ageOf(orderedAt) : 0;
    return { ageMs, by: typeof orderedBy === 'string' ? orderedBy : undefined, index: entry.modifyIndex };
  }

  /** Consul's index of the last order that this bridge knows of, 0 without one; undefined before Consul was read. */
  orderIndex(name: string): number | undefined {
    const entries = lastValue(this.#tree.state);
    const key = crashOrderKey(this.#options.prefix, name);
    return entries === undefined ? undefined : (entries.find((entry) => entry.key === key)?.modifyIndex ?? 0);
  }

  /** The other bridge that has noted an order since; undefined where none has, and where Consul does not answer. Never rejects. */
  async orderedElsewhere(
    name: string,
    { since, signal }: { readonly since: OrdersSince; readonly signal: AbortSignal },
  ): Promise<string | undefined> {
    const order = await this.lastOrder(name, signal).catch(() => undefined);
    if (order?.by === undefined || order.by === this.#options.bridgeId) return undefined;
    const { index, sinceMs, withinMs } = since;
    const { ageMs = Number.POSITIVE_INFINITY } = order;
    const isNew = index === undefined ? ageMs < sinceMs : order.index > index;
    return isNew && ageMs < Math.max(sinceMs, withinMs) ? order.by : undefined;
  }

  /** Whether another bridge sees this crash now. */
  isSeenElsewhere(name: string, master: Address): boolean {
    const others = this.#living().known.filter(({ bridge }) => bridge !== this.#options.bridgeId);
    return others.some(({ bridge, masters }) => this.#sees(bridge, { name, master }) && matchesAny(masters, name));
  }

  /** Notes an order before it is given. undefined where another bridge was first. */
  async claimOrder(name: string, { last, facts }: { last: LastOrder; facts: object }): Promise<OrderClaim | undefined> {
    const { client, prefix, bridgeId } = this.#options;
    const value = JSON.stringify({ orderedAt: new Date().toISOString(), orderedBy: bridgeId, ...facts });
    const key = crashOrderKey(prefix, name);
    const result = await client.transact([{ kind: 'kv-cas', key, value, index: last.index }], requestLimits);
    if (result.kind !== 'committed') return undefined;
    return { before: last, index: result.indexes.get(key) ?? Number.NaN };
  }

  #notify(): void {
    const before = this.#seen;
    this.#seen = new Map((lastValue(this.#tree.state) ?? []).map((entry) => [entry.key, entry]));
    const now = this.#seen;
    if (this.#followers.size === 0) return;
    const changed = [...new Set([...before.keys(), ...now.keys()])].filter((key) => before.get(key) !== now.get(key));
    const folders = new Set(changed.map((key) => key.slice(0, key.lastIndexOf('/') + 1)));
    for (const folder of folders) for (const onNews of this.#followers.get(folder) ?? []) onNews();
  }

  /** Removes the note of an order that was certainly not carried out, unless another bridge has replaced it. Never rejects. */
  async cancelOrder(name: string, { index }: OrderClaim): Promise<void> {
    const { client, prefix } = this.#options;
    const step = { kind: 'kv-delete-cas', key: crashOrderKey(prefix, name), index } as const;
    await client.transact([step], requestLimits).catch(() => undefined);
  }
}

function toKnownBridge(value: string): readonly KnownBridge[] {
  const { bridge, masters, beside } = parseJsonObject(value) ?? {};
  if (typeof bridge !== 'string' || !isTexts(masters)) return [];
  return [{ bridge, masters, beside: isTexts(beside) ? beside : [] }];
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
