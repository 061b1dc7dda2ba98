import { type Address, sameAddress } from '../model/address.ts';

/** What is wrong with a master by the last answers: nobody reaches it, or it answers as a replica. */
type MasterFault = 'unreached' | 'as-replica';

/** Since when each fault of one master has lasted. */
export class MasterFaults {
  readonly #since = new Map<MasterFault, { readonly master: Address; readonly sinceMs: number }>();

  /** The bridge finds this fault of `master` at `nowMs`: for how long it has lasted. */
  lastedMs(fault: MasterFault, { master, nowMs }: { readonly master: Address; readonly nowMs: number }): number {
    const last = this.#since.get(fault);
    const known = last !== undefined && sameAddress(last.master, master) ? last : { master, sinceMs: nowMs };
    this.#since.set(fault, known);
    return nowMs - known.sinceMs;
  }

  /** The fault is over. */
  recovered(fault: MasterFault): void {
    this.#since.delete(fault);
  }

  forget(): void {
    this.#since.clear();
  }
}
