import type { MonitoredMaster, SentinelPeer } from '../../client/sentinel-shapes.ts';
import { formatAddress } from '../../model/address.ts';

/** How long the Sentinels of a master count without being named again: half of it to all of it, so that they are not all asked for at once. */
const keptMs = 600_000;

interface Named {
  /** Each address once. */
  readonly peers: readonly SentinelPeer[];
  /** How many there are, with each address as often as it was named. */
  readonly count: number;
  readonly askedMs: number;
  readonly untilMs: number;
}

/** The other Sentinels of each master, as one Sentinel named them last. Times are milliseconds of one clock. */
export class KnownPeers {
  readonly #byMaster = new Map<string, Named>();
  /** When the Sentinels of a master may have changed. Answers to earlier questions do not show it. */
  readonly #changedMs = new Map<string, number>();
  #allChangedMs = Number.NEGATIVE_INFINITY;
  /** By address, with the number of masters that it was named for. */
  readonly #all = new Map<string, { readonly peer: SentinelPeer; readonly masters: number }>();
  readonly #addresses = new Set<string>();
  /** The last list. Most masters have the same Sentinels, so theirs is usually this one. */
  #lastPeers: readonly SentinelPeer[] = [];

  /** The addresses (`host:port`) of the Sentinels of all masters. */
  get addresses(): ReadonlySet<string> {
    return this.#addresses;
  }

  /** The Sentinels of all masters, each address once. */
  get all(): readonly SentinelPeer[] {
    return [...this.#all.values()].map(({ peer }) => peer);
  }

  /** The Sentinels of these masters may be others than before: they differ until they are named again. */
  markChanged(changed: ReadonlySet<string> | 'all', nowMs: number): void {
    if (changed === 'all') this.#allChangedMs = nowMs;
    else for (const name of changed) this.#changedMs.set(name, nowMs);
  }

  /** Whether to ask for them: they may have changed, their number is another one, nobody was named, or that was long ago. */
  mayDiffer({ name, others }: MonitoredMaster, nowMs: number): boolean {
    const known = this.#byMaster.get(name);
    if (known === undefined || known.count !== others || nowMs >= known.untilMs) return true;
    return known.askedMs < Math.max(this.#allChangedMs, this.#changedMs.get(name) ?? this.#allChangedMs);
  }

  /** `masters`: all that are monitored now. `named`: what was answered about some of them to questions at `askedMs`. */
  learn(
    masters: readonly MonitoredMaster[],
    named: ReadonlyMap<string, readonly SentinelPeer[]>,
    askedMs: number,
  ): void {
    for (const [name, peers] of named) {
      const known = this.#byMaster.get(name);
      if (known === undefined || known.askedMs <= askedMs) this.#replace(name, peers, askedMs);
    }
    const monitored = new Set(masters.map(({ name }) => name));
    for (const name of this.#byMaster.keys()) if (!monitored.has(name)) this.#forget(name);
    for (const name of this.#changedMs.keys()) if (!monitored.has(name)) this.#changedMs.delete(name);
  }

  #replace(name: string, list: readonly SentinelPeer[], askedMs: number): void {
    const peers = this.#distinct(list);
    for (const peer of peers) {
      const address = formatAddress(peer.address);
      const known = this.#all.get(address);
      const isBetter = known === undefined || peer.id !== undefined;
      this.#all.set(address, { peer: isBetter ? peer : known.peer, masters: (known?.masters ?? 0) + 1 });
      this.#addresses.add(address);
    }
    this.#forget(name);
    const untilMs = askedMs + (keptMs * (1 + Math.random())) / 2;
    this.#byMaster.set(name, { peers, count: list.length, askedMs, untilMs });
  }

  #distinct(list: readonly SentinelPeer[]): readonly SentinelPeer[] {
    const peers = [...new Map(list.map((peer) => [formatAddress(peer.address), peer])).values()];
    if (!isSame(peers, this.#lastPeers)) this.#lastPeers = peers;
    return this.#lastPeers;
  }

  #forget(name: string): void {
    for (const { address: of } of this.#byMaster.get(name)?.peers ?? []) {
      const address = formatAddress(of);
      const known = this.#all.get(address);
      if (known !== undefined && known.masters > 1) this.#all.set(address, { ...known, masters: known.masters - 1 });
      else {
        this.#all.delete(address);
        this.#addresses.delete(address);
      }
    }
    this.#byMaster.delete(name);
  }
}

function isSame(peers: readonly SentinelPeer[], others: readonly SentinelPeer[]): boolean {
  const ids = (list: readonly SentinelPeer[]) => list.map(({ address, id }) => `${formatAddress(address)} ${id}`);
  return String(ids(peers)) === String(ids(others));
}
