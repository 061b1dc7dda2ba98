import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export const projectDir = path.resolve(import.meta.dirname, '../..');

/** A page of the documentation. */
export interface Page {
  /** Below the project's folder: `docs/reference/config.md`. */
  readonly file: string;
  readonly text: string;
}

/** README, changelog and everything below docs/, by name. */
export async function readPages(): Promise<readonly Page[]> {
  const names = await readdir(path.join(projectDir, 'docs'), { recursive: true });
  const docs = names.filter((name) => name.endsWith('.md')).map((name) => path.join('docs', name));
  const files = ['README.md', 'CHANGELOG.md', 'test/sandbox/README.md', ...docs.sort()];
  return Promise.all(files.map(readPage));
}

export async function readPage(file: string): Promise<Page> {
  return { file, text: await readFile(path.join(projectDir, file), 'utf8') };
}

/** A fenced block: its language, the words after it, its content, and the line it begins at. */
export interface Block {
  readonly language: string;
  /** Readers do not see them; test/docs/guides/steps.ts has their meaning. */
  readonly info: readonly string[];
  readonly content: string;
  readonly line: number;
}

export function blocksOf({ text }: Page): readonly Block[] {
  return [...text.matchAll(/^( *)```(\w*)([^\n]*)\n(.*?)^\1```$/gms)].map((match) => {
    const [, indent = '', language = '', info = '', content = ''] = match;
    return {
      language,
      info: info.split(' ').filter((word) => word !== ''),
      content: content.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      line: text.slice(0, match.index).split('\n').length,
    };
  });
}

/** The text without fenced blocks: brackets and backticks have another meaning there. */
export function proseOf({ text }: Page): string {
  return text.replace(/^( *)```.*?^\1```$/gms, '');
}

/** Rows of every table: their cells, trimmed. A `\|` within a cell is a plain one. */
export function tableRows(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => /^\s*\|.*\|\s*$/.test(line) && !/^[\s|:-]+$/.test(line))
    .map((line) =>
      line
        .trim()
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.replaceAll('\\|', '|').trim()),
    );
}

/** The words in backticks in a cell. */
export function codesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

/** The part of a page below a heading, to the next heading of the same or a higher level. */
export function sectionOf(text: string, heading: string): string | undefined {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.replace(/^#+\s+/, '') === heading && line.startsWith('#'));
  if (start < 0) return undefined;
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 1;
  const length = lines.slice(start + 1).findIndex((line) => (/^#+(?=\s)/.exec(line)?.[0].length ?? 99) <= level);
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** GitHub's anchors of a page: those of its headings, and those that it sets by `<a id>`. */
export function anchorsOf(page: Page): ReadonlySet<string> {
  const prose = proseOf(page);
  const headings = [...prose.matchAll(/^#+\s+(.+)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
  const set = [...prose.matchAll(/<a id="([^"]+)">/g)].map((match) => match[1] ?? '');
  return new Set([...headings, ...set]);
}
