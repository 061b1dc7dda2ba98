import { performance } from 'node:perf_hooks';
import type { UntrustedRecord } from '../model/trust.ts';

/**
 * An older or unproven record is followed if it stays for this time. A bridge replaces one that the Sentinels contradict sooner,
 * and a Consul that starts has read its log by then.
 */
const lastingMs = 10_000;
/** A timer may fire a little early. */
const timerMs = 10;

/** How long records that are not followed for now have stayed the same. */
export class LastingRecords {
  readonly #since = new Map<string, { readonly seen: string | undefined; readonly sinceMs: number }>();
  readonly #onLasting: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `onLasting` is called when one may have stayed long enough. */
  constructor(onLasting: () => void) {
    this.#onLasting = onLasting;
  }

  /** The masters whose record has stayed long enough. */
  get lasting(): ReadonlySet<string> {
    const untilMs = performance.now() - lastingMs;
    return new Set([...this.#since].flatMap(([name, { sinceMs }]) => (sinceMs <= untilMs ? [name] : [])));
  }

  /** Takes the records that are not followed now. */
  note(held: readonly UntrustedRecord[]): void {
    const noted = held.filter(({ reason }) => reason === 'older' || reason === 'unproven');
    const seenNow = new Map(noted.map(({ name, seen }) => [name, seen]));
    for (const [name, known] of this.#since) if (seenNow.get(name) !== known.seen) this.#since.delete(name);
    for (const [name, seen] of seenNow)
      if (!this.#since.has(name)) this.#since.set(name, { seen, sinceMs: performance.now() });
    if (this.#since.size === 0) this.close();
    else this.#timer ??= setTimeout(() => this.#ring(), lastingMs + timerMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #ring(): void {
    this.#timer = undefined;
    this.#onLasting();
  }
}
