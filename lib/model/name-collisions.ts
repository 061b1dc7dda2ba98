import { Memo } from './memo.ts';
import { collisions } from './naming.ts';

/** Finds the names that collide with one name. While the list stays the same one, it is compared only once. */
export class NameCollisions {
  readonly #groups = new Memo<ReadonlyMap<string, readonly string[]>>();

  /** The names of `names` that DNS cannot distinguish, `name` among them; undefined if there is no other. */
  groupOf(name: string, names: readonly string[]): readonly string[] | undefined {
    return this.#groups.get([names], () => groupsByName(names)).get(name);
  }
}

function groupsByName(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return new Map(collisions(names).flatMap((group) => group.map((name) => [name, group] as const)));
}
