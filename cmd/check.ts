import type { Command } from 'commander';
import type { Config } from '../lib/config/model.ts';
import type { Problem } from '../lib/config/problem.ts';
import type { ServerFinding } from '../lib/doctor/online.ts';
import { errorTable, SwitchmasterError } from '../lib/errors.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';

interface CheckOptions {
  readonly config: readonly string[];
  readonly online?: true;
  readonly json?: true;
}

const help = `
Exit codes: 0 valid, 1 a server does not answer or refuses access, or a file cannot be written, 2 an invalid config.

Example:
  $ switchmaster check --config /etc/switchmaster && systemctl reload switchmaster`;

export function addCheck(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('check')
    .description('Check a config and its templates, and report every problem.')
    .addOption(configOption())
    .option(
      '--online',
      'connect to every server that the config names too, and try whether the destinations can be written',
    )
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
  const online = options.online === true ? await examineOnline(config) : undefined;
  const warnings = await warningsOf(config);
  if (options.json === true) printJson({ valid: true, problems: [], warnings, ...online });
  else printFindings(warnings, online ?? { servers: [], files: [] });
  const { servers = [], files = [] } = online ?? {};
  const good = servers.every(({ answers }) => answers) && files.every(({ replaceable }) => replaceable);
  return good ? 0 : 1;
}

/** What this machine and the servers show. */
interface Online {
  readonly servers: readonly ServerFinding[];
  readonly files: readonly FileFinding[];
}

/** Whether a template's destination can be replaced. */
interface FileFinding {
  readonly file: string;
  readonly replaceable: boolean;
  /** Why not, and what to do. */
  readonly says?: string;
}

async function examineOnline(config: Config): Promise<Online> {
  const [servers, files] = await Promise.all([askServers(config), examineFiles(config)]);
  return { servers, files };
}

async function examineFiles({ templates }: Config): Promise<readonly FileFinding[]> {
  const { examineDestination } = await import('../lib/renderer/destination.ts');
  return Promise.all(
    templates.map(async (template) => {
      const says = await examineDestination(template);
      return { file: template.destination, replaceable: says === undefined, ...(says === undefined ? {} : { says }) };
    }),
  );
}

/** Throws `config-invalid` with every problem of the config and of its templates. */
async function checkConfig(paths: readonly string[]): Promise<Config> {
  const { loadConfig } = await import('../lib/config/load.ts');
  const { compileSource } = await import('../lib/renderer/observe/source.ts');
  return loadConfig({ paths, environment: process.env, compile: compileSource });
}

async function askServers(config: Config): Promise<readonly ServerFinding[]> {
  const online = await import('../lib/doctor/online.ts');
  return online.askServers(config);
}

async function warningsOf(config: Config): Promise<readonly Problem[]> {
  const { findWarnings } = await import('../lib/config/warnings.ts');
  const { describeOwners } = await import('../lib/renderer/destination.ts');
  const owners = await Promise.all(config.templates.map((template) => describeOwners(template)));
  const unknown = owners.flatMap((messages, i) =>
    messages.map((message) => ({ path: `templates[${i}]:`, message, hint: 'until then the file keeps its owner' })),
  );
  return [...findWarnings(config), ...unknown];
}

function printFindings(warnings: readonly Problem[], { servers, files }: Online): void {
  printLine('The configuration is good.');
  for (const { path, message, hint } of warnings) {
    printLine(
      `${styled('yellow', 'warning')}: ${stripControls(`${path} ${message}${hint === undefined ? '' : ` (${hint})`}`)}`,
    );
  }
  for (const { server, answers, says, code, hint } of servers) {
    const fault = code === 'redis-denied' || code === 'consul-denied' ? 'refuses us' : 'does not answer';
    const mark = answers ? styled('green', 'answers') : styled('red', fault);
    const more = hint === undefined || says.includes(hint) ? '' : `; ${hint}`;
    printLine(`${stripControls(server)} ${mark}: ${stripControls(`${says}${more}`)}`);
  }
  for (const { file, says } of files) {
    const mark = says === undefined ? styled('green', 'can be replaced') : styled('red', 'cannot be replaced');
    printLine(`file ${stripControls(file)} ${mark}${says === undefined ? '' : `: ${stripControls(says)}`}`);
  }
}
