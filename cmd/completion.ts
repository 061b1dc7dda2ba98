import { Argument, type Command } from 'commander';
import { askNames } from './completion-names.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { printLine } from './terminal.ts';

const help = `
Examples:
  $ switchmaster completion bash > /etc/bash_completion.d/switchmaster
  $ switchmaster completion zsh > /usr/local/share/zsh/site-functions/_switchmaster
  $ switchmaster completion fish > ~/.config/fish/completions/switchmaster.fish`;

export function addCompletion(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('completion')
    .description('Print a shell completion script.')
    .addArgument(new Argument('<shell>').choices(Object.keys(writers)))
    .addHelpText('after', help)
    .action((shell: keyof typeof writers) => {
      printLine(writers[shell](describe(program)));
      done(0);
    });
  // The scripts call it.
  const names = program.command('complete-names', { hidden: true }).description('Print the names that a word may be.');
  addAskOptions(names).action(async (options: AskOptions) => {
    for (const name of await askNames(options)) printLine(name);
    done(0);
  });
}

interface Described {
  readonly name: string;
  readonly description: string;
  readonly options: readonly DescribedOption[];
  readonly takesArgument: boolean;
  /** Whether its argument is the name of a master or a cluster. */
  readonly takesMaster: boolean;
  readonly choices: readonly string[];
}

interface DescribedOption {
  readonly long: string;
  readonly short: string | undefined;
  readonly description: string;
  /** `files` if its value is a path, `other` if it is something else. */
  readonly takes: 'nothing' | 'files' | 'other';
}

/** Reads the commands themselves, so that the script has all of them. */
function describe(program: Command): readonly Described[] {
  const shown = program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help');
  return shown.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command.options.map(({ long, short, description, flags, required, optional }) => ({
      long: long ?? '',
      short,
      description,
      takes: !required && !optional ? 'nothing' : /<(?:path|folder)>/.test(flags) ? 'files' : 'other',
    })),
    takesArgument: command.registeredArguments.length > 0,
    takesMaster: command.registeredArguments.some((argument) => ['master', 'name', 'key'].includes(argument.name())),
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }));
}

const writers = { bash: writeBash, zsh: writeZsh, fish: writeFish };

function flagsOf({ options }: Described): readonly string[] {
  return [...options.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short])), '--help'];
}

function pathFlags(commands: readonly Described[]): readonly string[] {
  const options = commands.flatMap((command) => command.options).filter(({ takes }) => takes === 'files');
  return [...new Set(options.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short])))];
}

function writeBash(commands: readonly Described[]): string {
  const cases = commands.map(
    (command) => `    ${command.name}) words="${[...command.choices, ...flagsOf(command)].join(' ')}" ;;`,
  );
  const ofMasters = commands.filter(({ takesMaster }) => takesMaster).map(({ name }) => name);
  return `_switchmaster() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="" words word
  case "$previous" in
    ${pathFlags(commands).join('|')}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) command="$word"; break ;; esac
  done
  case "$command" in
    "") words="${commands.map(({ name }) => name).join(' ')} --help --version --debug" ;;
${cases.join('\n')}
    *) words="" ;;
  esac
  case "$command:$current" in
    *:-*) ;;
    ${ofMasters.map((name) => `${name}:*`).join('|')}) words="$words $(switchmaster complete-names 2>/dev/null)" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _switchmaster switchmaster`;
}

function writeZsh(commands: readonly Described[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const list = commands.map(({ name, description }) => `    ${quote(`${name}:${description}`)}`);
  const value = { nothing: '', files: ':path:_files', other: ':value:' };
  const cases = commands.map(({ name, options, choices, takesArgument, takesMaster }) => {
    const escaped = (text: string): string => text.replace(/[[\]:\\]/g, (character) => `\\${character}`);
    const specs = options.flatMap(({ long, short, description, takes }) =>
      [long, short].flatMap((flag) =>
        flag === undefined ? [] : quote(`*${flag}[${escaped(description)}]${value[takes]}`),
      ),
    );
    // Without a spec for the argument, zsh offers no options after it.
    const word = takesMaster ? '1:master:_switchmaster_names' : `1:word:(${choices.join(' ')})`;
    const words = takesArgument ? [quote(word)] : [];
    return `        ${name}) _arguments ${[...words, ...specs, quote('--help[print help]')].join(' ')} ;;`;
  });
  return `#compdef switchmaster
_switchmaster_names() {
  local -a names
  names=(\${(f)"$(switchmaster complete-names 2>/dev/null)"})
  compadd -a names
}
_switchmaster() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  local curcontext="$curcontext" state line
  _arguments -C '--debug[print stack traces of failures]' '--version[print the version]' '--help[print help]' \\
    '1:command:->command' '*::argument:->argument'
  case "$state" in
    command) _describe command commands ;;
    argument)
      case "$words[1]" in
${cases.join('\n')}
      esac ;;
  esac
}
if [ "$funcstack[1]" = "_switchmaster" ]; then
  _switchmaster "$@"
else
  compdef _switchmaster switchmaster
fi`;
}

function writeFish(commands: readonly Described[]): string {
  const quote = (text: string): string => `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;
  const takes = { nothing: '', files: ' -r -F', other: ' -x' };
  const lines = commands.flatMap(({ name, description, options, choices, takesMaster }) => {
    const within = `complete -c switchmaster -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c switchmaster -n __fish_use_subcommand -f -a ${name} -d ${quote(description)}`,
      ...choices.map((choice) => `${within} -f -a ${choice}`),
      ...(takesMaster ? [`${within} -f -a '(switchmaster complete-names 2>/dev/null)'`] : []),
      ...options.map((option) => {
        const short = option.short === undefined ? '' : ` -s ${option.short.slice(1)}`;
        const long = ` -l ${option.long.slice(2)}`;
        return `${within}${short}${long}${takes[option.takes]} -d ${quote(option.description)}`;
      }),
    ];
  });
  return ['complete -c switchmaster -f', ...lines].join('\n');
}
