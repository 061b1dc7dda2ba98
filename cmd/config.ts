import { type Command, InvalidArgumentError } from 'commander';
import { findConfig } from './config-paths.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';
import { drawTable, printJson, printLine, stripControls, styled } from './terminal.ts';

interface ConfigOptions {
  readonly config: readonly string[];
  readonly json?: true;
}

const help = `
Secrets and passwords are shown as [redacted]; files that hold them are named.

Exit codes: 0 done, 2 an invalid config.

Example:
  $ switchmaster config show --config /etc/switchmaster`;

export function addConfig(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('config')
    .description('Show the settings in use, with defaults, and where each comes from.')
    .argument('[show]', 'the default', readWhat)
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', help)
    .action(async (_: string | undefined, options: ConfigOptions) => {
      done(await showConfig(options));
    });
}

async function showConfig(options: ConfigOptions): Promise<ExitCode> {
  const { loadConfig } = await import('../lib/config/load.ts');
  const { explainConfig } = await import('../lib/config/explanation.ts');
  const { paths, note } = await findConfig(options.config);
  const source = { paths, environment: process.env };
  // For its errors.
  await loadConfig(source);
  const settings = await explainConfig(source);
  if (options.json === true) {
    printJson({ settings });
    return 0;
  }
  if (note !== undefined) printLine(note);
  const rows = settings.map(({ path, value, from }) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [stripControls(path), stripControls(text), styled('dim', stripControls(from))];
  });
  for (const line of drawTable([['SETTING', 'VALUE', 'FROM'], ...rows])) printLine(line);
  return 0;
}

function readWhat(word: string): string {
  if (word === 'show') return word;
  throw new InvalidArgumentError('Write: switchmaster config show.');
}
