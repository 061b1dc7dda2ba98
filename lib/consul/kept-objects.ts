import { isDeepStrictEqual } from 'node:util';
import type { CatalogNode, KvEntry, ServiceInstance } from '../model/catalog.ts';
import type { ConsulAnswers, ConsulQuery } from '../model/query.ts';

type Value = ConsulAnswers[ConsulQuery['kind']];

/**
 * The later answer, with the objects of keys and instances that did not change: what was made of one of them stays valid, so
 * a change of one among thousands costs no more than itself. `before` is undefined where nothing was read yet.
 */
export function keepUnchanged(before: Value, after: Value): Value {
  if (before === after) return after;
  if (!Array.isArray(before) || !Array.isArray(after)) return after;
  const known = new Map(before.map((item: Item) => [identify(item), item]));
  const kept = after.map((item: Item) => {
    const former = known.get(identify(item));
    return former !== undefined && isSame(former, item) ? former : item;
  });
  return kept as typeof after;
}

type Item = KvEntry | ServiceInstance | CatalogNode | string;

/** There are few names of datacenters and nodes, and nothing is computed from a single one. */
function identify(item: Item): string | undefined {
  if (typeof item !== 'object') return undefined;
  if ('modifyIndex' in item) return item.key;
  return 'checks' in item ? `${item.node} ${item.id}` : undefined;
}

function isSame(a: Item, b: Item): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || !('modifyIndex' in a && 'modifyIndex' in b))
    return isDeepStrictEqual(a, b);
  return a.modifyIndex === b.modifyIndex && a.value === b.value && a.base64 === b.base64 && a.session === b.session;
}
