import { performance } from 'node:perf_hooks';
import type { RedisPool } from '../client/redis-pool.ts';
import type { MasterMemory } from './memory.ts';
import type { RecordSource } from './observe/records.ts';
import type { SentinelSource } from './observe/sentinels.ts';
import { answerAbout, type Decided } from './outcomes.ts';
import type { FollowMode, Situation } from './plan/decision.ts';
import { decide } from './plan/failover.ts';
import type { Finding } from './writer.ts';

/** What a run saw of one master, beside what Consul holds. */
export type Seen = Pick<Finding, 'views' | 'complete' | 'role' | 'wokenMs' | 'unmonitored'>;

export interface DeciderOptions {
  readonly records: RecordSource;
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly memory: (name: string) => MasterMemory;
  readonly follow: FollowMode | undefined;
  readonly roleDeadlineMs: number;
  readonly rebaseAfterMs: number | undefined;
}

/** Makes of what was seen, of Consul and of the memory a situation, and has it decided. */
export class Decider {
  readonly #options: DeciderOptions;

  constructor(options: DeciderOptions) {
    this.#options = options;
  }

  /** What is known of `name` with what was just seen; undefined until Consul was read. */
  find(name: string, seen: Seen): Finding | undefined {
    const reading = this.#options.records.read(name);
    if (reading === undefined) return undefined;
    const memory = this.#options.memory(name);
    memory.heard(seen.views);
    return { name, memory, reading, held: memory.held(reading), ...seen, observedMs: performance.now() };
  }

  /** Asks for a ROLE as often as the decision needs it. */
  async decide(finding: Finding): Promise<Decided> {
    const { name, memory } = finding;
    const { held, views, complete, role, unmonitored } = finding;
    const knownSentinels = this.#options.sentinels.count(name);
    const { remembered, decided, abandonedEpoch, lagging: laggingSoFar } = memory;
    const follow = this.#options.follow ?? 'promotion';
    const rebaseAsked = performance.now() < memory.rebaseAskedUntilMs ? ('asked' as const) : ('not-asked' as const);
    const situation = {
      held,
      views,
      complete,
      unmonitored,
      role,
      knownSentinels,
      remembered,
      decided,
      abandonedEpoch,
      lagging: laggingSoFar,
      follow,
      rebaseAsked,
    };
    const rebaseAfterMs = this.#options.rebaseAfterMs ?? 10_000;
    const answers = role === undefined ? [] : [role];
    let whole: Situation = { ...situation, nowMs: performance.now(), rebaseAfterMs };
    let decision = decide(whole);
    while (decision.kind === 'ask-role' && answers.length < mostAnswers) {
      const { address, lagging } = decision;
      answers.unshift(await this.#options.redis.role(address, { timeoutMs: this.#options.roleDeadlineMs }));
      const [last, ...otherRoles] = answers;
      const again = { ...situation, role: last, otherRoles, lagging: lagging ?? laggingSoFar };
      whole = { ...again, nowMs: performance.now(), rebaseAfterMs };
      decision = decide(whole);
    }
    if (decision.kind !== 'wait' || decision.why !== 'not-master-yet') memory.promotionOver();
    if (complete) memory.lagging = 'lagging' in decision ? decision.lagging : undefined;
    return { finding: { ...finding, role: answerAbout(decision, answers) }, decision, situation: whole };
  }
}

/** A decision asks for the ROLE of the new master, of the last one and of one that was promoted, at most. */
const mostAnswers = 4;
