import type { MonitoredMaster, SentinelPeer } from '../../client/sentinel-shapes.ts';
import { formatAddress } from '../../model/address.ts';

/** How long the Sentinels of a master count without being named again: half of it to all of it, so that they are not all asked for at once. */
const keptMs = 600_000;

/** The other Sentinels of each master, as one Sentinel named them last. */
export class KnownPeers {
  readonly #byMaster = new Map<string, { readonly addresses: readonly string[]; readonly untilMs: number }>();
  #all: ReadonlySet<string> = new Set();

  /** The addresses (`host:port`) of the Sentinels of all masters. */
  get addresses(): ReadonlySet<string> {
    return this.#all;
  }

  /** Whether to ask for them: their number is another one, nobody was named, or that was long ago. */
  mayDiffer({ name, others }: MonitoredMaster, nowMs: number): boolean {
    const known = this.#byMaster.get(name);
    return known === undefined || known.addresses.length !== others || nowMs >= known.untilMs;
  }

  /** `masters`: all that are monitored now. `named`: what was answered about some of them. */
  learn(masters: readonly MonitoredMaster[], named: ReadonlyMap<string, readonly SentinelPeer[]>, nowMs: number): void {
    for (const [name, peers] of named) {
      const untilMs = nowMs + (keptMs * (1 + Math.random())) / 2;
      this.#byMaster.set(name, { addresses: peers.map(({ address }) => formatAddress(address)), untilMs });
    }
    const monitored = new Set(masters.map(({ name }) => name));
    for (const name of this.#byMaster.keys()) if (!monitored.has(name)) this.#byMaster.delete(name);
    this.#all = new Set([...this.#byMaster.values()].flatMap(({ addresses }) => addresses));
  }
}
