import { type Address, distinctAddresses, formatAddress, sameAddress } from '../../model/address.ts';
import { Aliases, canonicalize, contested, namedIn } from '../../model/aliases.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import type { SentinelReading } from './sentinel-reading.ts';

export interface UnifiedReadingsOptions {
  /** The record of a master, whose addresses have precedence. */
  readonly record: (name: string) => MasterRecord | undefined;
  /** INFO's run_id at an address; undefined where it does not answer. */
  readonly runId: (address: Address) => Promise<string | undefined>;
}

/** The source of the run ids that the bridge reads itself. */
const ownSource = 'bridge';

/** Gives each process one address in the answers of all Sentinels. */
export class UnifiedReadings {
  readonly #options: UnifiedReadingsOptions;
  readonly #aliases = new Map<string, Aliases>();

  constructor(options: UnifiedReadingsOptions) {
    this.#options = options;
  }

  canonical(name: string, address: Address): Address {
    const record = this.#options.record(name);
    return this.#aliases.get(name)?.canonical(address, { record, nowMs: performance.now() }) ?? address;
  }

  /**
   * Replaces the aliases in what Sentinels answered about `name`. Where two names are contested, it compares the run IDs of
   * their processes.
   */
  async unify(name: string, answered: readonly SentinelReading[]): Promise<readonly SentinelReading[]> {
    const record = this.#options.record(name);
    const readings = answered.map((reading) =>
      reading.kind === 'seen' ? { ...reading, view: withRecordedReplicas(reading.view, record) } : reading,
    );
    const aliases = this.#aliases.get(name) ?? new Aliases();
    this.#aliases.set(name, aliases);
    for (const reading of readings) {
      if (reading.kind === 'seen') aliases.learn(reading.sentinelId, namedIn(reading.view), performance.now());
    }
    const unified = this.#canonicalize(name, readings);
    const views = unified.flatMap((reading): SentinelView[] => (reading.kind === 'seen' ? [reading.view] : []));
    const disputed = contested(views, this.#options.record(name));
    if (disputed.length === 0) return unified;
    const named = await Promise.all(
      disputed.map(async (address) => ({ address, runId: await this.#options.runId(address) })),
    );
    aliases.learn(ownSource, named, performance.now());
    return this.#canonicalize(name, readings);
  }

  #canonicalize(name: string, readings: readonly SentinelReading[]): readonly SentinelReading[] {
    const canonicalAddresses = new Map<string, Address>();
    const canonical = (address: Address): Address => {
      const key = formatAddress(address);
      const known = canonicalAddresses.get(key) ?? this.canonical(name, address);
      canonicalAddresses.set(key, known);
      return known;
    };
    return readings.map((reading) =>
      reading.kind === 'seen' ? { ...reading, view: canonicalize(reading.view, canonical) } : reading,
    );
  }
}

/** A Sentinel that hides its replicas is taken to list those of the record, and to say nothing of their condition. */
function withRecordedReplicas(view: SentinelView, record: MasterRecord | undefined): SentinelView {
  if (view.hides === undefined || record === undefined) return view;
  const { master, previous, replicas } = record;
  const known = distinctAddresses([master, ...(previous === null ? [] : [previous]), ...replicas]);
  const others = known.filter((address) => !sameAddress(address, view.master));
  return { ...view, replicas: others.map((address) => ({ address, condition: 'unlinked' })) };
}
