import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSame, type Outcome, showOutcome } from './outcome.ts';
import type { Pair } from './pair.ts';

/** Why a result may differ from consul-template's, a sentence for each; the docs list them. */
const differences = {
  'several-lines':
    'A value with a new line or a control character is refused. In the format `text`, print it with `raw`.',
  empty: 'An empty name or path is an error, and so is an empty part within the path of a key.',
  dots: 'A part of a path of a key that is one dot or two is an error: Consul would read another key.',
  unasked:
    'A service or node whose name has such a part is unknown, with a warning, so that nobody who registers one stops a render.',
  order:
    'A literal after a computed value is the order of arguments of earlier versions: it is an error that names the right order.',
  lenient:
    'What consul-template refuses because of its type may be a value: texts that are numbers, numbers in place of texts, whole numbers beside others, space around them, base64 without padding, lists of texts, objects from YAML.',
  numbers: 'Numbers are printed in full.',
  infinite: 'A result that is no number, such as a quotient by 0.0, is an error.',
  missing: 'A missing value cannot be printed. consul-template prints a mark in its place.',
  collection: '`in` and `contains` take a list or a text. With anything else they are errors, not false.',
  printf:
    'In `printf`, a verb without its value, or with another kind of value, is an error, not a mark in the text. So are rare verbs.',
  bytes: 'Bytes that are no UTF-8 text are an error.',
  folded:
    'In YAML, long texts and names stay on one line, and =, << and what some reader takes for a line break are in quotes.',
  collections: 'A list or an object cannot be printed: print a field, or use `join`, `toJSON` or `printf "%v"`.',
  null: 'Null in the place of a list or an object is an error.',
  rare: 'Some rare forms are errors: `index` and `slice` without a place or of a letter, `urlquery` of several values, hexadecimal digits and underscores in `parseFloat`, two groups of the same name, several documents in `parseYAML`.',
  fields: 'Objects have the names of fields that this page lists.',
  absent: 'Vault, Nomad, Consul Enterprise, sprig and programs are not there. The error says what to do.',
} as const;
export type DifferenceName = keyof typeof differences;

export interface Results {
  readonly theirs: readonly Outcome[];
  readonly ours: readonly Outcome[];
}

const page = join(import.meta.dirname, '../../docs/reference/templates.md');
const begin = '<!-- differences from consul-template: written by `npm run test:consul-template -- --write` -->';
const end = '<!-- end of the differences -->';

/** Results that differ without a reason, and reasons of pairs that are the same. */
export function describeMistakes(pairs: readonly Pair[], { theirs, ours }: Results): readonly string[] {
  return pairs.flatMap((pair, i) => {
    const [their, our] = [theirs[i], ours[i]];
    if (their === undefined || our === undefined) return [`no result: ${pair.consulTemplate}`];
    const same = isSame(their, our);
    if (same === (pair.differs === undefined)) return [];
    if (same) return [`the same, but listed as "${pair.differs}": ${pair.switchmaster}`];
    return [
      `different: ${pair.consulTemplate}\n  consul-template: ${showOutcome(their)}\n  ${pair.switchmaster}\n  switchmaster:    ${showOutcome(our)}`,
    ];
  });
}

/** The table of the docs: each difference with its first pair. */
export function formatTable(pairs: readonly Pair[], { theirs, ours }: Results): string {
  const rows = Object.entries(differences).flatMap(([name, text]) => {
    const i = pairs.findIndex((pair) => pair.differs === name);
    const [pair, their, our] = [pairs[i], theirs[i], ours[i]];
    if (pair === undefined || their === undefined || our === undefined) return [];
    return [`| ${text} | ${code(pair.switchmaster)} | ${cell(their)} | ${cell(our)} |`];
  });
  const same = pairs.filter(({ differs }) => differs === undefined).length;
  return [
    `Of ${pairs.length} templates that a test renders with both programs, ${same} give the same. The others differ as follows.`,
    '',
    '| difference | template | consul-template | switchmaster |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

export async function readTable(): Promise<string> {
  const text = await readFile(page, 'utf8');
  return text.slice(text.indexOf(begin) + begin.length, text.indexOf(end)).trim();
}

export async function writeTable(pairs: readonly Pair[], results: Results): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [before, after] = [text.indexOf(begin) + begin.length, text.indexOf(end)];
  if (before < begin.length || after < 0) throw new Error(`${page} has no place for the differences`);
  await writeFile(page, `${text.slice(0, before)}\n\n${formatTable(pairs, results)}\n\n${text.slice(after)}`);
}

function cell(outcome: Outcome): string {
  if (outcome.kind !== 'text') return outcome.kind === 'waits' ? 'waits' : 'an error';
  return outcome.text === '' ? 'an empty text' : code(outcome.text.trimEnd().replaceAll('\n', ' ⏎ '));
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|').replaceAll('\n', ' ⏎ ')}\``;
}
