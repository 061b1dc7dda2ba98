import t from 'tap';
import { runCommand } from '../cmd/command.ts';
import { readPage, sectionOf, tableRows } from './pages.ts';

async function help(command = ''): Promise<string> {
  const { stdout } = await runCommand([...(command === '' ? [] : [command]), '--help']);
  return stdout;
}

/** The first words of the lines below a title of a help text. */
function listed(text: string, title: string): readonly string[] {
  const part = new RegExp(`^${title}:\\n((?:  .*\\n?)+)`, 'm').exec(`${text}\n`)?.[1] ?? '';
  return [...part.matchAll(/^ {2}(\S.*?)(?: {2,}|$)/gm)].map((match) => match[1] ?? '');
}

/** `--config` from `-c, --config <path>`. */
function longOption(text: string): string {
  return /--[\w-]+/.exec(text)?.[0] ?? text;
}

function documented(section: string): readonly string[] {
  const cells = tableRows(section).map(([first = '']) => first);
  return cells.flatMap((cell) => /--[\w-]+/.exec(cell)?.[0] ?? []);
}

/** The top of the page describes them. */
const everywhere = ['--help', '--output'];
const { text: page } = await readPage('docs/reference/cli.md');
const topHelp = await help();
const commands = listed(topHelp, 'Commands')
  .map((line) => line.split(' ')[0] ?? '')
  .filter((name) => name !== 'help');

t.test('the page documents exactly the existing commands', async (t) => {
  const named = [...page.matchAll(/^## `switchmaster (\S+)`$/gm)].map((match) => match[1]);
  t.ok(commands.includes('run'));
  t.strictSame(named.sort(), [...commands].sort());
});

t.test('the page documents exactly the existing options', async (t) => {
  const head = page.slice(0, page.indexOf('\n## '));
  t.strictSame([...documented(head)].sort(), listed(topHelp, 'Options').map(longOption).sort());
  for (const command of commands) {
    const options = listed(await help(command), 'Options').map(longOption);
    const section = sectionOf(page, `\`switchmaster ${command}\``) ?? '';
    t.strictSame([...documented(section)].sort(), options.filter((one) => !everywhere.includes(one)).sort(), command);
  }
});

t.test('each command that asks the API takes the documented options for its address', async (t) => {
  const named = documented(sectionOf(page, 'Where the API is') ?? '');
  t.ok(named.includes('--api'));
  for (const command of ['status', 'watch', 'events', 'topology', 'why', 'failover', 'rebase', 'drill']) {
    // A drill needs more of the config.
    const expected = command === 'drill' ? named.filter((option) => option !== '--config') : named;
    t.strictSame(listed(await help(command), 'Where the API is').map(longOption), expected, command);
  }
});
