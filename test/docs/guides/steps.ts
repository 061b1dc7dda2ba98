import { blocksOf, type Page } from '../pages.ts';

/*
 * What a reader does with the fenced blocks of a guide. The words after a block's language say it; readers do not see them:
 *
 *   ```yaml file=/etc/switchmaster/switchmaster.yml    the reader writes the file
 *   ```sh run                                          the reader runs the commands; each must succeed
 *   ```sh run=fails                                    ... and the last one fails
 *   ```redis each=6379,6380                             the reader sends the commands to each Redis or Sentinel with one of the ports
 *   ```text shows                                      what the commands above print
 *   ```text shows=eventually                           ... after repeating them for some seconds
 *   ```sh aside                                        nothing: another way, or a step that needs the internet
 *
 * `on=NAME` names the machine, and `on=NAME,NAME` several, one after the other. Without it, it is the first one of the guide's scene.
 */

interface Place {
  /** Of the block, in the page. */
  readonly line: number;
  /** None: the first one. */
  readonly machines: readonly string[];
  readonly content: string;
}

export type Step =
  | (Place & { readonly kind: 'file'; readonly path: string })
  | (Place & { readonly kind: 'commands'; readonly ends: 'well' | 'failing' })
  | (Place & { readonly kind: 'redis'; readonly ports: readonly number[] })
  | (Place & { readonly kind: 'output'; readonly reading: 'once' | 'eventually' })
  | (Place & { readonly kind: 'aside' });

/** Throws if a block does not say what the reader does with it, or if there are no commands above an output. */
export function stepsOf(page: Page): readonly Step[] {
  const steps = blocksOf(page).map((block) => {
    const words = new Map(block.info.map((word) => splitWord(word)));
    const place = { line: block.line, machines: words.get('on')?.split(',') ?? [], content: block.content };
    const step = stepOf(place, words);
    if (step === undefined)
      throw new Error(`${page.file}:${block.line}: the block's first line must say file=, run, each=, shows or aside`);
    return step;
  });
  for (const [i, step] of steps.entries())
    if (step.kind === 'output' && steps[i - 1]?.kind !== 'commands')
      throw new Error(`${page.file}:${step.line}: there are no commands above the output`);
  return steps;
}

function splitWord(word: string): readonly [string, string] {
  const at = word.indexOf('=');
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}

function stepOf(place: Place, words: ReadonlyMap<string, string>): Step | undefined {
  const path = words.get('file');
  if (path?.startsWith('/')) return { ...place, kind: 'file', path };
  const run = words.get('run');
  if (run === '' || run === 'fails') return { ...place, kind: 'commands', ends: run === '' ? 'well' : 'failing' };
  const ports = (words.get('each') ?? '').split(',').map(Number);
  if (ports.every((port) => port > 0)) return { ...place, kind: 'redis', ports };
  const shows = words.get('shows');
  if (shows === '' || shows === 'eventually')
    return { ...place, kind: 'output', reading: shows === '' ? 'once' : 'eventually' };
  return words.has('aside') ? { ...place, kind: 'aside' } : undefined;
}
