import { stripVTControlCharacters, styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Styled on a terminal, plain elsewhere and where NO_COLOR is set. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true });
}

/** Removes control characters: names and messages come from Consul, Redis and files. */
export function stripControls(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}|\p{Cf}/gu, '\uFFFD');
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printJson(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
}

/** Breaks lines that are longer than `columns` between words; not those with a command (`$`), which are to be copied. */
export function fold(text: string, columns: number): string {
  const lines = text.split('\n').flatMap((line) => {
    const [indent = ''] = /^ */.exec(line) ?? [];
    if (line.length <= columns || line.startsWith('$', indent.length)) return [line];
    const folded: string[] = [];
    for (const word of line.trim().split(' ')) {
      const last = folded.at(-1);
      if (last !== undefined && last.length + word.length < columns) folded[folded.length - 1] = `${last} ${word}`;
      else folded.push(`${indent}${word}`);
    }
    return folded;
  });
  return lines.join('\n');
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
