import type { Address } from '../../lib/model/address.ts';
import type { RoleAnswer, SentinelView } from '../../lib/model/sentinel.ts';
import { at } from '../bridge/plan/world.ts';

/*
 * Sentinels and the Redis nodes that they monitor, after sentinel.c of Redis 7. An election needs a majority of votes, and
 * a Sentinel votes once an epoch. The leader selects a replica, orders its promotion, sees it (its config-epoch rises, and
 * the address changes only at the end) and switches. The others take epoch and address together from a hello message with a
 * higher config-epoch. A restart keeps the configuration and loses a failover under way; a rebuild loses everything.
 */

export const nodes = ['A', 'B', 'C', 'D'] as const;
export type Node = (typeof nodes)[number];

interface Failover {
  readonly epoch: number;
  readonly selected: Node;
  readonly stage: 'selected' | 'ordered' | 'seen';
}

interface Sentinel {
  readonly up: boolean;
  readonly currentEpoch: number;
  readonly configEpoch: number;
  readonly master: Node;
  readonly failover: Failover | undefined;
}

export class SentinelWorld {
  readonly count: number;
  sentinels: Sentinel[];
  /** The nodes that take writes. */
  readonly masters = new Set<Node>(['A']);
  readonly unreachable = new Set<Node>();
  /** Every master that an election has chosen, by epoch: bridges may publish these. */
  readonly chosen = new Set<string>(['A@0']);

  constructor(count: number) {
    this.count = count;
    this.sentinels = Array.from({ length: count }, () => fresh('A'));
  }

  /** Sentinel `i` is elected by `voters`, and selects a replica. */
  elect(i: number, by: { readonly voters: readonly number[]; readonly selected: Node }): string | undefined {
    const leader = this.#at(i);
    if (!leader.up || leader.failover !== undefined || by.selected === leader.master) return undefined;
    // A Sentinel that fails over continues when a newer configuration names its own old address, and ends with
    // another master at that epoch (sentinel.c, sentinelProcessHelloMessage compares addresses only): not modelled here.
    if (this.sentinels.some(({ failover, master }) => failover !== undefined && master === by.selected))
      return undefined;
    const voters = new Set([i, ...by.voters].filter((j) => this.#at(j).up));
    if (voters.size * 2 <= this.count) return undefined;
    // A Sentinel votes once an epoch, so the epoch is above that of every voter.
    const epoch = Math.max(...[...voters].map((j) => this.#at(j).currentEpoch)) + 1;
    for (const j of voters) this.#set(j, { currentEpoch: epoch });
    this.#set(i, { failover: { epoch, selected: by.selected, stage: 'selected' } });
    this.chosen.add(`${by.selected}@${epoch}`);
    return `s${i} is elected for epoch ${epoch} and selects ${by.selected}`;
  }

  /** The failover of `i` takes its next step. */
  advance(i: number): string | undefined {
    const { up, failover } = this.#at(i);
    if (!up || failover === undefined) return undefined;
    const { selected, epoch, stage } = failover;
    if (stage === 'selected') {
      this.masters.add(selected);
      this.#set(i, { failover: { ...failover, stage: 'ordered' } });
      return `s${i} promotes ${selected}`;
    }
    if (stage === 'ordered') {
      this.#set(i, { failover: { ...failover, stage: 'seen' }, configEpoch: epoch });
      return `s${i} sees the promotion of ${selected}: config-epoch ${epoch}`;
    }
    this.#set(i, { failover: undefined, master: selected });
    return `s${i} +switch-master ${selected} ${epoch}`;
  }

  /** The leader can give up its failover until it has seen the promotion. */
  abort(i: number): string | undefined {
    const { up, failover } = this.#at(i);
    if (!up || failover === undefined || failover.stage === 'seen') return undefined;
    this.#set(i, { failover: undefined });
    return `s${i} gives epoch ${failover.epoch} up`;
  }

  /** A hello message from `i` reaches `j`. */
  greet(i: number, j: number): string | undefined {
    const [from, to] = [this.#at(i), this.#at(j)];
    if (i === j || !from.up || !to.up) return undefined;
    this.#set(j, { currentEpoch: Math.max(from.currentEpoch, to.currentEpoch) });
    if (from.configEpoch <= to.configEpoch) return undefined;
    const master = from.failover?.stage === 'seen' ? from.failover.selected : from.master;
    const moved = master !== to.master;
    this.#set(j, { configEpoch: from.configEpoch, master, failover: moved ? undefined : to.failover });
    return `s${j} learns ${master} ${from.configEpoch} from s${i}`;
  }

  kill(i: number): string | undefined {
    if (!this.#at(i).up) return undefined;
    this.#set(i, { up: false });
    return `s${i} dies`;
  }

  restart(i: number): string | undefined {
    const { up, failover, master } = this.#at(i);
    if (up) return undefined;
    // What it saves while it fails over is the promoted address (sentinel.c, rewriteConfigSentinelOption).
    this.#set(i, { up: true, failover: undefined, master: failover?.stage === 'seen' ? failover.selected : master });
    return `s${i} starts again`;
  }

  /** All Sentinels lose their state at once, and get `master` by hand. */
  rebuild(master: Node): string {
    this.sentinels = this.sentinels.map(() => fresh(master));
    this.masters.add(master);
    this.chosen.add(`${master}@0`);
    return `all Sentinels are rebuilt with ${master}`;
  }

  /** Sentinel makes a stale master a replica again, long after. */
  demoteStaleMasters(): void {
    const wanted = new Set(this.sentinels.flatMap(({ master, failover }) => [master, failover?.selected]));
    for (const node of this.masters) if (!wanted.has(node)) this.masters.delete(node);
  }

  /** Everything under way ends, and all Sentinels receive the messages of each other. */
  settle(): void {
    for (let i = 0; i < this.count; i += 1) {
      this.restart(i);
      while (this.#at(i).failover?.stage === 'seen') this.advance(i);
      this.abort(i);
    }
    for (let i = 0; i < this.count; i += 1) for (let j = 0; j < this.count; j += 1) this.greet(i, j);
    for (let i = 0; i < this.count; i += 1) for (let j = 0; j < this.count; j += 1) this.greet(i, j);
    this.unreachable.clear();
    this.masters.add(this.#at(0).master);
    this.demoteStaleMasters();
  }

  view(i: number): SentinelView | undefined {
    const { up, configEpoch, master, failover } = this.#at(i);
    if (!up) return undefined;
    const replicas = nodes.filter((node) => node !== master);
    return {
      sentinelId: `s${i}`,
      sentinel: { host: `10.0.1.${i}`, port: 26379 },
      master: at(master),
      configEpoch,
      condition: failover !== undefined ? 'failover' : this.unreachable.has(master) ? 'o_down' : 'up',
      linked: true,
      quorum: 2,
      knownSentinels: this.count,
      failoverTimeoutMs: 10_000,
      replicas: replicas.map((node) => ({ address: at(node), condition: 'up' })),
      ...(failover === undefined
        ? {}
        : { promoting: at(failover.selected), election: { epoch: failover.epoch, selected: at(failover.selected) } }),
    };
  }

  role(address: Address): RoleAnswer {
    const node = nodes[address.port - 6301];
    if (node === undefined || this.unreachable.has(node)) return { address, role: 'unreachable' };
    return { address, role: this.masters.has(node) ? 'master' : 'replica' };
  }

  #at(i: number): Sentinel {
    const sentinel = this.sentinels[i];
    if (sentinel === undefined) throw new Error(`there is no Sentinel ${i}`);
    return sentinel;
  }

  #set(i: number, change: Partial<Sentinel>): void {
    this.sentinels[i] = { ...this.#at(i), ...change };
  }
}

function fresh(master: Node): Sentinel {
  return { up: true, currentEpoch: 0, configEpoch: 0, master, failover: undefined };
}
