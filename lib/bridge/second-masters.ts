import { sameAddress } from '../model/address.ts';
import type { ObservedSecondMaster } from '../model/judgement/second-masters.ts';
import type { SecondMaster } from '../model/second-master.ts';

/** The servers of one master that answered as a master beside the record's when the bridge asked last, and since when. */
export class SecondMasters {
  #current: readonly ObservedSecondMaster[] = [];

  get current(): readonly ObservedSecondMaster[] {
    return this.#current;
  }

  /** The former master and the replicas were asked. */
  note(found: readonly SecondMaster[], at: Date): void {
    this.#current = found.map((one) => {
      const known = this.#current.find((last) => sameAddress(last.address, one.address));
      return { ...one, since: known?.state === one.state ? known.since : at.toISOString() };
    });
  }

  forget(): void {
    this.#current = [];
  }
}
