/**
 * The state that the page shows.
 *
 * @import { Entry, World } from './api.d.ts'
 */
import { unknownHealth } from './health.js';

/** @returns {World} The state before the first answer. */
export function emptyWorld() {
  return {
    masters: new Map(),
    templates: new Map(),
    clusters: new Map(),
    instances: [],
    entries: [],
    health: unknownHealth,
    node: undefined,
    guide: new Map(),
    link: { kind: 'connecting' },
    filter: '',
  };
}

/**
 * @template {{ name: string }} T
 * @param {readonly T[]} items
 * @returns {Map<string, T>}
 */
export function byName(items) {
  return new Map(items.toSorted((a, b) => collator.compare(a.name, b.name)).map((item) => [item.name, item]));
}

/**
 * Of each item that did not change visibly, the object of before, so that the page need not compare it again.
 * @template {{ name: string }} T
 * @param {readonly T[]} items
 * @param {ReadonlyMap<string, T>} before
 * @param {(item: T) => string} visible
 * @returns {readonly T[]}
 */
export function keepUnchanged(items, before, visible) {
  return items.map((item) => {
    const old = before.get(item.name);
    return old !== undefined && visible(old) === visible(item) ? old : item;
  });
}

/**
 * Newest first. A repeated entry comes again when its count has doubled.
 * @param {readonly Entry[]} known
 * @param {readonly Entry[]} fresh
 * @returns {Entry[]}
 */
export function mergeEntries(known, fresh) {
  const newest = new Map(fresh.map(({ firstId, id }) => [firstId, id]));
  const kept = [...fresh, ...known].filter(({ firstId, id }) => id === (newest.get(firstId) ?? id));
  return kept.sort((a, b) => b.id - a.id);
}

/** shard2 before shard10. */
const collator = new Intl.Collator('en', { numeric: true });
