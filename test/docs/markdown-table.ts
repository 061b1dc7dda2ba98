import { codesIn, tableRows } from './pages.ts';

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n').replace(/\| {2}(?=\|)/g, '| ');
}

/** A row whose first cells come from the code. The last cell is written by hand, in the page. */
export interface GeneratedRow {
  /** The last word in backticks of the first cell, by which the page's row is found. */
  readonly name: string;
  /** All cells but the last, given those of the page, which may say more than the code knows. */
  readonly cells: (written: readonly string[]) => readonly string[];
}

/**
 * The table of a part with the rows that the code has, in the order of the page, and new ones at its end. Each row keeps its last
 * cell. `missing` is that of a new row, and is reported by a test.
 */
export function tableWithMeanings(head: readonly string[], rows: readonly GeneratedRow[], current: string): string {
  const written = new Map(
    tableRows(current)
      .slice(1)
      .map((cells) => [nameIn(cells[0] ?? ''), cells]),
  );
  const order = [...written.keys()];
  const placeOf = ({ name }: GeneratedRow) => (order.includes(name) ? order.indexOf(name) : order.length);
  const sorted = rows.toSorted((a, b) => placeOf(a) - placeOf(b));
  return table(
    head,
    sorted.map(({ name, cells }) => {
      const before = written.get(name) ?? [];
      return [...cells(before), before.at(-1) || missingMeaning];
    }),
  );
}

/** In place of the last cell of a row that nobody has described. */
export const missingMeaning = 'TO DO: describe it';

function nameIn(cell: string): string {
  return /--[\w-]+/.exec(cell)?.[0] ?? codesIn(cell).at(-1) ?? cell;
}
