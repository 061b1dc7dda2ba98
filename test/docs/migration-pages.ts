import type { Page } from './pages.ts';

/** A file that a page shows, or a command. */
export interface ShownFile {
  readonly name: string;
  readonly text: string;
}

/** Files that a page shows: a block below its name in backticks. Results are below `imported/`. */
export function filesOf({ text }: Page): readonly ShownFile[] {
  return [...text.matchAll(/^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$/gms)].map(([, name = '', content = '']) => ({
    name,
    text: content,
  }));
}

/** The words of each command of switchmaster that a page shows, also within a list. */
export function commandsOf({ text }: Page): readonly (readonly string[])[] {
  return [...text.matchAll(/^( *)```(\w*)[^\n]*\n(.*?)^\1```$/gms)]
    .filter(([, , language]) => language === '' || language === 'sh')
    .flatMap(([, , , content = '']) => content.split('\n'))
    .map((line) => line.trim())
    .filter((line) => line.startsWith('switchmaster '))
    .map((line) => line.split(/\s+/).slice(1));
}
