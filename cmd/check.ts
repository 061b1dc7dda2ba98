import type { Command } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';

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
  try {
    await checkAll(options.config);
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

/** Throws `config-invalid` with everything that is wrong with the config; where nothing is, with its templates. */
async function checkAll(paths: readonly string[]): Promise<void> {
  const { loadConfig } = await import('../lib/config/load.ts');
  const { configError } = await import('../lib/config/problem.ts');
  const { compileSource } = await import('../lib/reconcile/renderer-source.ts');
  const { templates } = await loadConfig({ paths, environment: process.env });
  const compiled = await Promise.allSettled(templates.map((template) => compileSource(template)));
  const problems = compiled.flatMap((result, i) => {
    if (result.status === 'fulfilled') return [];
    const { message } = SwitchmasterError.from(result.reason);
    return [{ path: `templates[${i}].source`, message }];
  });
  if (problems.length > 0) throw configError(problems);
}

function print(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
}
