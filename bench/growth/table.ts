import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { drawPlot, type Plot } from './plot.ts';

export type Row = Readonly<Record<string, number | string>>;

/** Lines with a header; no value has a comma or a quote. */
function formatCsv(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  return [columns.join(','), ...rows.map((row) => columns.map((column) => row[column] ?? '').join(','))]
    .map((line) => `${line}\n`)
    .join('');
}

/** For people: one column a row of the table, because a part has more quantities than sizes. */
export function formatTable(rows: readonly Row[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const labelWidth = Math.max(...columns.map(({ length }) => length));
  return columns
    .map((column) => {
      const cells = rows.map((row) => String(row[column] ?? '').padStart(11));
      return `${column.padEnd(labelWidth)}${cells.join('')}\n`;
    })
    .join('');
}

/** A plot of some columns against another one; with `by`, a line for each of its values. */
export interface PlotSpec extends Pick<Plot, 'title' | 'xLabel' | 'yLabel'> {
  readonly file: string;
  readonly x: string;
  readonly y: Readonly<Record<string, string>>;
  readonly by?: string;
}

function plotOf(rows: readonly Row[], { x, y, by, ...plot }: PlotSpec): Plot {
  const groups = by === undefined ? [['', rows] as const] : [...Map.groupBy(rows, (row) => `${by} ${row[by]}`)];
  const lines = groups.flatMap(([group, members]) =>
    Object.entries(y).map(([column, label]) => ({
      label: [label, group].filter(Boolean).join(', '),
      points: members.map((row) => ({ x: Number(row[x]), y: Number(row[column]) })),
    })),
  );
  return { ...plot, lines };
}

/** Writes a part's CSV file and its plots. */
export function saveTable(
  folder: string,
  { name, rows, plots }: { readonly name: string; readonly rows: readonly Row[]; readonly plots: readonly PlotSpec[] },
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.csv`), formatCsv(rows));
  for (const plot of plots) writeFileSync(path.join(folder, `${plot.file}.svg`), drawPlot(plotOf(rows, plot)));
}
