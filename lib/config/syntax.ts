import {
  isMap,
  isScalar,
  type Node,
  type Pair,
  visit,
  type YAMLError,
  type YAMLMap,
  type Document as YamlDocument,
} from 'yaml';
import type { Problem } from './problem.ts';

type Explanation = Pick<Problem, 'message' | 'hint'>;

/** Why a text of a config file was not accepted. `lineOf` gives the line of an offset. */
export function explainSyntax(
  error: YAMLError,
  { document, lineOf }: { readonly document: YamlDocument.Parsed; readonly lineOf: (offset: number) => number },
): Explanation {
  if (error.code === 'MULTIPLE_DOCS')
    return { message: 'a second document begins here', hint: 'remove the line `---`, or write two files' };
  // The parser only warns of a tag without a meaning, such as `!include`, and takes the value as it is written.
  if (error.code === 'TAG_RESOLVE_FAILED' && error.name === 'YAMLWarning') {
    const [, tag = ''] = /(\S+)$/.exec(error.message) ?? [];
    return { message: `the tag ${tag} has no meaning here`, hint: 'write the value itself' };
  }
  if (error.code === 'DUPLICATE_KEY') {
    const twice = findSecond(document, error.pos[0]);
    if (twice !== undefined) {
      const message = `the key ${twice.name} is here a second time; the first is in line ${lineOf(twice.firstOffset)}`;
      return { message, hint: 'keep one of them' };
    }
  }
  return { message: `not YAML: ${error.message}` };
}

/** The key at an offset, and the offset of the same key before it in its map. */
function findSecond(
  document: YamlDocument.Parsed,
  offset: number,
): { readonly name: string; readonly firstOffset: number } | undefined {
  let found: ReturnType<typeof findSecond>;
  visit(document, {
    Pair(_, { key }, ancestors) {
      const map = ancestors.at(-1);
      if (offsetOf(key) !== offset || !isScalar(key) || !isMap(map)) return undefined;
      const first = (map as YAMLMap).items.find((other: Pair) => isScalar(other.key) && other.key.value === key.value);
      const firstOffset = offsetOf(first?.key);
      if (firstOffset !== undefined) found = { name: JSON.stringify(key.value), firstOffset };
      return visit.BREAK;
    },
  });
  return found;
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
