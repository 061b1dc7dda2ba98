import { readClusterInfo, readClusterView } from '../client/cluster-node.ts';
import { InstanceLink, type LinkState } from '../client/instance.ts';
import type { RedisAccess } from '../client/redis.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { ClusterView } from '../model/cluster.ts';

export interface ClusterSourceOptions {
  readonly access: RedisAccess;
  /** A node went away or came back. */
  readonly onHint: (event: string) => void;
}

/** What one poll found: `same` where no node told of anything new, `views` where all of them were read in full. */
export type ClusterReading =
  | { readonly kind: 'same' }
  | { readonly kind: 'views'; readonly views: readonly ClusterView[]; readonly unreachable: readonly Unreachable[] };

export interface Unreachable {
  readonly address: Address;
  readonly error: SwitchmasterError;
}

const askTimeoutMs = 500;
/** How often everything is read although nothing seems new: changes of replicas do not show in CLUSTER INFO. */
const fullMs = 10_000;

/** The nodes of one cluster: those that are given, and those that they name. */
export class ClusterSource {
  readonly #options: ClusterSourceOptions;
  readonly #links = new Map<string, InstanceLink>();
  #given: readonly Address[] = [];
  #changeFeed = '';
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
  }

  get addresses(): readonly Address[] {
    return [...this.#links.values()].map(({ address }) => address);
  }

  /** Seeds, and what Consul knows: asked in any case. */
  give(addresses: readonly Address[]): void {
    this.#given = addresses;
    for (const address of addresses) this.#join(address);
  }

  /** The next poll reads everything. */
  forget(): void {
    this.#fullAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Asks every node for CLUSTER INFO, which costs it next to nothing, and for all of its view only where that is news. */
  async poll(nowMs: number): Promise<ClusterReading> {
    const links = [...this.#links.values()];
    const changeFeeds = await Promise.all(links.map((link) => readClusterInfo(link, { timeoutMs: askTimeoutMs })));
    const beats = changeFeeds.map((one) => (typeof one === 'string' ? one : null));
    const changeFeed = JSON.stringify(beats.map((one, i) => [formatAddress((links[i] as InstanceLink).address), one]));
    if (changeFeed === this.#changeFeed && nowMs - this.#fullAtMs < fullMs) return { kind: 'same' };
    this.#changeFeed = changeFeed;
    this.#fullAtMs = nowMs;
    const silent = links.flatMap(({ address }, i) => {
      const error = changeFeeds[i];
      return error instanceof SwitchmasterError ? [{ address, error }] : [];
    });
    const reading = await this.#read(links.filter((_, i) => beats[i] !== null));
    return { ...reading, unreachable: [...silent, ...reading.unreachable] };
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  async #read(links: readonly InstanceLink[]): Promise<Extract<ClusterReading, { kind: 'views' }>> {
    const results = await Promise.allSettled(links.map((link) => readClusterView(link, { timeoutMs: askTimeoutMs })));
    const views = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const unreachable = results.flatMap((result, i) =>
      result.status === 'rejected'
        ? [{ address: (links[i] as InstanceLink).address, error: SwitchmasterError.from(result.reason) }]
        : [],
    );
    if (unreachable.length > 0) this.forget();
    this.#follow(views);
    // A node known by two addresses speaks once.
    return { kind: 'views', views: [...new Map(views.map((view) => [view.nodeId, view])).values()], unreachable };
  }

  /** From now on the nodes are asked that the views name. */
  #follow(views: readonly ClusterView[]): void {
    if (views.length === 0) return;
    const nodes = views.flatMap(({ shards }) => shards.flatMap((shard) => shard.nodes));
    const named = nodes.flatMap(({ address }) => address ?? []);
    const wanted = new Set([...named, ...this.#given].map(formatAddress));
    for (const address of named) this.#join(address);
    for (const [key, link] of this.#links) {
      if (wanted.has(key)) continue;
      link.close();
      this.#links.delete(key);
    }
  }

  #join(address: Address): void {
    const key = formatAddress(address);
    if (this.#links.has(key)) return;
    const { access, onHint } = this.#options;
    const onLinkState = (state: LinkState): void => {
      this.forget();
      onHint(state === 'up' ? 'connected' : 'disconnected');
    };
    this.#links.set(key, new InstanceLink({ address, access, onLinkState }));
    this.forget();
  }
}
