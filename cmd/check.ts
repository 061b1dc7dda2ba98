import type { Command } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import { configOption, jsonOption } from './option.ts';
import type { ExitCode } from './program.ts';

export function addCheck(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('check')
    .description('Tell everything that is wrong with a config and its templates; change nothing.')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ switchmaster check --config /etc/switchmaster && systemctl reload switchmaster',
    )
    .action(async (options: { config: readonly string[]; json?: true }) => {
      done(await check(options));
    });
}

async function check(options: { readonly config: readonly string[]; readonly json?: true }): Promise<ExitCode> {
  const { loadConfig } = await import('../lib/config/load.ts');
  try {
    await loadConfig({ paths: options.config, environment: process.env });
  } catch (thrown) {
    if (options.json !== true) throw thrown;
    const error = SwitchmasterError.from(thrown);
    print({ valid: false, problems: error.details.problems ?? [{ path: '', message: error.message }] });
    return 2;
  }
  if (options.json === true) print({ valid: true, problems: [] });
  else process.stdout.write('The configuration is good.\n');
  return 0;
}

function print(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
}
