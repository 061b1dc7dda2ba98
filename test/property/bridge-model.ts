import { RecordWriter } from '../../lib/bridge/apply/writer.ts';
import type { Finding } from '../../lib/bridge/finding.ts';
import { MasterMemory } from '../../lib/bridge/memory.ts';
import type { RecordReading } from '../../lib/bridge/observe/record-slices.ts';
import { heldMasterCheck } from '../../lib/bridge/plan/catalog.ts';
import { type Decision, type FollowMode, newestKnown, type Situation } from '../../lib/bridge/plan/decision.ts';
import { judgeRecord, type Traces } from '../../lib/bridge/plan/evidence.ts';
import { decide } from '../../lib/bridge/plan/failover.ts';
import type { ConsulClient } from '../../lib/client/consul.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { sameAddress } from '../../lib/model/address.ts';
import { type JudgedOutage, judgeOutage } from '../../lib/model/outage.ts';
import type { MasterRecord } from '../../lib/model/record.ts';
import type { RoleAnswer, SentinelView } from '../../lib/model/sentinel.ts';
import type { ConsulWorld } from './consul-world.ts';
import type { SentinelWorld } from './sentinel-world.ts';

export interface BridgeSetting {
  readonly id: number;
  readonly follow: FollowMode;
  readonly consul: ConsulWorld;
  readonly sentinels: SentinelWorld;
  readonly nowMs: () => number;
  readonly random: () => number;
}

const naming = { environment: undefined };

interface Observation {
  readonly views: readonly SentinelView[];
  readonly complete: boolean;
  readonly role: RoleAnswer | undefined;
}

/**
 * A bridge's run in steps, so that the world may change between them: the push of Consul, the answers of the Sentinels, and
 * the decision with its write. Each may be old when the next step uses it. Decision, memory and writer are the real ones.
 */
export class BridgeModel {
  readonly #setting: BridgeSetting;
  readonly #writer: RecordWriter;
  memory: MasterMemory;
  #reading: RecordReading | undefined;
  #observation: Observation | undefined;

  constructor(setting: BridgeSetting) {
    this.#setting = setting;
    this.memory = new MasterMemory(setting.random);
    const client = setting.consul as unknown as ConsulClient;
    this.#writer = new RecordWriter({
      client,
      naming,
      bridgeId: `b${setting.id}`,
      memory: () => this.memory,
      nowMs: setting.nowMs,
    });
  }

  /** The watches catch up. */
  push(): string {
    if (this.#setting.consul.down) return `b${this.#setting.id} does not reach Consul`;
    this.#reading = this.#setting.consul.reading();
    this.memory.held(this.#reading);
    return `b${this.#setting.id} reads Consul`;
  }

  /** Asks all Sentinels; `deaf` ones are out of reach. */
  survey(deaf: readonly number[] = []): string {
    const { sentinels, id } = this.#setting;
    const asked = sentinels.sentinels.map((_, i) => i).filter((i) => !deaf.includes(i));
    const views = asked.map((i) => sentinels.view(i)).filter((view) => view !== undefined);
    const target = this.memory.record?.master;
    this.#observation = { views, complete: true, role: target && sentinels.role(target) };
    return `b${id} asks ${views.map(describeView).join(', ') || 'nobody'}`;
  }

  /** Asks only the Sentinel that announced. */
  follow(i: number): string {
    const { sentinels, id } = this.#setting;
    const views = [sentinels.view(i)].filter((view) => view !== undefined);
    this.#observation = { views, complete: false, role: undefined };
    return `b${id} follows ${views.map(describeView).join('') || 'nobody'}`;
  }

  /** Decides on the last observation, and writes. It may use the same observation again. */
  async act(): Promise<string | undefined> {
    try {
      return await this.#run();
    } catch (thrown) {
      if (thrown instanceof SwitchmasterError) return `b${this.#setting.id} fails: ${thrown.message}`;
      throw thrown;
    }
  }

  async #run(): Promise<string | undefined> {
    const { id } = this.#setting;
    if (this.#reading === undefined || this.#observation === undefined) return undefined;
    const { views, complete, role } = this.#observation;
    const held = this.memory.held(this.#reading);
    const reading = this.#reading;
    const edit = this.#suspect({ held, views }, reading.catalogContents);
    const past = this.memory.past(0);
    const observedMs = this.#setting.nowMs();
    const outage = this.#outage({ reading, held, views, complete, observedMs });
    const seen = { name: 'm', reading, held, past, edit, views, complete, outage, wokenMs: 0, observedMs };
    const { decision, asked, reread } = this.#decide({ ...seen, role });
    const finding = { ...seen, ...reread, role: asked };
    if (decision.kind === 'publish') {
      const outcome = await this.#writer.publish(finding, decision);
      return `b${id} decides ${decision.cause}: ${outcome.kind} ${'summary' in outcome ? outcome.summary : ''}`;
    }
    if (decision.kind === 'stands') {
      const outcome = await this.#writer.repair(finding, decision.record);
      return `b${id} leaves the record: ${outcome.kind} ${'summary' in outcome ? outcome.summary : ''}`;
    }
    if (decision.kind === 'wait' && decision.why === 'no-sentinel') {
      const expired = await this.#writer.expire(finding, { kind: 'held', summary: decision.summary });
      return `b${id} has no Sentinel: ${expired.kind}`;
    }
    return `b${id} decides ${decision.kind}${'summary' in decision ? `: ${decision.summary}` : ''}`;
  }

  /** How many Sentinels named this master at this epoch in the last observation, and were not failing over. */
  heard({ master, epoch }: Pick<MasterRecord, 'master' | 'epoch'>): number {
    const views = this.#observation?.views ?? [];
    return views.filter(
      (view) => view.configEpoch === epoch && sameAddress(view.master, master) && view.condition !== 'failover',
    ).length;
  }

  /** Starts a new process, which knows nothing. */
  restart(): string {
    this.memory = new MasterMemory(this.#setting.random);
    this.#reading = undefined;
    this.#observation = undefined;
    return `b${this.#setting.id} is restarted`;
  }

  /** As Decider does it. */
  #outage(seen: Pick<Finding, 'reading' | 'held' | 'views' | 'complete' | 'observedMs'>): JudgedOutage | undefined {
    const { reading, held, views, complete, observedMs: nowMs } = seen;
    const master = held.kind === 'present' ? held.record.master : this.memory.past(0).remembered?.master;
    if (!complete || master === undefined) return undefined;
    const observed = { views, held: heldMasterCheck(reading.catalogContents, master), nowMs };
    const outage = this.memory.noteOutage({ master, ...observed });
    return outage && judgeOutage(outage, { ...observed, knownSentinels: this.#setting.sentinels.count });
  }

  /** As Decider does it. */
  #suspect({ held, views }: Pick<Finding, 'held' | 'views'>, traces: Traces): 'suspected' | undefined {
    const { remembered, trusted } = this.memory.past(0);
    const record = newestKnown({ held, remembered });
    if (record === undefined) return undefined;
    const votes = { views, knownSentinels: this.#setting.sentinels.count };
    const verdict = judgeRecord({ record, traces, naming }, { votes, trusted });
    if (verdict === 'written') this.memory.trust(record);
    return verdict === 'suspected' ? verdict : undefined;
  }

  /** As Decider does it. */
  #readAgain({ views, held: last, past }: Finding): Pick<Finding, 'held' | 'edit' | 'past'> {
    const { consul } = this.#setting;
    if (consul.down !== undefined) return { held: last, past, edit: 'unproven' };
    const { held, catalogContents, resets } = consul.reading();
    this.memory.noteStored(held, { index: BigInt(consul.index), resets });
    const edit = this.#suspect({ held, views }, catalogContents) === undefined ? undefined : 'proven';
    return { held, edit, past: this.memory.past(0) };
  }

  /** As Decider does it. */
  #decide(finding: Finding): {
    readonly decision: Decision;
    readonly asked: RoleAnswer | undefined;
    readonly reread: Partial<Pick<Finding, 'held' | 'past'>>;
  } {
    const { sentinels, nowMs, follow } = this.#setting;
    const { held, views, complete, role, past, edit } = finding;
    const knownSentinels = sentinels.count;
    const times = { nowMs: nowMs(), rebaseAfterMs: 10_000 };
    let situation: Situation = { held, views, complete, role, knownSentinels, follow, edit, ...past, ...times };
    const answers = role === undefined ? [] : [role];
    let decision = decide(situation);
    let reread: Partial<Pick<Finding, 'held' | 'past'>> = {};
    if (decision.kind === 'ask-consul') {
      const { edit, ...read } = this.#readAgain(finding);
      reread = read;
      situation = { ...situation, ...read, ...read.past, edit };
      decision = decide(situation);
    }
    const { lagging } = situation;
    while (decision.kind === 'ask-role' && answers.length < 4) {
      const { address, lagging: since } = decision;
      answers.unshift(sentinels.role(address));
      const [last, ...otherRoles] = answers;
      decision = decide({ ...situation, role: last, otherRoles, lagging: since ?? lagging });
    }
    if (complete) this.memory.contradicted('lagging' in decision ? decision.lagging : undefined);
    return { decision, asked: answers[0], reread };
  }
}

function describeView(view: SentinelView): string {
  const state = view.condition === 'failover' ? ' failing over' : '';
  return `${view.sentinelId} (${view.master.host} ${view.configEpoch}${state})`;
}
