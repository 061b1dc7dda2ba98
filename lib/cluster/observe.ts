import { readClusterInfo, readClusterView } from '../client/cluster-node.ts';
import { type Deadline, InstanceLink, type LinkState } from '../client/instance.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import type { Command } from '../client/resp-command.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { ClusterView } from '../model/cluster.ts';

export interface ClusterSourceOptions {
  readonly access: RedisAccess;
  /** The connection to a node was established or lost. */
  readonly onHint: (event: string) => void;
  /** A connection was established. */
  readonly onUp?: (address: Address) => void;
  /** The node closed an established connection. Called before `onHint`. */
  readonly onClosed?: (address: Address) => void;
}

/** What one poll found: `same` where CLUSTER INFO of no node has changed, `views` where all nodes were read in full. */
export type ClusterReading =
  | { readonly kind: 'same' }
  | { readonly kind: 'views'; readonly views: readonly ClusterView[]; readonly unreachable: readonly Unreachable[] };

export interface Unreachable {
  readonly address: Address;
  readonly error: SwitchmasterError;
}

const readTimeoutMs = 500;
/** The longest time between two readings in full: changes of replicas do not show in CLUSTER INFO. */
const fullReadMs = 10_000;

/** The nodes of one cluster: those of the config and of Consul, and those that these nodes list. */
export class ClusterSource {
  readonly #options: ClusterSourceOptions;
  readonly #links = new Map<string, InstanceLink>();
  #known: readonly Address[] = [];
  #views: readonly ClusterView[] = [];
  #lastInfo = '';
  #fullAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
  }

  get addresses(): readonly Address[] {
    return [...this.#links.values()].map(({ address }) => address);
  }

  /** The last full views of each node that has ever answered and is still polled. */
  get views(): readonly ClusterView[] {
    return this.#views;
  }

  /** Polls these addresses whatever the nodes list: the seeds, and those that Consul knows. */
  follow(addresses: readonly Address[]): void {
    this.#known = addresses;
    for (const address of addresses) this.#join(address);
  }

  /** Makes the next poll read all nodes in full. */
  forget(): void {
    this.#fullAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Reads CLUSTER INFO of every node, which costs little, and the full view of all nodes only where that has changed. */
  async poll(nowMs: number): Promise<ClusterReading> {
    const links = [...this.#links.values()];
    const infos = await Promise.all(links.map((link) => readClusterInfo(link, { timeoutMs: readTimeoutMs })));
    const texts = infos.map((info) => (typeof info === 'string' ? info : null));
    const info = JSON.stringify(texts.map((text, i) => [formatAddress((links[i] as InstanceLink).address), text]));
    if (info === this.#lastInfo && nowMs - this.#fullAtMs < fullReadMs) return { kind: 'same' };
    this.#lastInfo = info;
    this.#fullAtMs = nowMs;
    const silent = links.flatMap(({ address }, i) => {
      const error = infos[i];
      return error instanceof SwitchmasterError ? [{ address, error }] : [];
    });
    const reading = await this.#read(links.filter((_, i) => texts[i] !== null));
    return { ...reading, unreachable: [...silent, ...reading.unreachable] };
  }

  /** The full views of all nodes that answer now. */
  async readViews(): Promise<readonly ClusterView[]> {
    return (await this.#read([...this.#links.values()])).views;
  }

  /** Sends commands to a node that is polled. Rejects with `redis-unreachable` for any other. */
  async request(address: Address, commands: readonly Command[], deadline: Deadline): Promise<readonly unknown[]> {
    const link = this.#links.get(formatAddress(address));
    if (link !== undefined) return link.request(commands, deadline);
    throw new SwitchmasterError('redis-unreachable', `${formatAddress(address)} is not a known node of the cluster`);
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  async #read(links: readonly InstanceLink[]): Promise<Extract<ClusterReading, { kind: 'views' }>> {
    const results = await Promise.allSettled(links.map((link) => readClusterView(link, { timeoutMs: readTimeoutMs })));
    const views = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const unreachable = results.flatMap((result, i) =>
      result.status === 'rejected'
        ? [{ address: (links[i] as InstanceLink).address, error: SwitchmasterError.from(result.reason) }]
        : [],
    );
    if (unreachable.length > 0) this.forget();
    this.#followListed(views);
    this.#rememberViews(views);
    // A node with two known addresses counts once.
    return { kind: 'views', views: [...new Map(views.map((view) => [view.nodeId, view])).values()], unreachable };
  }

  /** From now on polls the nodes that the views list, and the known addresses. */
  #followListed(views: readonly ClusterView[]): void {
    if (views.length === 0) return;
    const nodes = views.flatMap(({ shards }) => shards.flatMap((shard) => shard.nodes));
    // A node that answers needs no second connection by another of its names, which may not even resolve here.
    const answering = new Map(views.map(({ nodeId, askedAt }) => [nodeId, askedAt]));
    const named = nodes.flatMap(({ id, address }) => answering.get(id) ?? address ?? []);
    const wanted = new Set([...named, ...this.#known].map(formatAddress));
    for (const address of named) this.#join(address);
    for (const [key, link] of this.#links) {
      if (wanted.has(key)) continue;
      link.close();
      this.#links.delete(key);
    }
  }

  #rememberViews(views: readonly ClusterView[]): void {
    const older = this.#views.filter(
      ({ nodeId, askedAt }) => this.#links.has(formatAddress(askedAt)) && !views.some((view) => view.nodeId === nodeId),
    );
    this.#views = [...views, ...older];
  }

  #join(address: Address): void {
    const key = formatAddress(address);
    if (this.#links.has(key)) return;
    const { access, onHint, onUp, onClosed } = this.#options;
    const onLinkState = (state: LinkState): void => {
      this.forget();
      if (state === 'up') onUp?.(address);
      onHint(state === 'up' ? 'connected' : 'disconnected');
    };
    this.#links.set(key, new InstanceLink({ address, access, onLinkState, onClosed: () => onClosed?.(address) }));
    this.forget();
  }
}
