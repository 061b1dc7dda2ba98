import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../client/consul.ts';
import type { RedisPool } from '../client/redis-pool.ts';
import type { SentinelConfig } from '../config/model.ts';
import { SwitchmasterError } from '../errors.ts';
import { sameAddress } from '../model/address.ts';
import { externalNode, type Naming } from '../model/naming.ts';
import { type JudgedOutage, judgeOutage } from '../model/outage.ts';
import type { RoleAnswer } from '../model/sentinel.ts';
import type { Finding, Observation } from './finding.ts';
import { aborted } from './interruption.ts';
import type { MasterMemory } from './memory.ts';
import { readEvidence } from './observe/record-evidence.ts';
import type { RecordSource } from './observe/records.ts';
import type { SentinelSource } from './observe/sentinels.ts';
import { heldMasterCheck } from './plan/catalog.ts';
import { type Decision, newestKnown, type Situation, type Suspicion } from './plan/decision.ts';
import { judgeRecord, lastPublished, type Traces } from './plan/evidence.ts';
import { decide } from './plan/failover.ts';

/** What was decided, what it was decided from, and what else was found out. */
export interface Decided {
  readonly finding: Finding;
  readonly situation: Situation;
  readonly decision: Decision;
}

export interface DeciderOptions {
  readonly client: Pick<ConsulClient, 'read'>;
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
    const edit = this.#suspect({ name, held, traces: reading.catalogContents, views: observation.views });
    const observedMs = performance.now();
    const seen = { name, reading, held, past: memory.past(observedMs), edit, ...observation, observedMs };
    return { ...seen, outage: this.#judgeOutage(seen) };
  }

  /** Trusts the newest record where something shows that a bridge wrote it; otherwise returns that nothing does. */
  #suspect(seen: Pick<Finding, 'name' | 'held' | 'views'> & { readonly traces: Traces }): Suspicion | undefined {
    const { name, held, views, traces } = seen;
    const memory = this.#options.memory(name);
    const { remembered, trusted } = memory.past(0);
    const record = newestKnown({ held, remembered });
    if (record === undefined) return undefined;
    const knownSentinels = this.#options.sentinels.count(name);
    const votes = { views, knownSentinels };
    const verdict = judgeRecord({ record, traces, naming: this.#options.naming }, { votes, trusted });
    if (verdict === 'written') memory.trust(record);
    return verdict === 'suspected' ? verdict : undefined;
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
  async decide(found: Finding, interrupted?: AbortSignal): Promise<Decided | undefined> {
    const answers = found.role === undefined ? [] : [found.role];
    let finding = found;
    let situation = this.#situation(finding);
    let decision = decide(situation);
    for (;;) {
      const asking = this.#ask(finding, { decision, answers });
      if (asking === undefined) break;
      const answer = await (interrupted === undefined ? asking : Promise.race([asking, aborted(interrupted)]));
      if (answer === undefined) return undefined;
      finding = answer.finding;
      answers.unshift(...answer.roles);
      const [role, ...otherRoles] = answers;
      const lagging = decision.kind === 'ask-role' ? decision.lagging : situation.lagging;
      situation = { ...this.#situation(finding), role, otherRoles, lagging: lagging ?? finding.past.lagging };
      decision = decide(situation);
    }
    this.#remember(finding, decision);
    return { finding: { ...finding, role: answerAbout(decision, answers) }, decision, situation };
  }

  /** Asks what the decision needs; undefined where it needs nothing, or gets no more. */
  #ask(
    finding: Finding,
    { decision, answers }: { readonly decision: Decision; readonly answers: readonly RoleAnswer[] },
  ): Promise<{ readonly finding: Finding; readonly roles: readonly RoleAnswer[] }> | undefined {
    const { redis, settings } = this.#options;
    if (decision.kind === 'ask-consul') return this.#readAgain(finding).then((read) => ({ finding: read, roles: [] }));
    if (decision.kind !== 'ask-role' || answers.length >= mostAnswers) return undefined;
    const asking = redis.role(decision.address, { timeoutMs: settings.roleDeadlineMs });
    return asking.then((role) => ({ finding, roles: [role] }));
  }

  /**
   * The finding with the current evidence for the record. The suspicion is then proven or over, or stays unproven without
   * Consul.
   */
  async #readAgain(finding: Finding): Promise<Finding> {
    const { name, views, reading } = finding;
    const { naming } = this.#options;
    const { node = externalNode(naming, name) } = reading.catalogContents;
    const memory = this.#options.memory(name);
    try {
      const { held, traces, index } = await readEvidence(this.#options.client, { naming, name, node });
      memory.noteStored(held, { index, resets: reading.resets });
      const edit = this.#suspect({ name, held, views, traces }) === undefined ? undefined : 'proven';
      return { ...finding, held, edit, past: memory.past(finding.observedMs) };
    } catch (thrown) {
      if (!(thrown instanceof SwitchmasterError)) throw thrown;
      return { ...finding, edit: 'unproven' };
    }
  }

  #situation({ name, held, reading, views, complete, role, announced, unmonitored, past, edit }: Finding): Situation {
    const { sentinels, settings } = this.#options;
    const { follow, rebaseAfterMs } = settings;
    const knownSentinels = sentinels.count(name);
    const published = lastPublished(reading.catalogContents);
    const seen = { held, views, complete, unmonitored, role, announced, knownSentinels, edit, published };
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

/** The answer of the decision's master, or else of the address that was asked last. */
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
