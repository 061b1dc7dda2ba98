import { isRefusal } from '../../client/redis-errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import { demote, disconnectClients, type FenceOutcome, pauseWritesSoon, releaseWrites } from '../apply/fence.ts';
import type { FenceReport, FencerOptions } from './enforcement.ts';
import { Pauses } from './pauses.ts';
import type { PauseReason } from './plan.ts';

/** The actions on a master's servers, each of them reported, and what this bridge has paused. */
export class FenceActions {
  readonly pauses = new Pauses();
  readonly #options: FencerOptions;

  constructor(options: FencerOptions) {
    this.#options = options;
  }

  /** A pause that is reported only where the server carries it out or refuses it: a dead one does neither. */
  async hold(
    name: string,
    pause: { readonly action: 'pause-before-promotion' | 'pause'; readonly address: Address; readonly pauseMs: number },
  ): Promise<void> {
    if (this.#options.settings.fence === 'none' || this.isHeld(name)) return;
    const { action, address } = pause;
    const outcome = await pauseWritesSoon(this.#options.redis, pause);
    if (outcome.kind === 'applied') this.pauses.begin(name, pause);
    else if (!isRefusal(outcome.error)) return;
    this.#report({ name, action, address, outcome });
  }

  async pause(name: string, pause: { readonly address: Address; readonly pauseMs: number }): Promise<FenceOutcome> {
    const outcome = await pauseWritesSoon(this.#options.redis, pause);
    if (outcome.kind === 'applied') this.pauses.begin(name, pause);
    this.#report({ name, action: 'pause', address: pause.address, outcome });
    return outcome;
  }

  /** Whether nothing may be done to a master's servers. */
  isHeld(name: string): boolean {
    return this.#options.whyNot(name) !== undefined;
  }

  /** A pause that counts into the time for which this one may last. */
  async renewPause(
    name: string,
    pause: { readonly address: Address; readonly pauseMs: number; readonly reason: PauseReason },
  ): Promise<FenceOutcome> {
    const outcome = await this.pause(name, pause);
    // Without an answer in time, the server may have carried it out.
    if (outcome.kind === 'applied' || outcome.error.code === 'redis-timeout')
      this.pauses.renew(pause.address, pause.reason);
    return outcome;
  }

  async release(name: string, address: Address): Promise<void> {
    const outcome = await releaseWrites(this.#options.redis, address);
    if (outcome.kind === 'applied') this.pauses.end(address);
    this.#report({ name, action: 'release', address, outcome });
  }

  async disconnectClients(name: string, address: Address): Promise<void> {
    const outcome = await disconnectClients(this.#options.redis, address);
    this.#report({ name, action: 'disconnect', address, outcome });
  }

  async demote(name: string, demotion: { readonly address: Address; readonly master: Address }): Promise<FenceOutcome> {
    const outcome = await demote(this.#options.redis, demotion);
    if (outcome.kind === 'applied') this.pauses.end(demotion.address);
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
