import type { RedisPool } from '../client/redis-pool.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import { type Address, formatAddress, isIn, sameAddress } from '../model/address.ts';
import type { CatalogNode } from '../model/catalog.ts';
import { compareVersions } from '../model/epoch.ts';
import { collisions, externalNode, type Naming } from '../model/naming.ts';
import type { RoleAnswer, SentinelView } from '../model/sentinel.ts';
import { type Announcement, Announcements } from './announcements.ts';
import { Decider } from './decider.ts';
import type { FailoverCompletion } from './failover/completion.ts';
import type { Fencer } from './fencing/fencer.ts';
import { weighEvidence } from './fencing/plan.ts';
import { beforeHurry } from './late-outcome.ts';
import { MasterMemory } from './memory.ts';
import type { RecordSource } from './observe/records.ts';
import { distinctViews, unmonitored } from './observe/sentinel-reading.ts';
import type { SentinelSource } from './observe/sentinels.ts';
import { type Decided, givesWay, hold, isTurn, soon, withEvidence } from './outcomes.ts';
import type { Decision, FollowMode } from './plan/decision.ts';
import { describeStrangers } from './plan/membership.ts';
import { foreignNode, nodeOwner, ownershipOf } from './plan/node-ownership.ts';
import { newestPromotion } from './plan/promotion.ts';
import type { Finding, RecordWriter } from './writer.ts';

export interface BridgeOptions {
  readonly records: RecordSource;
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly fencer: Fencer;
  /** Ends failovers whose leader died; none where that is not wanted. */
  readonly failoverCompletion?: FailoverCompletion;
  readonly writer: RecordWriter;
  readonly naming: Naming;
  /** Asks the catalog about a node: only where no service of ours proves whose it is. */
  readonly readNode: (node: string) => Promise<CatalogNode | undefined>;
  /** Default `promotion`. */
  readonly follow?: FollowMode;
  /** How long the target of a failover may take to answer ROLE. Default 500. */
  readonly roleDeadlineMs?: number;
  /** How long a majority must agree on a lower epoch before a new generation begins. Default 10,000. */
  readonly rebaseAfterMs?: number;
  /** What a write came to for which a run did not wait, since a failover was announced. */
  readonly onLate?: (name: string, outcome: Outcome) => void;
}

/**
 * Keeps Consul's record, keys and services of each master as its Sentinels decided. One key of the loop is one master.
 *
 * A run that an announcement woke asks only the Sentinel that made it, and the announced address for its ROLE, at the
 * same time; when that shows a newer epoch, the transaction is next. Every other run asks all Sentinels, and gives way
 * when an announcement comes meanwhile: no failover waits for a Sentinel that does not answer.
 */
export class Bridge implements Reconciler {
  readonly name = 'bridge';
  readonly #options: BridgeOptions;
  readonly #memories = new Map<string, MasterMemory>();
  readonly #announcements = new Announcements();
  readonly #decider: Decider;

  constructor(options: BridgeOptions) {
    this.#options = options;
    const { records, sentinels, redis, follow, rebaseAfterMs } = options;
    const [memory, roleDeadlineMs] = [(name: string) => this.memory(name), this.#roleDeadlineMs];
    this.#decider = new Decider({ records, sentinels, redis, memory, follow, roleDeadlineMs, rebaseAfterMs });
  }

  /** What is known of `name`. */
  memory(name: string): MasterMemory {
    const known = this.#memories.get(name);
    if (known !== undefined) return known;
    const memory = new MasterMemory();
    this.#memories.set(name, memory);
    return memory;
  }

  /** To be called before the loop is woken for it. */
  announce(name: string, announcement: Announcement): void {
    this.#announcements.add(name, announcement);
  }

  /**
   * To be called when a Sentinel says that it selected a replica. Where its state, read back, says so too, the master's
   * writes wait from here on: Sentinel promotes at its next timer tick, by then the replica has all that was acknowledged.
   */
  async pauseBeforePromotion(name: string, sentinel: Address): Promise<void> {
    const record = this.memory(name).remembered;
    if (record === undefined) return;
    const views = distinctViews(await this.#options.sentinels.read(name, { only: [sentinel] }));
    const promotion = newestPromotion(views, record);
    if (promotion === undefined || !sameAddress(promotion.view.master, record.master)) return;
    await this.#options.fencer.pauseBeforePromotion(name, record.master);
  }

  async reconcile({ key: name, hints }: Run): Promise<Outcome> {
    const wokenMs = Math.min(...hints.map(({ receivedMs }) => receivedMs));
    const outcome = await this.#follow(name, { wokenMs });
    return outcome ?? this.#survey(name, { wokenMs });
  }

  /**
   * The quick look at what was announced; undefined where it does not suffice for a decision. All Sentinels announce the
   * same within milliseconds, and one answer is enough: the others are looked at only where the first does not come soon,
   * or does not suffice. So none that is out of reach delays a failover, and none that is not needed.
   */
  async #follow(name: string, { wokenMs }: { readonly wokenMs: number }): Promise<Outcome | undefined> {
    const looks = new Map<number, Promise<Arrival>>();
    const isEarly = AbortSignal.timeout(headStartMs);
    for (let count = 0; ; ) {
      for (const announcement of looks.size === 0 || isEarly.aborted ? this.#announcements.take(name) : []) {
        const id = count++;
        looks.set(id, this.#look(name, announcement, id));
      }
      if (looks.size === 0) return undefined;
      const next = isEarly.aborted ? this.#announcements.hurry(name) : isEarly;
      const first = await Promise.race([...looks.values(), aborted(next)]);
      if (first === undefined) continue;
      looks.delete(first.id);
      const { views, role } = first;
      const finding = this.#decider.find(name, { views, complete: false, role, wokenMs });
      if (finding === undefined) return undefined;
      const decided = await this.#decider.decide(finding);
      if (decided.decision.kind !== 'look-closer') return this.#act(name, decided);
    }
  }

  async #look(name: string, { sentinel, lookAt }: Announcement, id: number): Promise<Arrival> {
    const { sentinels, redis } = this.#options;
    const [readings, role] = await Promise.all([
      sentinels.read(name, { only: [sentinel] }),
      lookAt === undefined ? undefined : redis.role(lookAt, { timeoutMs: this.#roleDeadlineMs }),
    ]);
    return { id, views: distinctViews(readings), role };
  }

  /** The thorough look at all Sentinels. */
  async #survey(name: string, { wokenMs }: { readonly wokenMs: number }): Promise<Outcome> {
    const { sentinels, redis, records } = this.#options;
    const memory = this.memory(name);
    const hurry = this.#announcements.hurry(name);
    const target = memory.remembered?.master;
    const looking = Promise.all([
      sentinels.read(name),
      target === undefined ? undefined : redis.role(target, { timeoutMs: this.#roleDeadlineMs }),
    ]);
    const seen = await Promise.race([looking, aborted(hurry)]);
    if (seen === undefined) return givesWay;
    const [readings, role] = seen;
    memory.readings = readings;
    memory.readAt = new Date();
    const views = distinctViews(readings);
    this.#keepRoles(name, views);
    const finding = this.#decider.find(name, {
      views,
      complete: true,
      role,
      wokenMs,
      unmonitored: unmonitored(readings),
    });
    if (finding !== undefined) {
      const decided = await this.#decider.decide(finding);
      this.#considerCompletion(decided);
      const acting = this.#act(name, decided);
      // A former master is fenced also while Consul cannot be written, and a failover that is announced meanwhile does
      // not wait for a Consul that hangs: what was being put right is put right by the next run, if it still differs.
      const onLate = (outcome: Outcome) => this.#options.onLate?.(name, outcome);
      const patience = isTurn(decided.decision) ? acting : beforeHurry(acting, { hurry: hurry, onLate });
      const [acted] = await Promise.allSettled([patience]);
      if (acted.status === 'fulfilled' && acted.value === undefined) return givesWay;
      const staleMasters = await Promise.race([this.#fence(finding), aborted(hurry)]);
      return staleMasters === 'found' ? soon(await acting) : acting;
    }
    memory.trouble = `Consul was not read yet: ${records.missing() ?? 'reading'}`;
    return { kind: 'held', summary: memory.trouble, retryAfterMs: 5_000 };
  }

  async #act(name: string, decided: Decided): Promise<Outcome> {
    return withEvidence(await this.#carryOut(name, decided), decided);
  }

  async #carryOut(name: string, decided: Decided): Promise<Outcome> {
    const { finding, decision } = decided;
    const { memory } = finding;
    const writes = decision.kind === 'publish' || decision.kind === 'stands';
    const refusal = writes ? await this.#refusal(name, finding) : undefined;
    memory.trouble =
      refusal ??
      ('summary' in decision ? decision.summary : undefined) ??
      describeStrangers(decided.situation) ??
      finding.unmonitored;
    if (refusal !== undefined) return { kind: 'held', summary: refusal };
    switch (decision.kind) {
      case 'publish':
        this.#turn(finding, decision);
        if (decision.cause === 'rebase') memory.rebaseAskedUntilMs = 0;
        return this.#options.writer.publish(finding, decision);
      case 'stands':
        return this.#options.writer.repair(finding, decision.record);
      case 'wait':
      case 'conflict':
        return hold(decision, memory);
      case 'ask-role':
      case 'look-closer':
        return { kind: 'held', summary: 'looked too early', retryAfterMs: 0 };
    }
  }

  /** The old master's writes wait from now on, the new one's no more. */
  #turn({ name, memory }: Finding, decision: Extract<Decision, { kind: 'publish' }>): void {
    const { master, previous } = decision.draft;
    if (!isTurn(decision) || previous === null || sameAddress(previous, master)) return;
    // The record alone could name anybody's Redis.
    if (!isIn(memory.members, previous)) return;
    void this.#options.fencer.changeMaster(name, { from: previous, to: master });
  }

  /** A promotion that waits for its confirmation may have lost its leader. */
  #considerCompletion({ finding, decision, situation }: Decided): void {
    const { name, memory, views, role } = finding;
    const record = memory.remembered;
    if (decision.kind !== 'wait' || decision.why !== 'unconfirmed' || record === undefined || role === undefined)
      return;
    if (!sameAddress(role.address, record.master)) return;
    const { knownSentinels } = situation;
    this.#options.failoverCompletion?.consider(name, { record, views, knownSentinels, role: role.role }, memory);
  }

  /** Former masters that take writes although the record is confirmed. */
  async #fence({ name, memory }: Finding): Promise<'found' | 'none'> {
    const record = memory.remembered;
    if (record === undefined) return 'none';
    const { records, sentinels, fencer } = this.#options;
    return fencer.enforce(record, {
      members: memory.members,
      weigh: async () => {
        const views = distinctViews(await sentinels.read(name));
        const consul = records.outage === undefined ? 'reachable' : 'unreachable';
        const knownSentinels = sentinels.count(name);
        return { views, evidence: weighEvidence({ record, views, knownSentinels, consul }) };
      },
      stillHolds: () => memory.remembered !== undefined && compareVersions(memory.remembered, record) === 0,
    });
  }

  /** Why nothing of this master may be written at all. */
  async #refusal(name: string, { held, memory, reading }: Finding): Promise<string | undefined> {
    const { naming, sentinels } = this.#options;
    const ownership = ownershipOf({ naming, name }, reading.holdings);
    if (ownership.kind === 'proven') return undefined;
    if (ownership.kind === 'foreign') return foreignNode({ naming, name }, ownership.owner);
    const twins = collisions(sentinels.names).find((group) => group.includes(name));
    if (twins !== undefined) return `DNS cannot tell these masters apart: ${twins.join(', ')}; rename one of them`;
    const recorded = held.kind !== 'absent' || memory.remembered !== undefined;
    const owner = nodeOwner({ naming, name }, { node: await this.#options.readNode(externalNode(name)), recorded });
    return owner === undefined ? undefined : foreignNode({ naming, name }, owner);
  }

  /** Everything that could become master next is connected to now. */
  #keepRoles(name: string, views: readonly SentinelView[]): void {
    if (views.length === 0) return;
    const addresses = views.flatMap((view) => [view.master, ...view.replicas.map(({ address }) => address)]);
    const distinct = new Map(addresses.map((address) => [formatAddress(address), address]));
    this.#options.redis.keep(name, [...distinct.values()]);
  }

  get #roleDeadlineMs(): number {
    return this.#options.roleDeadlineMs ?? 500;
  }
}

/** Far longer than an answer takes, and far shorter than a failover. */
const headStartMs = 30;

/** What an announcement turned out to be. */
interface Arrival {
  readonly id: number;
  readonly views: readonly SentinelView[];
  readonly role: RoleAnswer | undefined;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
