import { type Command, Help, type Option } from 'commander';
import type { ExitCode } from './exit-code.ts';
import { printLine } from './terminal.ts';
import { version } from './version.ts';

const help = `
Examples:
  $ switchmaster manual | man -l -
  $ switchmaster manual > /usr/local/share/man/man1/switchmaster.1`;

export function addManual(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('manual')
    .description('Print the manual page, for man.')
    .addHelpText('after', help)
    .action(() => {
      printLine(writeManual(program));
      done(0);
    });
}

/** The manual page of all commands, as roff for man(7), from the commands themselves. */
function writeManual(program: Command): string {
  return [
    `.TH SWITCHMASTER 1 "" ${quote(`switchmaster ${version}`)} "User Commands"`,
    '.SH NAME',
    `switchmaster \\- ${toRoff(program.description())}`,
    '.SH SYNOPSIS',
    '.B switchmaster',
    toRoff(program.usage()),
    '.SH OPTIONS',
    ...program.options.flatMap(describeOption),
    '.SH COMMANDS',
    ...program.commands.flatMap(describeCommand),
    '.SH NOTES',
    ...preformatted(textAfter(program)),
  ].join('\n');
}

function describeCommand(command: Command): readonly string[] {
  return [
    `.SS ${quote(`switchmaster ${command.name()} ${command.usage()}`)}`,
    toRoff(command.description()),
    ...command.options.filter(({ hidden }) => !hidden).flatMap(describeOption),
    ...preformatted(textAfter(command)),
  ];
}

function describeOption(option: Option): readonly string[] {
  return ['.TP', `.B ${toRoff(option.flags)}`, toRoff(new Help().optionDescription(option))];
}

/** What the help prints after the options. */
function textAfter(command: Command): string {
  let text = '';
  const writeOut = (part: string): void => {
    text += part;
  };
  const output = command.configureOutput();
  command.configureOutput({ ...output, writeOut });
  command.outputHelp();
  command.configureOutput(output);
  return text.slice(command.helpInformation().length).trim();
}

function preformatted(text: string): readonly string[] {
  return text === '' ? [] : ['.PP', '.nf', ...text.split('\n').map(toRoff), '.fi'];
}

/** A backslash begins an escape, and a dot or an apostrophe at the beginning of a line a request (groff(7), "Escapes"). */
function toRoff(text: string): string {
  const safe = text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
  return /^[.']/.test(safe) ? `\\&${safe}` : safe;
}

function quote(text: string): string {
  return `"${toRoff(text).replaceAll('"', '\\(dq')}"`;
}
