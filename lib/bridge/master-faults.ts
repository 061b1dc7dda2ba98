import { type Address, sameAddress } from '../model/address.ts';
import type { MasterCheckCode } from '../model/master-check.ts';

/**
 * What is wrong with a master by the last answers: nobody reaches it, this bridge does not, it answers as a replica, or no Sentinel has
 * seen one of its replicas.
 */
type MasterFault = 'unreached' | 'unanswered' | 'as-replica' | 'unseen-replica';

/** Since when each fault of one master has lasted. */
export class MasterFaults {
  #held: { readonly code: MasterCheckCode | undefined; readonly master: Address; readonly sinceMs: number } | undefined;
  /** undefined while there is none. */
  #since: Map<MasterFault, { readonly master: Address; readonly sinceMs: number }> | undefined;

  /** The bridge finds this fault of `master` at `nowMs`: for how long it has lasted. */
  lastedMs(fault: MasterFault, { master, nowMs }: { readonly master: Address; readonly nowMs: number }): number {
    const last = this.#since?.get(fault);
    const known = last !== undefined && sameAddress(last.master, master) ? last : { master, sinceMs: nowMs };
    this.#since ??= new Map();
    this.#since.set(fault, known);
    return nowMs - known.sinceMs;
  }

  /** The check of `master` in Consul has this code at `nowMs`: for how long the bridge has seen it so. */
  heldMs(
    code: MasterCheckCode | undefined,
    { master, nowMs }: { readonly master: Address; readonly nowMs: number },
  ): number {
    const last = this.#held;
    const isSame = last !== undefined && last.code === code && sameAddress(last.master, master);
    this.#held = isSame ? last : { code, master, sinceMs: nowMs };
    return nowMs - this.#held.sinceMs;
  }

  /** The fault is over. */
  recovered(fault: MasterFault): void {
    this.#since?.delete(fault);
    if (this.#since?.size === 0) this.#since = undefined;
  }

  forget(): void {
    this.#since = undefined;
    this.#held = undefined;
  }
}
