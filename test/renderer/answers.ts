import { setImmediate as nextTurn } from 'node:timers/promises';
import type { WatchEvent } from '../../lib/consul/watch-state.ts';
import type { Watches } from '../../lib/consul/watches.ts';
import { queryId } from '../../lib/model/query.ts';

/** Watches whose answers a test gives. */
export class Answers implements Watches {
  readonly #values = new Map<string, unknown>();
  readonly #listeners = new Map<string, Set<(event: WatchEvent) => void>>();
  /** Consul's index of every answer, and how often it fell. */
  index = 1n;
  resets = 0;
  /** Called with the id of each new watch. */
  onFollow: (id: string) => void = () => undefined;
  /** Called each time that somebody reads a value. */
  onRead: (id: string) => void = () => undefined;

  /** Answers a query, or changes its answer. */
  give(id: string, value: unknown): void {
    const event = this.#values.has(id) ? 'value' : 'state';
    this.#values.set(id, value);
    for (const listener of this.#listeners.get(id) ?? []) listener(event);
  }

  follow: Watches['follow'] = (query, onChange) => {
    const id = queryId(query);
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(onChange));
    this.onFollow(id);
    const readState = () => {
      const value = this.#values.get(id);
      this.onRead(id);
      return value === undefined
        ? { kind: 'pending' }
        : { kind: 'current', value, index: this.index, resets: this.resets };
    };
    return {
      query,
      get state() {
        return readState() as never;
      },
      release: () => void listeners.delete(onChange),
    };
  };
}

export async function passTurns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}
