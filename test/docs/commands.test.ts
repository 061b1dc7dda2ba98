import { CommanderError } from 'commander';
import t from 'tap';
import { arrangeArguments } from '../../cmd/arguments.ts';
import { makeProgram } from '../../cmd/program.ts';
import { blocksOf, codesIn, type Page, proseOf, readPages } from './pages.ts';

interface Shown {
  readonly words: readonly string[];
  readonly text: string;
}

/** Each command of switchmaster in a page: in its blocks for a shell, and between backticks in its text. */
function commandsOf(page: Page): readonly Shown[] {
  const lines = blocksOf(page)
    .filter(({ language }) => ['', 'sh', 'text'].includes(language))
    .flatMap(({ content }) => content.replaceAll('\\\n', ' ').split('\n'));
  const inText = codesIn(proseOf(page).replaceAll('\n', ' '));
  // A synopsis has <name> or [name].
  const typed = [...lines, ...inText].filter((line) => !/switchmaster [^#]*[<[]\w/.test(line));
  return typed.flatMap((line) =>
    line
      .replace(/(?:^|\s)#.*$/, '')
      .split(/\s*(?:\||&&|;|>|\$\()\s*/)
      .map((part) => part.trim().replace(/^\$ /, ''))
      .filter((part) => part.startsWith('switchmaster '))
      .map((text) => ({ text, words: wordsOf(text).slice(1) })),
  );
}

/** As a shell splits a simple command. */
function wordsOf(text: string): readonly string[] {
  const words = text.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

/** HOST:PORT, KIND, M: the reader writes a value of his own. A text in `…` is cut. */
const isPlaceholder = (word: string) => /^[A-Z]+(?:[:.-][A-Z]+)*$/.test(word) || word.includes('…');

/** What the program says about a command line, without carrying it out. */
async function problemWith({ words }: Shown): Promise<string | undefined> {
  const program = makeProgram(() => {});
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command !== program) command.action(() => {});
  }
  try {
    await program.parseAsync([...arrangeArguments(words, program)], { from: 'user' });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return undefined;
    const isOfPlaceholder = thrown.code === 'commander.invalidArgument' && words.some(isPlaceholder);
    return isOfPlaceholder ? undefined : thrown.message;
  }
}

t.test('the program knows every command and every option that a page shows', async (t) => {
  // The changelog has those of former versions too.
  const pages = (await readPages()).filter(({ file }) => file !== 'CHANGELOG.md');
  let count = 0;
  for (const page of pages)
    for (const shown of commandsOf(page)) {
      count += 1;
      // `switchmaster failover` names the command alone.
      if (shown.words.length > 1) t.equal(await problemWith(shown), undefined, `${page.file}: ${shown.text}`);
      else t.ok(isCommand(shown.words[0] ?? ''), `${page.file}: ${shown.text}`);
    }
  t.ok(count > 150, `${count} commands`);
});

const names = new Set(makeProgram(() => {}).commands.map((command) => command.name()));
const isCommand = (word: string) => names.has(word) || word.startsWith('--') || isPlaceholder(word);

t.test('a command or an option that does not exist, and a missing argument, are noticed', async (t) => {
  const page = (text: string) => ({ file: 'page.md', text });
  for (const text of [
    '`switchmaster status --colour`',
    '```sh\nswitchmaster failover --yes\n```',
    '`switchmaster stat x`',
  ])
    t.type(await problemWith(commandsOf(page(text))[0] ?? { words: [], text: '' }), 'string', text);
  t.equal(await problemWith({ words: ['failover', 'M', '--node', 'HOST:PORT'], text: '' }), undefined);
});
