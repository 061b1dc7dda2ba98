import { isRefusal } from '../../client/redis-errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { MasterRecord } from '../../model/record.ts';
import { whyLeft } from '../../model/second-master.ts';
import type { RoleAnswer } from '../../model/sentinel.ts';
import { demote, disconnectClients, type FenceOutcome, pauseWritesSoon, releaseWrites } from '../apply/fence.ts';
import type { Enforced, EnforceOptions, FenceReport, FencerOptions } from './enforcement.ts';
import { Pauses } from './pauses.ts';
import {
  type FenceAction,
  type FenceSituation,
  former,
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

/** Keeps former masters from accepting writes. It reports every action, because REPLICAOF discards data. */
export class Fencer {
  readonly #options: FencerOptions;
  readonly #pauses = new Pauses();
  /** By master name: the change of master for which the old master was paused. */
  readonly #pausedFor = new Map<string, string>();

  constructor(options: FencerOptions) {
    this.#options = options;
  }

  /**
   * Pauses the writes of `master` when a Sentinel has selected a replica to replace it: a write that it acknowledges
   * between the selection and the promotion would be lost. A dead master is not reported.
   */
  pauseBeforePromotion(name: string, master: Address): Promise<void> {
    return this.#hold(name, { action: 'pause-before-promotion', address: master, pauseMs: pauseBeforePromotionMs });
  }

  /** Renews the pause of a former master while the bridge completes a failover whose leader died. */
  hold(name: string, address: Address): Promise<void> {
    return this.#hold(name, { action: 'pause', address, pauseMs });
  }

  /** The bridge publishes another master: pauses the old one, and releases the new one if it was paused before. */
  async changeMaster(name: string, change: { readonly from: Address; readonly to: Address }): Promise<void> {
    if (this.#options.settings.fence === 'none') return;
    this.#pausedFor.delete(name);
    await Promise.all([
      this.#isHeld(name) ? undefined : this.#pauseOnce(name, change),
      this.#pauses.has(change.to) ? this.#release(name, change.to) : undefined,
    ]);
  }

  /**
   * The record names another master: ends the connections of the old one's clients, if this bridge has paused it for this
   * change. A client that waits for a delayed write, or only reads there, asks again who is master. Sentinel does the same
   * when it makes the old master a replica, up to a second later.
   */
  async disconnectClients(name: string, change: { readonly from: Address; readonly to: Address }): Promise<void> {
    if (this.#options.settings.fence !== 'demote' || this.#isHeld(name)) return;
    if (this.#pausedFor.get(name) !== changeKey(change)) return;
    const outcome = await disconnectClients(this.#options.redis, change.from);
    this.#report({ name, action: 'disconnect', address: change.from, outcome });
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
    for (const { address, role } of roles) if (role !== 'master') this.#pauses.forget(address);
    const stale = roles.filter(({ role }) => role === 'master').map(({ address }) => address);
    const whyNot = whyLeft(settings.fence, this.#options.whyNot(record.name));
    const found = { record, roles, whyNot, isPaused: (address: Address) => this.#pauses.isWaiting(address) };
    if (record.phase === 'promoted' && whyNot === undefined) {
      await this.#pauseLate({ record, roles }, options);
      await this.#renew({ record, roles, views: options.views }, options);
    }
    if (record.phase === 'promoted' || whyNot !== undefined || stale.length === 0)
      return { stale, secondMasters: findSecondMasters({ ...found, views: options.views, outcomes: new Map() }) };
    const weighed = await options.weigh();
    const outcomes = await this.#fence({ record, roles, ...weighed }, options);
    if (outcomes.size === 0) await this.#renew({ record, roles, views: weighed.views }, options);
    return { stale, secondMasters: findSecondMasters({ ...found, views: weighed.views, outcomes }) };
  }

  async #pauseLate(
    { record, roles }: Pick<FenceSituation, 'record' | 'roles'>,
    { members, stillHolds }: EnforceOptions,
  ): Promise<void> {
    const from = planLatePause({ record, roles, members });
    if (from !== undefined && stillHolds() && !this.#isHeld(record.name))
      await this.#pauseOnce(record.name, { from, to: record.master });
  }

  /** The pause that this bridge began at the change of master lasts until the demotion. */
  async #renew(
    { record, roles, views }: Pick<FenceSituation, 'record' | 'roles' | 'views'>,
    { stillHolds }: EnforceOptions,
  ): Promise<void> {
    const { name, master, previous } = record;
    if (previous === null || this.#pausedFor.get(name) !== changeKey({ from: previous, to: master })) return;
    if (this.#pauses.isWaiting(previous, pauseMs - renewAfterMs)) return;
    if (planRenewal({ record, roles: [...roles, await this.#roleOf(master)], views }) === undefined) return;
    if (stillHolds() && !this.#isHeld(name)) await this.#pause(name, { address: previous, pauseMs });
  }

  #roleOf(address: Address): Promise<RoleAnswer> {
    return this.#options.redis.role(address, { timeoutMs: askTimeoutMs });
  }

  /** Returns the outcome of the last action on each address. */
  async #fence(
    found: Omit<FenceSituation, 'mode' | 'pausedForMs'>,
    options: EnforceOptions,
  ): Promise<ReadonlyMap<string, FenceOutcome & { readonly action: FenceAction['kind'] }>> {
    const { name } = found.record;
    const stillHolds = () => options.stillHolds() && !this.#isHeld(name);
    const pausedForMs = this.#pauses.durationsMs();
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
    return action.kind === 'demote' ? this.#demote(name, action) : this.#renewPause(name, action);
  }

  /** Ends the pauses of a master's nodes that have not ended by themselves. */
  async release(name: string): Promise<void> {
    const lasting = this.#pauses.lasting(name);
    this.#pausedFor.delete(name);
    for (const address of lasting) this.#pauses.forget(address);
    await Promise.all(lasting.map((address) => this.#release(name, address)));
  }

  async #hold(
    name: string,
    pause: { readonly action: 'pause-before-promotion' | 'pause'; readonly address: Address; readonly pauseMs: number },
  ): Promise<void> {
    if (this.#options.settings.fence === 'none' || this.#isHeld(name)) return;
    const { action, address } = pause;
    const outcome = await pauseWritesSoon(this.#options.redis, pause);
    if (outcome.kind === 'applied') this.#pauses.begin(name, pause);
    else if (!isRefusal(outcome.error)) return;
    this.#report({ name, action, address, outcome });
    await this.#releaseIfHeld(name, address);
  }

  /** Pauses the old master once for each change, so that a wrong pause ends by itself. */
  async #pauseOnce(name: string, change: { readonly from: Address; readonly to: Address }): Promise<void> {
    if (this.#pausedFor.get(name) === changeKey(change)) return;
    const outcome = await this.#pause(name, { address: change.from, pauseMs });
    if (outcome.kind === 'applied') this.#pausedFor.set(name, changeKey(change));
  }

  async #pause(name: string, pause: { readonly address: Address; readonly pauseMs: number }): Promise<FenceOutcome> {
    const outcome = await pauseWritesSoon(this.#options.redis, pause);
    if (outcome.kind === 'applied') this.#pauses.begin(name, pause);
    this.#report({ name, action: 'pause', address: pause.address, outcome });
    await this.#releaseIfHeld(name, pause.address);
    return outcome;
  }

  #isHeld(name: string): boolean {
    return this.#options.whyNot(name) !== undefined;
  }

  /** Maintenance may have begun while the server took the pause. */
  async #releaseIfHeld(name: string, address: Address): Promise<void> {
    if (this.#isHeld(name) && this.#pauses.has(address)) await this.#release(name, address);
  }

  async #renewPause(
    name: string,
    pause: { readonly address: Address; readonly pauseMs: number },
  ): Promise<FenceOutcome> {
    const outcome = await this.#pause(name, pause);
    if (outcome.kind === 'applied') this.#pauses.renew(pause.address);
    return outcome;
  }

  async #release(name: string, address: Address): Promise<void> {
    const outcome = await releaseWrites(this.#options.redis, address);
    if (outcome.kind === 'applied') this.#pauses.end(address);
    this.#report({ name, action: 'release', address, outcome });
  }

  async #demote(
    name: string,
    demotion: { readonly address: Address; readonly master: Address },
  ): Promise<FenceOutcome> {
    const outcome = await demote(this.#options.redis, demotion);
    if (outcome.kind === 'applied') this.#pauses.end(demotion.address);
    this.#report({ name, action: 'demote', address: demotion.address, outcome });
    return outcome;
  }

  #report(what: {
    readonly name: string;
    readonly action: FenceReport['action'];
    readonly address: Address;
    readonly outcome: FenceOutcome;
  }): void {
    const { name, action, address, outcome } = what;
    const error = outcome.kind === 'failed' ? outcome.error : undefined;
    const refused = outcome.kind === 'applied' ? (outcome.refused ?? []) : [];
    this.#options.onReport({ name, action, address: formatAddress(address), error, refused });
  }
}

function changeKey({ from, to }: { readonly from: Address; readonly to: Address }): string {
  return `${formatAddress(from)} ${formatAddress(to)}`;
}
