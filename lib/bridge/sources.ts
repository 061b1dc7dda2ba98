import { RedisPool } from '../client/redis-pool.ts';
import { fenceProbes } from '../client/refused-commands.ts';
import type { SentinelConfig } from '../config/model.ts';
import { revealAccess } from '../config/reveal.ts';
import type { Expectations } from '../consul/expectations.ts';
import type { CatalogWatches } from '../consul/watches.ts';
import type { SwitchmasterError } from '../errors.ts';
import type { NewHint } from '../loop/hint.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';
import { isPattern, makeMatcher } from '../model/glob.ts';
import type { Naming } from '../model/naming.ts';
import type { MasterRecord } from '../model/record.ts';
import { type BridgeHint, type FreshAnswers, replicationChanged, saysRecorded } from './hint.ts';
import type { Selection } from './observe/election.ts';
import { FoundSentinels } from './observe/found-sentinels.ts';
import { LagSource } from './observe/lag.ts';
import { PromotionReadings } from './observe/promotion-reading.ts';
import { PromotionSource, type PromotionWatch } from './observe/promotion-watch.ts';
import { RecordSource } from './observe/records.ts';
import { type SentinelHint, SentinelSource } from './observe/sentinels.ts';
import { LagHistory } from './plan/lag.ts';

export interface BridgeSourcesOptions {
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  readonly settings: SentinelConfig;
  /** Wakes the loop for one master. */
  readonly wake: (name: string, hint: NewHint<BridgeHint>) => void;
  /** The masters and external nodes that changed in Consul. */
  readonly onConsulChange: (changed: ReadonlySet<string> | 'all') => void;
  /** A Sentinel that leads a failover selected a replica. Resolves when the master is prepared for its replacement. */
  readonly onSelection: (name: string, selection: Selection) => Promise<void>;
  /** Gets the masters that failovers under way will have. Default: nothing is prepared for them. */
  readonly expectations?: Pick<Expectations, 'begin' | 'abort'>;
  /** A Sentinel reports that a server started again (`+reboot`). */
  readonly onReboot: (message: string) => void;
  /** A Sentinel monitors a master no more (`-monitor`). */
  readonly onUnmonitored: (name: string, sentinel: Address) => void;
  /** A Sentinel did not get the votes for a failover. */
  readonly onElectionFailed: (name: string) => void;
  /** A connection to a Redis was made. */
  readonly onUp: (address: Address, names: readonly string[]) => void;
  /** A Redis closed a connection that was established. */
  readonly onClosed: (address: Address, names: readonly string[]) => void;
  /** For these masters, a Redis began or ceased to refuse the bridge, or to be out of its reach. */
  readonly onAccessChange: (names: readonly string[]) => void;
  readonly onLink: (link: SentinelLinkState) => void;
  /** Whether a Sentinel monitored the master `name` at this address when all were asked last. */
  readonly isMonitored: (name: string, address: Address) => boolean;
  /** The newest record of a master that the bridge has seen. */
  readonly record: (name: string) => MasterRecord | undefined;
  /** The records of the masters whose lag is measured. */
  readonly records: () => readonly MasterRecord[];
}

/** A connection to a Sentinel was made, lost or refused. */
export interface SentinelLinkState {
  readonly sentinel: Address;
  readonly up: boolean;
  readonly error?: SwitchmasterError;
}

/** How long a reading may wait for the run IDs of two names of a master. */
const runIdTimeoutMs = 250;

/** Everything that the bridge reads. What happens there becomes hints of the loop. */
export class BridgeSources {
  readonly sentinels: SentinelSource;
  readonly records: RecordSource;
  readonly redis: RedisPool;
  readonly lags: LagSource;
  readonly #options: BridgeSourcesOptions;
  readonly #promotions: PromotionSource;
  readonly #promotionReadings: PromotionReadings;
  readonly #found: FoundSentinels | undefined;

  constructor(options: BridgeSourcesOptions) {
    const { watches, naming, settings } = options;
    this.#options = options;
    this.redis = this.#openRedis();
    this.sentinels = this.#openSentinels();
    this.records = new RecordSource({ watches, naming, onChange: options.onConsulChange });
    this.lags = new LagSource({
      redis: this.redis,
      records: options.records,
      makeKeeper: () => new LagHistory(),
      onChange: (name) => options.wake(name, { source: 'redis', event: replicationChanged }),
    });
    this.#promotions = new PromotionSource({
      redis: this.redis,
      readLeader: (name, { sentinel }) => this.sentinels.read(name, { only: [sentinel] }),
      onPromoted: (name, watch, answers) => this.#promoted(name, watch, answers),
    });
    const { service, roleDeadlineMs } = settings;
    this.#promotionReadings = new PromotionReadings({ sentinels: this.sentinels, redis: this.redis, roleDeadlineMs });
    const onFound = (addresses: readonly Address[]) => this.sentinels.give(addresses);
    this.#found = service === undefined ? undefined : new FoundSentinels({ watches, naming, service, onFound });
  }

  start(): void {
    this.sentinels.start();
    this.lags.start();
  }

  close(): void {
    this.#found?.release();
    this.sentinels.close();
    this.records.release();
    this.#promotions.close();
    this.lags.close();
    this.redis.close();
  }

  #openRedis(): RedisPool {
    const { settings, wake, onUp, onClosed, onAccessChange } = this.#options;
    return new RedisPool(
      revealAccess(settings.redis),
      {
        onUp: (address, names) => {
          onUp(address, names);
          for (const name of names) wake(name, { source: `redis ${formatAddress(address)}`, event: 'connected' });
        },
        onClosed: (address, names) => {
          onClosed(address, names);
          for (const name of names)
            if (this.#isUnwatched(name, address))
              wake(name, { source: `redis ${formatAddress(address)}`, event: 'closed' });
        },
        onAccessChange,
      },
      fenceProbes[settings.fence],
    );
  }

  /** Whether this is the record's master and no Sentinel monitors it: no Sentinel reports its end. */
  #isUnwatched(name: string, address: Address): boolean {
    const master = this.#options.record(name)?.master;
    return master !== undefined && sameAddress(master, address) && !this.#options.isMonitored(name, address);
  }

  #openSentinels(): SentinelSource {
    const { settings, onLink, record } = this.#options;
    const runId = (address: Address) => this.redis.runId(address, { timeoutMs: runIdTimeoutMs });
    return new SentinelSource({
      addresses: settings.addresses,
      access: revealAccess(settings.access),
      matches: makeMatcher(settings.masters),
      named: settings.masters.filter((name) => !isPattern(name)),
      discoverMs: settings.resyncMs,
      identity: { record, runId },
      onLink,
      onHint: (name, hint) => this.#hinted(name, hint),
    });
  }

  #hinted(name: string, hint: SentinelHint): void {
    const { sentinel, event } = hint;
    if (event.event === '+reboot') this.#options.onReboot(event.message);
    if (event.event === '-monitor') this.#options.onUnmonitored(name, sentinel);
    if (event.event === '-failover-abort-not-elected') this.#options.onElectionFailed(name);
    if (this.#options.settings.follow === 'promotion') this.#watchPromotion(name, hint);
    else this.#promotionReadings.heard(name, hint);
    this.#expect(name, hint);
    const origin = { source: `sentinel ${formatAddress(sentinel)}`, event: event.event };
    const isRecorded = saysRecorded(event, this.#options.record(name));
    const isAnnounced = event.event === '+switch-master' && !isRecorded;
    this.#options.wake(
      name,
      isAnnounced ? { ...origin, ...this.#announcement(name, hint) } : { ...origin, isRecorded },
    );
  }

  /** After the pause of the master's writes. */
  #expect(name: string, { sentinel, event: { event }, election }: SentinelHint): void {
    const { expectations } = this.#options;
    if (election !== undefined) {
      const { epoch, selected: master } = election;
      expectations?.begin({ name, master, epoch, sentinel });
    } else if (event.startsWith('-failover-abort')) expectations?.abort(name, sentinel);
  }

  #announcement(name: string, { sentinel, event: { target } }: SentinelHint) {
    const answers = target === undefined ? undefined : this.#promotionReadings.take(name, target);
    return { kind: 'announcement', sentinel, target, ...(answers === undefined ? {} : { answers }) } as const;
  }

  #watchPromotion(name: string, { sentinel, event: { event }, election }: SentinelHint): void {
    if (election !== undefined) {
      const { epoch, selected } = election;
      this.#promotions.start(name, { sentinel, epoch, selected }, () => this.#options.onSelection(name, election));
    } else if (event === '+switch-master') this.#promotions.end(name);
    else if (event.startsWith('-failover-abort')) this.#promotions.abandon(name, sentinel);
  }

  #promoted(name: string, { sentinel, selected }: PromotionWatch, answers: FreshAnswers): void {
    const announcement = { kind: 'announcement', sentinel, target: selected, answers } as const;
    this.#options.wake(name, { source: `redis ${formatAddress(selected)}`, event: 'promoted', ...announcement });
  }
}
