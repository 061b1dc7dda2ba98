import { type Address, formatAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { contested, namedIn, respell, Spellings } from '../plan/spelling.ts';
import type { SentinelReading } from './sentinel-reading.ts';

export interface UnifiedReadingsOptions {
  /** The record of a master, whose spelling of an address counts. */
  readonly record: (name: string) => MasterRecord | undefined;
  /** INFO's run_id at an address; undefined where it does not answer. */
  readonly runId: (address: Address) => Promise<string | undefined>;
}

/** The source of the run ids that the bridge reads itself. */
const ownSource = 'bridge';

/** Gives the answers of all Sentinels one spelling for each process. */
export class UnifiedReadings {
  readonly #options: UnifiedReadingsOptions;
  readonly #spellings = new Map<string, Spellings>();

  constructor(options: UnifiedReadingsOptions) {
    this.#options = options;
  }

  spell(name: string, address: Address): Address {
    const record = this.#options.record(name);
    return this.#spellings.get(name)?.spell(address, { record, nowMs: performance.now() }) ?? address;
  }

  /** Respells what Sentinels answered about `name`. Where two names are contested, their processes prove themselves. */
  async unify(name: string, readings: readonly SentinelReading[]): Promise<readonly SentinelReading[]> {
    const spellings = this.#spellings.get(name) ?? new Spellings();
    this.#spellings.set(name, spellings);
    for (const reading of readings) {
      if (reading.kind === 'seen') spellings.hear(reading.sentinelId, namedIn(reading.view), performance.now());
    }
    const unified = this.#respell(name, readings);
    const views = unified.flatMap((reading): SentinelView[] => (reading.kind === 'seen' ? [reading.view] : []));
    const disputed = contested(views, this.#options.record(name));
    if (disputed.length === 0) return unified;
    const named = await Promise.all(
      disputed.map(async (address) => ({ address, runId: await this.#options.runId(address) })),
    );
    spellings.hear(ownSource, named, performance.now());
    return this.#respell(name, readings);
  }

  #respell(name: string, readings: readonly SentinelReading[]): readonly SentinelReading[] {
    const spelled = new Map<string, Address>();
    const spell = (address: Address): Address => {
      const key = formatAddress(address);
      const known = spelled.get(key) ?? this.spell(name, address);
      spelled.set(key, known);
      return known;
    };
    return readings.map((reading) =>
      reading.kind === 'seen' ? { ...reading, view: respell(reading.view, spell) } : reading,
    );
  }
}
