/** Figures that differ from run to run. */
const varying: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?Z?/g, '<date>'],
  [/\b\d\d:\d\d:\d\d(?:\.\d+)?\b/g, '<time>'],
  [/\b[\d.,]+ (?:ms|s|min|h|d)\b( ago)?/g, '<duration>'],
  [/\b(epoch|offset|up to) \d+/g, '$1 <number>'],
  [/[ \t\r]+/g, ' '],
  [/ $/gm, ''],
];

/**
 * Whether a text contains, line by line, what a page shows. Times, ages, dates, epochs, offsets and the width of spaces may differ. `…` stands
 * for any text in a line, and a line of its own for any lines.
 */
export function containsShown(text: string, shown: string): boolean {
  const lines = normalized(shown.trimEnd()).split('\n').map(linePattern).join('');
  return new RegExp(`^${lines}`, 'm').test(`${normalized(text.trimEnd())}\n`);
}

function normalized(text: string): string {
  return varying.reduce((before, [figure, name]) => before.replace(figure, name), text);
}

function linePattern(line: string): string {
  if (line.trim() === '…') return String.raw`(?:[^\n]*\n)*?`;
  const literal = line.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return `${literal.replaceAll('…', String.raw`[^\n]*`)}\n`;
}
