import { isScalar, visit, type YAMLError, type YAMLWarning, type Document as YamlDocument } from 'yaml';
import { describeMore, maxMistakes, type Problem } from './problem.ts';

type Explanation = Pick<Problem, 'message' | 'hint' | 'count'>;

export type Mistake = Explanation & { readonly offset: number };

/** Why a text of a config file is not accepted: at most {@link maxMistakes}, and how many more there are. */
export function findMistakes(document: YamlDocument.Parsed, lineOf: (offset: number) => number): readonly Mistake[] {
  const found = [
    ...document.errors.map(explainError),
    ...findRepeatedKeys(document).map((repeated) => explainRepeated(repeated, lineOf)),
    ...document.warnings.filter(({ code }) => code === 'TAG_RESOLVE_FAILED').map(explainTag),
  ].toSorted((a, b) => a.offset - b.offset);
  const next = found[maxMistakes];
  if (next === undefined) return found;
  const more = describeMore(found.length - maxMistakes);
  return [...found.slice(0, maxMistakes), { ...more, offset: next.offset }];
}

function explainError({ code, message, pos: [offset] }: YAMLError): Mistake {
  if (code !== 'MULTIPLE_DOCS') return { message: `not YAML: ${message}`, offset };
  return { message: 'a second document begins here', hint: 'remove the line `---`, or write two files', offset };
}

/** The parser only warns of a tag without a meaning, such as `!include`, and takes the value as it is written. */
function explainTag({ message, pos: [offset] }: YAMLError | YAMLWarning): Mistake {
  const [, tag = ''] = /(\S+)$/.exec(message) ?? [];
  return { message: `the tag ${tag} has no meaning here`, hint: 'write the value itself', offset };
}

interface RepeatedKey {
  readonly key: unknown;
  readonly offset: number;
  readonly firstOffset: number;
}

function explainRepeated({ key, offset, firstOffset }: RepeatedKey, lineOf: (offset: number) => number): Mistake {
  const message = `the key ${JSON.stringify(key)} is here a second time; the first is in line ${lineOf(firstOffset)}`;
  return { message, hint: 'keep one of them', offset };
}

/** Keys that are in their map already. The parser's own check compares each key with all others of its map. */
function findRepeatedKeys(document: YamlDocument.Parsed): readonly RepeatedKey[] {
  const repeated: RepeatedKey[] = [];
  visit(document, {
    Map(_, { items }) {
      const firsts = new Map<unknown, number>();
      for (const { key } of items) {
        const offset = isScalar(key) ? key.range?.[0] : undefined;
        if (!isScalar(key) || offset === undefined) continue;
        const firstOffset = firsts.get(key.value);
        if (firstOffset === undefined) firsts.set(key.value, offset);
        else repeated.push({ key: key.value, offset, firstOffset });
      }
    },
  });
  return repeated;
}
