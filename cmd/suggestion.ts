import { findSimilar } from '../lib/config/similar.ts';

/** The end of a message about an unknown name: the most similar one, or `otherwise`. */
export function suggest(
  name: string,
  { among, otherwise }: { readonly among: Iterable<string>; readonly otherwise: string },
): string {
  const similar = findSimilar(name, among);
  return similar === undefined ? otherwise : `did you mean ${similar}?`;
}
