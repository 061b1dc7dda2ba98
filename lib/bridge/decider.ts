import { performance } from 'node:perf_hooks';
import type { RedisPool } from '../client/redis-pool.ts';
import type { SentinelConfig } from '../config/model.ts';
import { sameAddress } from '../model/address.ts';
import type { Naming } from '../model/naming.ts';
import { type JudgedOutage, judgeOutage } from '../model/outage.ts';
import type { RoleAnswer } from '../model/sentinel.ts';
import type { Finding, Observation } from './finding.ts';
import { aborted } from './interruption.ts';
import type { MasterMemory } from './memory.ts';
import type { RecordSource } from './observe/records.ts';
import type { SentinelSource } from './observe/sentinels.ts';
import { heldMasterCheck } from './plan/catalog.ts';
import type { Decision, Situation } from './plan/decision.ts';
import { isEdited, lastPublished } from './plan/evidence.ts';
import { decide } from './plan/failover.ts';

/** What was decided, what it was decided from, and what else was found out. */
export interface Decided {
  readonly finding: Finding;
  readonly situation: Situation;
  readonly decision: Decision;
}

export interface DeciderOptions {
  readonly naming: Naming;
  readonly records: RecordSource;
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly memory: (name: string) => MasterMemory;
  readonly settings: Pick<SentinelConfig, 'follow' | 'roleDeadlineMs' | 'rebaseAfterMs'>;
}

/** Builds a situation from the observation, Consul and the memory, and has `plan` decide on it. */
export class Decider {
  readonly #options: DeciderOptions;

  constructor(options: DeciderOptions) {
    this.#options = options;
  }

  /** The observation beside what Consul holds; undefined until Consul was read. */
  find(name: string, observation: Observation): Finding | undefined {
    const reading = this.#options.records.read(name);
    if (reading === undefined) return undefined;
    const memory = this.#options.memory(name);
    memory.noteMembers(observation.views);
    const held = memory.held(reading);
    const observedMs = performance.now();
    const seen = { name, reading, held, past: memory.past(observedMs), ...observation, observedMs };
    return { ...seen, outage: this.#judgeOutage(seen) };
  }

  #judgeOutage(finding: Omit<Finding, 'outage'>): JudgedOutage | undefined {
    const { name, reading, held, past, views, complete, unmonitored, observedMs: nowMs } = finding;
    const master = held.kind === 'present' ? held.record.master : past.remembered?.master;
    if (!complete || master === undefined || unmonitored !== undefined) return undefined;
    const seen = { views, held: heldMasterCheck(reading.catalogContents, master), nowMs };
    const outage = this.#options.memory(name).noteOutage({ master, ...seen });
    return outage && judgeOutage(outage, { ...seen, knownSentinels: this.#options.sentinels.count(name) });
  }

  /** Asks for a ROLE as often as the decision needs it. undefined where `interrupted` is aborted while it asks. */
  async decide(finding: Finding): Promise<Decided>;
  async decide(finding: Finding, interrupted: AbortSignal): Promise<Decided | undefined>;
  async decide(finding: Finding, interrupted?: AbortSignal): Promise<Decided | undefined> {
    const { role } = finding;
    const { redis, settings } = this.#options;
    const answers = role === undefined ? [] : [role];
    let situation = this.#situation(finding);
    let decision = decide(situation);
    while (decision.kind === 'ask-role' && answers.length < mostAnswers) {
      const { address, lagging } = decision;
      const asking = redis.role(address, { timeoutMs: settings.roleDeadlineMs });
      const answer = await (interrupted === undefined ? asking : Promise.race([asking, aborted(interrupted)]));
      if (answer === undefined) return undefined;
      answers.unshift(answer);
      const [last, ...otherRoles] = answers;
      const asked = { role: last, otherRoles, lagging: lagging ?? finding.past.lagging };
      situation = { ...situation, ...asked, nowMs: performance.now() };
      decision = decide(situation);
    }
    this.#remember(finding, decision);
    return { finding: { ...finding, role: answerAbout(decision, answers) }, decision, situation };
  }

  #situation({ name, held, reading, views, complete, role, unmonitored, past }: Finding): Situation {
    const { sentinels, settings } = this.#options;
    const { follow, rebaseAfterMs } = settings;
    const knownSentinels = sentinels.count(name);
    const edited = held.kind === 'present' && isEdited(held.record, reading.catalogContents, this.#options.naming);
    const seen = {
      held,
      views,
      complete,
      unmonitored,
      role,
      knownSentinels,
      edit: edited ? 'suspected' : undefined,
      published: lastPublished(reading.catalogContents),
    } as const;
    return { ...seen, ...past, follow, rebaseAfterMs, nowMs: performance.now() };
  }

  #remember({ name, complete }: Finding, decision: Decision): void {
    const memory = this.#options.memory(name);
    if (decision.kind !== 'wait' || decision.why !== 'not-master-yet') memory.promotionOver();
    if (complete) memory.contradicted('lagging' in decision ? decision.lagging : undefined);
  }
}

/** A decision asks at most for the ROLE of the new master, of the last one and of one that was promoted. */
const mostAnswers = 4;

/** What the master of the decision answered, or else whoever was asked last. */
function answerAbout(decision: Decision, answers: readonly RoleAnswer[]): RoleAnswer | undefined {
  const master =
    decision.kind === 'publish'
      ? decision.draft.master
      : decision.kind === 'stands'
        ? decision.record.master
        : undefined;
  const about = answers.find(({ address }) => master !== undefined && sameAddress(address, master));
  return about ?? answers[0];
}
