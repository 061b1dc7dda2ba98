import type { MonitoredMaster, SentinelPeer } from '../../client/sentinel-shapes.ts';
import { formatAddress } from '../../model/address.ts';

/** How long the Sentinels of a master count without being named again: half of it to all of it, so that they are not all asked for at once. */
const keptMs = 600_000;

interface Named {
  readonly peers: readonly SentinelPeer[];
  readonly askedMs: number;
  readonly untilMs: number;
}

/** The other Sentinels of each master, as one Sentinel named them last. Times are milliseconds of one clock. */
export class KnownPeers {
  readonly #byMaster = new Map<string, Named>();
  /** When the Sentinels of a master may have changed. Answers to earlier questions do not show it. */
  readonly #changedMs = new Map<string, number>();
  #allChangedMs = Number.NEGATIVE_INFINITY;
  #all: readonly SentinelPeer[] = [];
  #addresses: ReadonlySet<string> = new Set();

  /** The addresses (`host:port`) of the Sentinels of all masters. */
  get addresses(): ReadonlySet<string> {
    return this.#addresses;
  }

  /** The Sentinels of all masters, each address once. */
  get all(): readonly SentinelPeer[] {
    return this.#all;
  }

  /** The Sentinels of these masters may be others than before: they differ until they are named again. */
  markChanged(changed: ReadonlySet<string> | 'all', nowMs: number): void {
    if (changed === 'all') this.#allChangedMs = nowMs;
    else for (const name of changed) this.#changedMs.set(name, nowMs);
  }

  /** Whether to ask for them: they may have changed, their number is another one, nobody was named, or that was long ago. */
  mayDiffer({ name, others }: MonitoredMaster, nowMs: number): boolean {
    const known = this.#byMaster.get(name);
    if (known === undefined || known.peers.length !== others || nowMs >= known.untilMs) return true;
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
      if (known !== undefined && known.askedMs > askedMs) continue;
      // The newest answer is the last one, so that its ids count.
      this.#byMaster.delete(name);
      this.#byMaster.set(name, { peers, askedMs, untilMs: askedMs + (keptMs * (1 + Math.random())) / 2 });
    }
    const monitored = new Set(masters.map(({ name }) => name));
    for (const map of [this.#byMaster, this.#changedMs])
      for (const name of map.keys()) if (!monitored.has(name)) map.delete(name);
    const all = byAddress([...this.#byMaster.values()].flatMap(({ peers }) => peers));
    this.#all = [...all.values()];
    this.#addresses = new Set(all.keys());
  }
}

function byAddress(peers: readonly SentinelPeer[]): ReadonlyMap<string, SentinelPeer> {
  const all = new Map<string, SentinelPeer>();
  for (const peer of peers) {
    const key = formatAddress(peer.address);
    if (peer.id !== undefined || !all.has(key)) all.set(key, peer);
  }
  return all;
}
