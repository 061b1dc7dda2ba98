/** One line of a comparison: on both sides, only before, or only after. */
export interface DiffLine {
  readonly side: ' ' | '-' | '+';
  readonly text: string;
}

/** Lines around a change that are shown with it. */
const contextLines = 3;
/** Beyond this many lines that differ, the middle is shown as replaced whole: the table would be too large. */
const maxCells = 4_000_000;

/** Compares two texts line by line; runs of equal lines are shortened to what surrounds a change. */
export function diffLines(before: string, after: string): readonly DiffLine[] {
  const [old, fresh] = [splitLines(before), splitLines(after)];
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head += 1;
  let tail = 0;
  const most = Math.min(old.length, fresh.length) - head;
  while (tail < most && old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]) tail += 1;
  const middle = compare(old.slice(head, old.length - tail), fresh.slice(head, fresh.length - tail));
  const equal = (text: string): DiffLine => ({ side: ' ', text });
  const all = [...old.slice(0, head).map(equal), ...middle, ...old.slice(old.length - tail, old.length).map(equal)];
  return shorten(all);
}

function splitLines(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** The longest common subsequence, by its table. */
function compare(old: readonly string[], fresh: readonly string[]): readonly DiffLine[] {
  const removed = (text: string): DiffLine => ({ side: '-', text });
  const added = (text: string): DiffLine => ({ side: '+', text });
  const width = fresh.length + 1;
  if ((old.length + 1) * width > maxCells) return [...old.map(removed), ...fresh.map(added)];
  const table = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number) => table[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      table[i * width + j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      lines.push({ side: ' ', text: old[i] ?? '' });
      i += 1;
      j += 1;
    } else if (j >= fresh.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(removed(old[i] ?? ''));
      i += 1;
    } else {
      lines.push(added(fresh[j] ?? ''));
      j += 1;
    }
  }
  return lines;
}

function shorten(lines: readonly DiffLine[]): readonly DiffLine[] {
  const near = new Set<number>();
  for (const [i, { side }] of lines.entries()) {
    if (side === ' ') continue;
    for (let k = i - contextLines; k <= i + contextLines; k++) near.add(k);
  }
  return lines.filter((_, i) => near.has(i));
}
