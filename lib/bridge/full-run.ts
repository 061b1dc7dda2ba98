import type { Precedence } from '../client/precedence.ts';
import type { RedisPool } from '../client/redis-pool.ts';
import type { SentinelConfig } from '../config/model.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Run } from '../loop/run.ts';
import { distinctAddresses, sameAddress } from '../model/address.ts';
import { compareVersions } from '../model/epoch.ts';
import type { RoleAnswer, SentinelView } from '../model/sentinel.ts';
import type { Execution } from './apply/execution.ts';
import { retryForStaleMasters } from './apply/outcomes.ts';
import type { Decided, Decider } from './decider.ts';
import type { FailoverCompletion } from './failover/completion.ts';
import type { Enforced } from './fencing/enforcement.ts';
import type { Fencer } from './fencing/fencer.ts';
import { assessEvidence } from './fencing/plan.ts';
import type { Finding, Observation } from './finding.ts';
import type { BridgeHint } from './hint.ts';
import { aborted, beforeInterruption, interruptedOutcome } from './interruption.ts';
import type { MasterMemory } from './memory.ts';
import type { RecordSource } from './observe/records.ts';
import { distinctViews, type SentinelReading, unmonitored } from './observe/sentinel-reading.ts';
import type { SentinelSource } from './observe/sentinels.ts';
import { isMasterChange } from './plan/decision.ts';

export interface FullRunOptions {
  readonly records: RecordSource;
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly fencer: Fencer;
  /** Completes failovers whose leader died; undefined where that is not wanted. */
  readonly failoverCompletion: FailoverCompletion | undefined;
  readonly decider: Decider;
  readonly execution: Execution;
  readonly memory: (name: string) => MasterMemory;
  readonly settings: Pick<SentinelConfig, 'roleDeadlineMs'>;
  /** The work of failovers, which goes before a full run. Default: nothing does. */
  readonly precedence?: Pick<Precedence, 'after'>;
  /** Gets the outcome of a write that a run did not wait for. */
  readonly onLate: (name: string, outcome: Outcome) => void;
}

/**
 * A run that asks every Sentinel. An announcement interrupts it. The messages after a failover wake it while the templates write their
 * files, and it waits for those.
 */
export class FullRun {
  readonly #options: FullRunOptions;

  constructor(options: FullRunOptions) {
    this.#options = options;
  }

  async reconcile(run: Run<BridgeHint>, { wokenMs }: { readonly wokenMs: number }): Promise<Outcome> {
    const { key: name, interrupted } = run;
    const { decider, precedence } = this.#options;
    const interruption = aborted(interrupted);
    await Promise.race([precedence?.after(), interruption]);
    // A question would precede those about the announcement in the same connections.
    const answers = interrupted.aborted ? undefined : await Promise.race([this.#ask(name, interrupted), interruption]);
    if (answers === undefined || interrupted.aborted) return interruptedOutcome;
    const finding = decider.find(name, { ...this.#digest(name, answers), complete: true, wokenMs });
    if (finding === undefined) return this.#waitForConsul(name);
    if (isRemoved(finding)) return this.#forget(name);
    const decided = await decider.decide(finding, interrupted);
    if (decided === undefined) return interruptedOutcome;
    this.#considerCompletion(decided);
    return this.#act(decided, interrupted);
  }

  /**
   * Asks the Sentinels and the master of the record, at the same time. The Sentinels get few questions of full runs at once, so theirs may
   * wait. An older ROLE beside newer views would be no picture of one moment, so the question to the master waits with the first of them.
   */
  async #ask(name: string, interrupted: AbortSignal): Promise<Answers> {
    const { sentinels, redis, settings, memory } = this.#options;
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<void>();
    const askMaster = async () => {
      await asked;
      const target = interrupted.aborted ? undefined : memory(name).record?.master;
      return target === undefined ? undefined : redis.role(target, { timeoutMs: settings.roleDeadlineMs });
    };
    const reading = sentinels.read(name, { queued: interrupted, onAsked }).finally(onAsked);
    const [readings, role] = await Promise.all([reading, askMaster()]);
    return { readings, role };
  }

  #digest(name: string, { readings, role }: Answers): Pick<Observation, 'views' | 'role' | 'unmonitored'> {
    this.#options.memory(name).noteReadings(readings, new Date());
    const views = distinctViews(readings);
    this.#connect(name, views);
    return { views, role, unmonitored: unmonitored(readings) };
  }

  /**
   * Fences stale masters also while Consul cannot be written. A failover that is announced meanwhile does not wait for a
   * Consul that hangs: the next run writes what still differs.
   */
  async #act(decided: Decided, interrupted: AbortSignal): Promise<Outcome> {
    const { name } = decided.finding;
    const acting = this.#options.execution.carryOut(decided);
    const onLate = (outcome: Outcome) => this.#options.onLate(name, outcome);
    const waiting = isMasterChange(decided.decision) ? acting : beforeInterruption(acting, { interrupted, onLate });
    const [acted] = await Promise.allSettled([waiting]);
    if (acted.status === 'fulfilled' && acted.value === undefined) return interruptedOutcome;
    const enforced = await Promise.race([this.#fence(decided.finding), aborted(interrupted)]);
    if (enforced !== undefined) this.#options.memory(name).secondMasters.note(enforced.secondMasters, new Date());
    if (enforced === undefined || enforced.stale.length === 0) return acting;
    return retryForStaleMasters(await acting);
  }

  #waitForConsul(name: string): Outcome {
    const { records, memory } = this.#options;
    const summary = `cannot read Consul yet: ${records.missing() ?? 'still reading'}`;
    memory(name).foundProblem({ refusal: undefined, problem: summary });
    return { kind: 'held', summary, retryAfterMs: 5_000 };
  }

  /** Ends what the bridge does for a master that was removed: it must not act on nodes that may have another use now. */
  #forget(name: string): Outcome {
    const memory = this.#options.memory(name);
    const isKnown = memory.record !== undefined || memory.members.length > 0;
    memory.forget();
    this.#options.records.forget(name);
    this.#options.redis.keep(name, []);
    if (!isKnown) return { kind: 'unchanged' };
    const summary = 'forgotten: no Sentinel monitors it, and its record and keys were deleted';
    return { kind: 'applied', summary, details: { cause: 'removed' } };
  }

  /** A promotion that waits for its confirmation may have lost its leader. */
  #considerCompletion({ finding, decision, situation }: Decided): void {
    const { name, views, role } = finding;
    const memory = this.#options.memory(name);
    const record = memory.record;
    if (decision.kind !== 'wait' || decision.why !== 'unconfirmed' || record === undefined || role === undefined)
      return;
    if (!sameAddress(role.address, record.master)) return;
    const { knownSentinels } = situation;
    this.#options.failoverCompletion?.consider(name, { record, views, knownSentinels, role: role.role }, memory);
  }

  /** Fences former masters that accept writes although the record is confirmed. undefined: without Sentinels, none was asked. */
  async #fence({ name, held, views, unmonitored }: Finding): Promise<Enforced | undefined> {
    const { records, sentinels, fencer } = this.#options;
    const memory = this.#options.memory(name);
    const record = memory.record;
    // The record may have been deleted, and the master removed from the Sentinels, because its nodes have another use now.
    if (record === undefined || held.kind === 'absent' || unmonitored !== undefined)
      return { stale: [], secondMasters: [] };
    if (views.length === 0) return undefined;
    return fencer.enforce(record, {
      members: memory.members,
      views,
      weigh: async () => {
        const views = distinctViews(await sentinels.read(name));
        const consul = records.outage === undefined ? 'reachable' : 'unreachable';
        const knownSentinels = sentinels.count(name);
        return { views, evidence: assessEvidence({ record, views, knownSentinels, consul }) };
      },
      stillHolds: () => memory.record !== undefined && compareVersions(memory.record, record) === 0,
    });
  }

  /** Connects now to everything that could become master next. */
  #connect(name: string, views: readonly SentinelView[]): void {
    if (views.length === 0) return;
    const addresses = views.flatMap((view) => [view.master, ...view.replicas.map(({ address }) => address)]);
    this.#options.redis.keep(name, distinctAddresses(addresses));
  }
}

/** No Sentinel monitors the master any more, and its record and keys were deleted. */
function isRemoved({ held, reading, unmonitored }: Finding): boolean {
  return unmonitored !== undefined && held.kind === 'absent' && reading.catalogContents.keys.size === 0;
}

interface Answers {
  readonly readings: readonly SentinelReading[];
  readonly role: RoleAnswer | undefined;
}
