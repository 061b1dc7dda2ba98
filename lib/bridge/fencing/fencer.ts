import { isRefusal } from '../../client/redis-errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import { whyLeft } from '../../model/second-master.ts';
import type { RoleAnswer } from '../../model/sentinel.ts';
import type { FenceOutcome } from '../apply/fence.ts';
import { FenceActions } from './actions.ts';
import type { Enforced, EnforceOptions, FencerOptions } from './enforcement.ts';
import {
  type FenceAction,
  type FenceSituation,
  former,
  longestPauseMs,
  pauseBeforePromotionMs,
  pauseMs,
  planAfterRefusal,
  planFence,
  planLatePause,
  planRenewal,
} from './plan.ts';
import { findSecondMasters } from './second-masters.ts';

/** The bridge looks every two seconds, and after each message. */
const renewAfterMs = 1_000;

/** Short, because a former master is often dead, and the run waits for it. */
const askTimeoutMs = 200;
/** For a server that took a pause a moment ago, so that one late answer does not let it end. */
const patientTimeoutMs = 1_000;

/** Keeps former masters from accepting writes. It reports every action, because REPLICAOF discards data. */
export class Fencer {
  readonly #options: FencerOptions;
  readonly #actions: FenceActions;
  /** By master name: the change of master for which the old master was paused. */
  readonly #pausedFor = new Map<string, string>();

  constructor(options: FencerOptions) {
    this.#options = options;
    this.#actions = new FenceActions(options);
  }

  /**
   * Pauses the writes of `master` when a Sentinel has selected a replica to replace it: a write that it acknowledges
   * between the selection and the promotion would be lost. A dead master is not reported.
   */
  pauseBeforePromotion(name: string, master: Address): Promise<void> {
    return this.#actions.hold(name, {
      action: 'pause-before-promotion',
      address: master,
      pauseMs: pauseBeforePromotionMs,
    });
  }

  /** Renews the pause of a former master while the bridge completes a failover whose leader died. */
  hold(name: string, address: Address): Promise<void> {
    return this.#actions.hold(name, { action: 'pause', address, pauseMs });
  }

  /** The bridge publishes another master: pauses the old one, and releases the new one if it was paused before. */
  async changeMaster(name: string, change: { readonly from: Address; readonly to: Address }): Promise<void> {
    if (this.#options.settings.fence === 'none') return;
    if (!this.#isRepeated(name, change)) {
      this.#pausedFor.delete(name);
      for (const address of [change.from, change.to]) this.#actions.pauses.forget(address);
    }
    await Promise.all([
      this.#actions.isHeld(name) ? undefined : this.#pauseForChange(name, change),
      this.#actions.pauses.has(change.to) ? this.#actions.release(name, change.to) : undefined,
    ]);
  }

  /**
   * The record names another master: ends the connections of the old one's clients, if this bridge has paused it for this
   * change. A client that waits for a delayed write, or only reads there, asks again who is master. Sentinel does the same
   * when it makes the old master a replica, up to a second later.
   */
  async disconnectClients(name: string, change: { readonly from: Address; readonly to: Address }): Promise<void> {
    if (this.#options.settings.fence !== 'demote' || this.#actions.isHeld(name)) return;
    if (this.#pausedFor.get(name) !== changeKey(change)) return;
    await this.#actions.disconnectClients(name, change.from);
  }

  /**
   * Asks the ROLE of every node that could have returned as a master. If one did, `weigh` reads the Sentinels again,
   * because their views must be newer than the ROLE answers. The fencer calls `stillHolds` right before each action.
   * Before the record is confirmed, the fencer only pauses a former master: one that was out of reach when the master changed, and
   * again one that it has paused, while the promotion stands.
   */
  async enforce(record: MasterRecord, options: EnforceOptions): Promise<Enforced> {
    const { settings } = this.#options;
    const roles = await Promise.all(former(record).map((address) => this.#roleOf(address)));
    for (const answer of roles) this.#note(answer);
    const isStale = ({ address, role }: RoleAnswer) =>
      role === 'master' || (role === 'unreachable' && this.#actions.pauses.isWaiting(address));
    const stale = roles.filter(isStale).map(({ address }) => address);
    const whyNot = whyLeft(settings.fence, this.#options.whyNot(record.name));
    const found = { record, roles, whyNot, isPaused: (address: Address) => this.#actions.pauses.isWaiting(address) };
    if (record.phase === 'promoted' && whyNot === undefined) {
      await this.#pauseLate({ record, roles }, options);
      await this.#renew({ record, roles, views: options.views }, options);
    }
    if (record.phase === 'promoted' || whyNot !== undefined || stale.length === 0)
      return { stale, secondMasters: findSecondMasters({ ...found, views: options.views, outcomes: new Map() }) };
    const weighed = await options.weigh();
    const outcomes = await this.#fence({ record, roles, ...weighed }, options);
    // With evidence, planFence has decided about it, and may have left it to Sentinel.
    if (weighed.evidence === 'none') await this.#renew({ record, roles, views: weighed.views }, options);
    return { stale, secondMasters: findSecondMasters({ ...found, views: weighed.views, outcomes }) };
  }

  async #pauseLate(
    { record, roles }: Pick<FenceSituation, 'record' | 'roles'>,
    { members, stillHolds }: EnforceOptions,
  ): Promise<void> {
    const from = planLatePause({ record, roles, members });
    if (from !== undefined && stillHolds() && !this.#actions.isHeld(record.name))
      await this.#pauseOnce(record.name, { from, to: record.master });
  }

  /** The pause that this bridge began at the change of master lasts until the demotion, within limits. */
  async #renew(
    { record, roles, views }: Pick<FenceSituation, 'record' | 'roles' | 'views'>,
    { stillHolds }: EnforceOptions,
  ): Promise<void> {
    const { name, master, previous } = record;
    if (previous === null || this.#pausedFor.get(name) !== changeKey({ from: previous, to: master })) return;
    if (this.#actions.pauses.isWaiting(previous, pauseMs - renewAfterMs)) return;
    const answer = await this.#options.redis.role(master, { timeoutMs: patientTimeoutMs });
    const pausedForMs = this.#actions.pauses.durationsMs('stale-master');
    const failoverPausedForMs = this.#actions.pauses.durationsMs('failover');
    const plan = planRenewal({ record, roles: [...roles, answer], views, pausedForMs, failoverPausedForMs });
    if (plan === undefined || !stillHolds() || this.#actions.isHeld(name)) return;
    await this.#actions.renewPause(name, { ...plan, pauseMs });
  }

  async #roleOf(address: Address): Promise<RoleAnswer> {
    const { redis } = this.#options;
    const answer = await redis.role(address, { timeoutMs: askTimeoutMs });
    if (answer.role !== 'unreachable' || !this.#actions.pauses.isWaiting(address)) return answer;
    return redis.role(address, { timeoutMs: patientTimeoutMs });
  }

  /** One that is silent for a moment may be busy, and its pause must not begin again. */
  #note({ address, role }: RoleAnswer): void {
    const { pauses } = this.#actions;
    if (role === 'master') pauses.heard(address);
    else if (role !== 'unreachable' || !pauses.wasHeard(address, longestPauseMs)) pauses.forget(address);
  }

  /** Returns the outcome of the last action on each address. */
  async #fence(
    found: Omit<FenceSituation, 'mode' | 'pausedForMs'>,
    options: EnforceOptions,
  ): Promise<ReadonlyMap<string, FenceOutcome & { readonly action: FenceAction['kind'] }>> {
    const { name } = found.record;
    const stillHolds = () => options.stillHolds() && !this.#actions.isHeld(name);
    const pausedForMs = this.#actions.pauses.durationsMs('stale-master');
    const outcomes = new Map<string, FenceOutcome & { readonly action: FenceAction['kind'] }>();
    for (const action of planFence({ mode: this.#options.settings.fence, ...found, pausedForMs })) {
      if (!stillHolds()) break;
      const outcome = await this.#carryOut(name, action);
      outcomes.set(formatAddress(action.address), { ...outcome, action: action.kind });
      if (action.kind === 'pause' || outcome.kind === 'applied' || !isRefusal(outcome.error) || !stillHolds()) continue;
      for (const pause of planAfterRefusal(action.address, { pausedForMs })) await this.#carryOut(name, pause);
    }
    return outcomes;
  }

  #carryOut(name: string, action: FenceAction): Promise<FenceOutcome> {
    return action.kind === 'demote'
      ? this.#actions.demote(name, action)
      : this.#actions.renewPause(name, { ...action, reason: 'stale-master' });
  }

  /**
   * Maintenance of the master begins: no pause is renewed. One that has begun ends by itself, within five seconds. An order would end
   * all pauses of the server, also that of a failover which another bridge carries out, and writes would be lost.
   */
  suspend(name: string): void {
    this.#pausedFor.delete(name);
    for (const address of this.#actions.pauses.lasting(name)) this.#actions.pauses.forget(address);
  }

  /** Whether the change is made again, because Consul has not taken the record yet. */
  #isRepeated(name: string, change: { readonly from: Address; readonly to: Address }): boolean {
    return (
      this.#pausedFor.get(name) === changeKey(change) && this.#actions.pauses.isWaiting(change.from, -longestPauseMs)
    );
  }

  async #pauseForChange(name: string, change: { readonly from: Address; readonly to: Address }): Promise<void> {
    if (!this.#isRepeated(name, change)) return this.#pauseOnce(name, change);
    const spentMs = this.#actions.pauses.durationsMs('stale-master').get(formatAddress(change.from)) ?? 0;
    if (spentMs < longestPauseMs)
      await this.#actions.renewPause(name, { address: change.from, pauseMs, reason: 'stale-master' });
  }

  /** Pauses the old master if this bridge has not for this change. The pause ends by itself if it is not renewed. */
  async #pauseOnce(name: string, change: { readonly from: Address; readonly to: Address }): Promise<void> {
    if (this.#pausedFor.get(name) === changeKey(change)) return;
    const outcome = await this.#actions.pause(name, { address: change.from, pauseMs });
    if (outcome.kind === 'applied') this.#pausedFor.set(name, changeKey(change));
  }
}

function changeKey({ from, to }: { readonly from: Address; readonly to: Address }): string {
  return `${formatAddress(from)} ${formatAddress(to)}`;
}
