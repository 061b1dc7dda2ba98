import type { Command } from 'commander';
import type { Config } from '../lib/config/model.ts';
import type { Problem } from '../lib/config/problem.ts';
import type { ServerFinding } from '../lib/doctor/online.ts';
import { errorTable, SwitchmasterError } from '../lib/errors.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';
import { harmless, printJson, printLine, styled } from './terminal.ts';

interface CheckOptions {
  readonly config: readonly string[];
  readonly online?: true;
  readonly json?: true;
}

const help = `
Exit codes: 0 valid, 1 a server does not answer or refuses access, 2 an invalid config.

Example:
  $ switchmaster check --config /etc/switchmaster && systemctl reload switchmaster`;

export function addCheck(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('check')
    .description('Check a config and its templates, and report every problem.')
    .addOption(configOption())
    .option('--online', 'connect to the Consul agent, the Sentinels and every Redis that they monitor too')
    .addOption(jsonOption())
    .addHelpText('after', help)
    .action(async (options: CheckOptions) => {
      done(await check(options));
    });
}

async function check(options: CheckOptions): Promise<ExitCode> {
  let config: Config;
  try {
    config = await checkConfig(options.config);
  } catch (thrown) {
    if (options.json !== true) throw thrown;
    const error = SwitchmasterError.from(thrown);
    printJson({ valid: false, problems: error.details.problems ?? [{ path: '', message: error.message }] });
    return errorTable[error.code].exitCode;
  }
  const servers = options.online === true ? await askServers(config) : undefined;
  const warnings = await warningsOf(config);
  if (options.json === true)
    printJson({ valid: true, problems: [], warnings, ...(servers === undefined ? {} : { servers }) });
  else printFindings(warnings, servers ?? []);
  return servers?.every(({ answers }) => answers) === false ? 1 : 0;
}

/** Throws `config-invalid` with every problem of the config, or, if it is valid, of its templates. */
async function checkConfig(paths: readonly string[]): Promise<Config> {
  const { loadConfig } = await import('../lib/config/load.ts');
  const { configError } = await import('../lib/config/problem.ts');
  const { compileSource } = await import('../lib/renderer/observe/source.ts');
  const config = await loadConfig({ paths, environment: process.env });
  const compiled = await Promise.allSettled(config.templates.map((template) => compileSource(template)));
  const problems = compiled.flatMap((result, i) => {
    if (result.status === 'fulfilled') return [];
    const { message } = SwitchmasterError.from(result.reason);
    return [{ path: `templates[${i}].source`, message }];
  });
  if (problems.length > 0) throw configError(problems);
  return config;
}

async function askServers(config: Config): Promise<readonly ServerFinding[]> {
  const online = await import('../lib/doctor/online.ts');
  return online.askServers(config);
}

async function warningsOf(config: Config): Promise<readonly Problem[]> {
  const { findWarnings } = await import('../lib/config/warnings.ts');
  return findWarnings(config);
}

function printFindings(warnings: readonly Problem[], servers: readonly ServerFinding[]): void {
  printLine('The configuration is good.');
  for (const { path, message, hint } of warnings) {
    printLine(
      `${styled('yellow', 'warning')}: ${harmless(`${path} ${message}${hint === undefined ? '' : ` (${hint})`}`)}`,
    );
  }
  for (const { server, answers, says, code } of servers) {
    const fault = code === 'redis-denied' || code === 'consul-denied' ? 'refuses us' : 'does not answer';
    const mark = answers ? styled('green', 'answers') : styled('red', fault);
    printLine(`${harmless(server)} ${mark}: ${harmless(says)}`);
  }
}
