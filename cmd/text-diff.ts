import { structuredPatch } from 'diff';

/** One line of a comparison: in both texts, only in the one before, or only in the one after. */
export interface DiffLine {
  readonly side: ' ' | '-' | '+';
  readonly text: string;
}

/** Unchanged lines that are shown around a change. */
const contextLines = 3;
/** Texts with more differing lines are shown as replaced whole: the comparison would take seconds. */
const maxEditLength = 4_000;

/** Compares two texts line by line. Unchanged lines further than {@link contextLines} from a change are left out. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const options = { context: contextLines, maxEditLength };
  const patch = structuredPatch('', '', endLine(before), endLine(after), undefined, undefined, options);
  if (patch === undefined) return [...readLines(before, '-'), ...readLines(after, '+')];
  return patch.hunks.flatMap(({ lines }) => lines.map(readLine));
}

/** A missing newline at the end is not shown as a change of the last line. */
function endLine(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function readLines(text: string, side: DiffLine['side']): readonly DiffLine[] {
  return text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => ({ side, text: line }));
}

function readLine(line: string): DiffLine {
  return { side: line.slice(0, 1) as DiffLine['side'], text: line.slice(1) };
}
