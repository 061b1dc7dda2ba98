/**
 * The state that the page shows.
 *
 * @import { World } from './api.d.ts'
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
    version: '',
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

/** shard2 before shard10. */
const collator = new Intl.Collator('en', { numeric: true });
