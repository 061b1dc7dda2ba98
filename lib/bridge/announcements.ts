import { type Address, formatAddress } from '../model/address.ts';

/** A Sentinel said that a master changed. `lookAt` is where to look first, and is never believed. */
export interface Announcement {
  readonly sentinel: Address;
  readonly lookAt: Address | undefined;
}

/** What was announced of each master and not looked at yet, and the runs that are to know of it at once. */
export class Announcements {
  readonly #pending = new Map<string, Map<string, Announcement>>();
  readonly #hurries = new Map<string, AbortController>();

  /** The last one of each Sentinel counts. */
  add(name: string, announcement: Announcement): void {
    const pending = this.#pending.get(name) ?? new Map<string, Announcement>();
    pending.set(formatAddress(announcement.sentinel), announcement);
    this.#pending.set(name, pending);
    this.#hurries.get(name)?.abort();
  }

  /** All that have come since the last time. */
  take(name: string): readonly Announcement[] {
    const announced = [...(this.#pending.get(name)?.values() ?? [])];
    this.#pending.delete(name);
    return announced;
  }

  /** Ends with the next announcement of `name`; the signal before this one is forgotten. */
  hurry(name: string): AbortSignal {
    const hurry = new AbortController();
    this.#hurries.set(name, hurry);
    return hurry.signal;
  }
}
