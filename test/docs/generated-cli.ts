import { type Command, Help, type Option } from 'commander';
import { makeProgram } from '../../cmd/program.ts';
import type { GeneratedPart } from './generated.ts';
import { type GeneratedRow, table, tableWithMeanings } from './markdown-table.ts';

/* The tables of docs/reference/cli.md: commands and options from the program. What an option means is written by hand. */

const page = 'docs/reference/cli.md';
const head = ['option', 'default', 'meaning'];

const program = makeProgram(() => {});
const commands = new Help().visibleCommands(program).filter((command) => command.name() !== 'help');
/** The page describes these once. */
const everywhere = ['--help', '--output'];
const apiGroup = 'Where the API is:';

/** `-c, --config <path>` as two words in backticks. */
function flagsIn({ flags }: Option): string {
  return flags
    .split(', ')
    .map((flag) => `\`${flag}\``)
    .join(', ');
}

function rowOf(option: Option): GeneratedRow {
  const value = defaultOf(option);
  const cells = ([, written = '']: readonly string[]) => [flagsIn(option), says(written, value) ? written : value];
  return { name: option.long ?? option.flags, cells };
}

/** A variable of the environment, or what the program uses without it. */
function defaultOf({ envVar, defaultValue, defaultValueDescription }: Option): string {
  if (envVar !== undefined) return `\`${envVar}\``;
  if (defaultValueDescription !== undefined) return defaultValueDescription.replace(/\/[\w/]+/g, '`$&`');
  const isEmpty = defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return isEmpty ? '' : String(defaultValue);
}

/** The page may say more, such as what happens without the option. */
function says(written: string, value: string): boolean {
  return value === '' || written.includes(value) || written.startsWith('as for');
}

function ownOptions(command: Command): readonly Option[] {
  return command.options.filter(
    ({ hidden, long, helpGroupHeading }) =>
      !hidden && helpGroupHeading !== apiGroup && !everywhere.includes(long ?? ''),
  );
}

function optionsPart(name: string, options: readonly Option[]): readonly GeneratedPart[] {
  if (options.length === 0) return [];
  const write = (current: string) => tableWithMeanings(head, options.map(rowOf), current);
  return [{ name: `options-${name}`, page, write }];
}

/** Those of every command that asks the API. */
function apiOptions(): readonly Option[] {
  const asks = program.commands.find((command) => command.name() === 'status')?.options ?? [];
  return asks.filter(({ helpGroupHeading }) => helpGroupHeading === apiGroup);
}

function writeCommands(): string {
  const rows = commands.map((command) => {
    const name = command.name();
    return [`[\`switchmaster ${name}\`](#switchmaster-${name})`, command.description()];
  });
  return table(['command', 'what it does'], rows);
}

export const cliParts: readonly GeneratedPart[] = [
  { name: 'commands', page, write: writeCommands },
  ...optionsPart('api', apiOptions()),
  ...commands.flatMap((command) => optionsPart(command.name(), ownOptions(command))),
];
