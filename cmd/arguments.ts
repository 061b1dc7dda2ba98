import type { Command, Option } from 'commander';

/**
 * Moves the options of the whole program before the command, and those of the command after it: people write both on either
 * side. Unknown options stay where they are.
 */
export function arrangeArguments(argv: readonly string[], program: Command): readonly string[] {
  const commands = new Map(program.commands.map((command) => [command.name(), command]));
  const ofCommands = program.commands.flatMap(({ options }) => options);
  const early: string[] = [];
  let at = 0;
  for (; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    if (!word.startsWith('-') || word === '--') break;
    const option = optionOf(word, program.options) ?? optionOf(word, ofCommands);
    early.push(word);
    if (option !== undefined && takesNext(option, word)) early.push(argv[++at] ?? '');
  }
  const command = commands.get(argv[at] ?? '');
  if (command === undefined) return argv;
  const rest = argv.slice(at + 1);
  const isGlobal = (word: string): boolean =>
    optionOf(word, program.options) !== undefined && optionOf(word, command.options) === undefined;
  const global: string[] = [];
  const own: string[] = [];
  for (let i = 0; i < early.length; i += 1) {
    const word = early[i] ?? '';
    const option = optionOf(word, command.options);
    const to = option !== undefined ? own : global;
    to.push(word);
    const known = option ?? optionOf(word, ofCommands);
    if (known !== undefined && takesNext(known, word)) to.push(early[++i] ?? '');
  }
  const end = rest.indexOf('--');
  const words = end < 0 ? rest : rest.slice(0, end);
  const literal = end < 0 ? [] : rest.slice(end);
  const values = new Set(
    words.flatMap((word, i) => {
      const option = optionOf(word, command.options);
      return option !== undefined && takesNext(option, word) ? [i + 1] : [];
    }),
  );
  const late = words.filter((word, i) => !values.has(i) && isGlobal(word));
  const kept = words.filter((word, i) => values.has(i) || !isGlobal(word));
  return [...global, ...late, command.name(), ...own, ...kept, ...literal];
}

/** The option to which `--name`, `--name=value` or `-n` belongs. */
function optionOf(word: string, options: readonly Option[]): Option | undefined {
  const [flag = ''] = word.split('=', 1);
  return options.find(({ long, short }) => flag === long || flag === short);
}

function takesNext(option: Option, word: string): boolean {
  return option.required && !word.includes('=');
}
