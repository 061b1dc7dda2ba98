import { AsyncLocalStorage } from 'node:async_hooks';
// A default import: an older Node.js does not have the name, and must still get to the check of its version.
import util from 'node:util';

type Style = Parameters<typeof util.styleText>[0];

/** Styled on a terminal, plain elsewhere and where NO_COLOR is set. */
export function styled(style: Style, text: string): string {
  return util.styleText(style, text, { stream: process.stdout, validateStream: true });
}

/** One line without control characters: names and messages come from Consul, Redis and files. */
export function stripControls(text: string): string {
  return util.stripVTControlCharacters(text.replace(/\s*[\n\t]\s*/g, ' ')).replace(/\p{Cc}|\p{Cf}/gu, '\uFFFD');
}

/** On a terminal, long lines are folded. */
export function printLine(line: string): void {
  process.stdout.write(`${fold(line, columnsOf(process.stdout))}\n`);
}

/** The width of the terminal; infinite for anything else, and for a terminal without a known width. */
export function columnsOf({ isTTY, columns }: { readonly isTTY?: boolean; readonly columns?: number }): number {
  return isTTY === true && columns !== undefined && columns > 0 ? columns : Number.POSITIVE_INFINITY;
}

type StringifyYaml = (value: unknown, options: { readonly lineWidth: number }) => string;

const dataFormat = new AsyncLocalStorage<{ stringifyYaml: StringifyYaml | undefined }>();

/**
 * Runs a command that prints JSON until it sets another format. One process may run several at a time. Without this, a command
 * prints JSON. It makes every promise of the process slower, so the daemon does not use it.
 */
export function withDataFormat<T>(run: () => Promise<T>): Promise<T> {
  return dataFormat.run({ stringifyYaml: undefined }, run);
}

/** How the running command prints data for programs: as JSON, or as YAML with this function, which few commands need. */
export function setDataFormat(stringify: StringifyYaml | undefined): void {
  const format = dataFormat.getStore();
  if (format !== undefined) format.stringifyYaml = stringify;
}

/** Prints data for programs, as JSON or as YAML. */
export function printJson(answer: unknown): void {
  const json = JSON.stringify(answer, null, 2);
  const stringifyYaml = dataFormat.getStore()?.stringifyYaml;
  process.stdout.write(stringifyYaml === undefined ? `${json}\n` : stringifyYaml(JSON.parse(json), { lineWidth: 0 }));
}

/**
 * Breaks lines that are longer than `columns` between words. Lines with a command (`$`) stay whole, because people copy
 * them. The lines of a tree stay connected. Colours have no width.
 */
export function fold(text: string, columns: number): string {
  const lines = text.split('\n').flatMap((line) => {
    const [indent = ''] = /^[ │├└─]*/.exec(line) ?? [];
    if (widthOf(line) <= columns || line.startsWith('$', indent.length)) return [line];
    const further = indent.replace(/[├─└]/g, (sign) => (sign === '├' ? '│' : ' '));
    const folded: string[] = [];
    for (const word of line.slice(indent.length).trimEnd().split(' ')) {
      const last = folded.at(-1);
      if (last !== undefined && widthOf(last) + widthOf(word) < columns) folded[folded.length - 1] = `${last} ${word}`;
      else if (word !== '') folded.push(`${last === undefined ? indent : further}${word}`);
    }
    return folded.map((part) => part.trimEnd());
  });
  return lines.join('\n');
}

function widthOf(text: string): number {
  return util.stripVTControlCharacters(text).length;
}

/** Rows as aligned columns, the titles first. */
export function drawTable(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => widthOf(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
      .join('  ')
      .trimEnd(),
  );
}

/** A node of a tree that is drawn with lines. */
export interface Branch {
  readonly text: string;
  readonly branches?: readonly Branch[];
}

/** One line a node, children below it and to its right. */
export function drawTree(branch: Branch, indent = ''): readonly string[] {
  const branches = branch.branches ?? [];
  const lines = branches.flatMap((child, i) => {
    const last = i === branches.length - 1;
    const [head = '', ...rest] = drawTree(child, `${indent}${last ? '   ' : '│  '}`);
    return [`${indent}${last ? '└─ ' : '├─ '}${head}`, ...rest];
  });
  return [branch.text, ...lines];
}
