import type { RedisPool } from '../client/redis-pool.ts';
import type { MasterState, MastersView, SentinelState, UnorderedCrash } from '../http/views.ts';
import type { MaintenancePart } from '../maintenance/part.ts';
import { type Address, sameAddress } from '../model/address.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import { findForeignChecks } from '../model/foreign-check.ts';
import { findProblems } from '../model/judgement/problems.ts';
import { Memo } from '../model/memo.ts';
import { findSameMaster } from '../model/other-environment.ts';
import type { MasterProblem } from '../model/problem.ts';
import type { StoredRecord } from '../model/record.ts';
import { describeSecondMaster } from '../model/second-master.ts';
import type { SentinelView, SentinelVoter } from '../model/sentinel.ts';
import type { Isolation } from './isolation/isolation.ts';
import type { MasterMemory } from './memory.ts';
import type { LagSource } from './observe/lag.ts';
import type { RecordSource } from './observe/records.ts';
import { distinctViews } from './observe/sentinel-reading.ts';
import type { SentinelSource } from './observe/sentinels.ts';
import { isCalm } from './plan/calm.ts';
import { explainError, toVote } from './reports.ts';

export interface BridgeViewParts {
  readonly sentinels: SentinelSource;
  readonly records: RecordSource;
  readonly redis: RedisPool;
  readonly lags: LagSource;
  readonly memory: (name: string) => MasterMemory;
  readonly maintenance: Pick<MaintenancePart, 'of'>;
  readonly isolation: Pick<Isolation, 'of' | 'problems'>;
  /** Where in Consul Enterprise everything is. */
  readonly scope: () => ConsulScope | undefined;
  /** Its crash, where no failover was ordered. */
  readonly crash: (name: string) => UnorderedCrash | null;
  /** Which masters are wanted. */
  readonly matches: (name: string) => boolean;
}

/** Every failover causes the first for a moment; the bridge's own runs report the second. */
const unreported: ReadonlySet<MasterProblem['kind']> = new Set(['sentinels-disagree', 'held']);

/** The state of the bridge, for the API, the metrics and the log. */
export class BridgeView implements MastersView {
  readonly #parts: BridgeViewParts;
  readonly #names = new Memo<readonly string[]>();

  constructor(parts: BridgeViewParts) {
    this.#parts = parts;
  }

  /** The wanted masters that Sentinels monitor or that have a record, sorted. */
  get names(): readonly string[] {
    const { sentinels, records, matches } = this.#parts;
    const [monitored, recorded] = [sentinels.names, records.names];
    return this.#names.get([monitored, recorded], () =>
      [...new Set([...monitored, ...recorded.filter(matches)])].toSorted(),
    );
  }

  list(): readonly MasterState[] {
    return this.names.map((name) => this.#master(name));
  }

  get(name: string): MasterState | undefined {
    return this.names.includes(name) ? this.#master(name) : undefined;
  }

  records() {
    return this.names.flatMap((name) => this.held(name)?.record ?? []);
  }

  lag(name: string, replica: Address) {
    return this.#parts.lags.lag(name, replica, 'measure');
  }

  /** The record of `name`, as far as the bridge knows Consul. */
  held(name: string): Extract<StoredRecord, { kind: 'present' }> | undefined {
    const { records, memory } = this.#parts;
    const reading = records.read(name);
    const held = reading === undefined ? undefined : memory(name).held(reading);
    return held?.kind === 'present' ? held : undefined;
  }

  /** What the Sentinels said at the last reading, each once. */
  views(name: string): readonly SentinelView[] {
    return distinctViews(this.#parts.memory(name).lastReadings?.readings ?? []);
  }

  /** Whether a Sentinel monitored the master at this address when all were asked last. */
  isMonitored(name: string, address: Address): boolean {
    return this.views(name).some(({ master }) => sameAddress(master, address));
  }

  /** Whether hints come with all that may happen to the master. */
  isCalm(name: string): boolean {
    const { memory, sentinels, lags } = this.#parts;
    const record = this.held(name)?.record;
    const { opinion, secondMasters, members } = memory(name);
    return isCalm({
      record,
      opinion,
      views: this.views(name),
      knownSentinels: sentinels.count(name),
      members,
      lags: (record?.replicas ?? []).map((replica) => lags.lag(name, replica, 'cached')),
      problems: this.problems(name).length + secondMasters.current.length,
    });
  }

  problems(name: string): readonly MasterProblem[] {
    const { redis, records, memory, sentinels, isolation, scope } = this.#parts;
    const { problem } = memory(name);
    const record = this.held(name)?.record;
    return findProblems({
      expected: record === undefined ? undefined : { by: 'record', record },
      views: this.views(name),
      refusals: redis.refusals(name),
      unreached: redis.unreached(name),
      limits: [
        ...redis.limits(name).map((limit) => ({ server: 'Redis', ...limit }) as const),
        ...sentinels.limits(name).map((limit) => ({ server: 'Sentinel', ...limit }) as const),
      ],
      foreign: records.foreign(name),
      otherEnvironments: findSameMaster(records.otherEnvironments(name), record),
      foreignChecks: findForeignChecks(records.read(name)?.catalogContents.instances ?? []),
      uncounted: sentinels.uncounted(name).map(({ address, error }) => ({ address, why: explainError(error) })),
      held: problem,
      isolation: isolation.problems(name),
      scope: scope(),
    });
  }

  /** What the log and the journal report of the problems: sentences that stay the same as long as the problem does. */
  messages(name: string): readonly string[] {
    const master = this.held(name)?.record.master;
    const seconds = master === undefined ? [] : this.#parts.memory(name).secondMasters.current;
    return [
      ...this.problems(name).flatMap(({ kind, message }) => (unreported.has(kind) ? [] : [message])),
      ...seconds.map((second) => describeSecondMaster(second, master as Address)),
    ];
  }

  /** The Sentinels with a say about a master. */
  voters(name: string): readonly SentinelVoter[] {
    return this.#parts.sentinels.voters(name);
  }

  sentinels(): readonly SentinelState[] {
    return this.#parts.sentinels.sentinels.map(({ address, id, up, error }) => ({
      address,
      id,
      up,
      error: error === undefined ? null : (explainError(error) ?? null),
    }));
  }

  #master(name: string): MasterState {
    const { memory, lags, maintenance, isolation, crash } = this.#parts;
    const held = this.held(name);
    const record = held?.record ?? null;
    const { lastReadings, opinion } = memory(name);
    return {
      name,
      record,
      modifyIndex: held?.modifyIndex ?? null,
      sentinels: (lastReadings?.readings ?? []).map((reading) =>
        toVote(reading, { readAt: lastReadings?.readAt, record }),
      ),
      check: opinion ?? null,
      problems: this.problems(name),
      secondMasters: memory(name).secondMasters.current,
      maintenance: maintenance.of(name),
      crash: crash(name),
      isolation: isolation.of(name),
      replicas: (record?.replicas ?? []).map((address) => ({
        address,
        lag: lags.lag(name, address, 'cached') ?? null,
      })),
    };
  }
}
