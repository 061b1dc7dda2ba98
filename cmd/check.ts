import type { Command } from 'commander';
import type { Config } from '../lib/config/model.ts';
import type { Problem } from '../lib/config/problem.ts';
import type { CompileTemplate } from '../lib/config/resolution.ts';
import type { ServerFinding } from '../lib/doctor/online.ts';
import { errorTable, SwitchmasterError } from '../lib/errors.ts';
import type { CompiledTemplate } from '../lib/template/compile.ts';
import { type FileFinding, type Findings, printFindings } from './check-report.ts';
import { findConfig } from './config-paths.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';
import { printJson } from './terminal.ts';

interface CheckOptions {
  readonly config: readonly string[];
  readonly online?: true;
  readonly configOnly?: true;
  readonly json?: true;
}

const help = `
Exit codes: 0 valid, 1 something cannot work on this machine, or a server does not answer or refuses access, 2 an invalid
config.

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
    .option('--config-only', 'check the config and its templates only, not this machine')
    .addOption(jsonOption())
    .addHelpText('after', help)
    .action(async (options: CheckOptions) => {
      done(await check(options));
    });
}

async function check(options: CheckOptions): Promise<ExitCode> {
  const { paths, note } = await findConfig(options.config);
  let checked: Checked;
  try {
    checked = await checkConfig(paths);
  } catch (thrown) {
    if (options.json !== true) throw thrown;
    const error = SwitchmasterError.from(thrown);
    printJson({ valid: false, problems: error.details.problems ?? [{ path: '', message: error.message }] });
    return errorTable[error.code].exitCode;
  }
  const { config, read } = checked;
  const online = options.online === true ? await examineOnline(config) : { servers: [], files: [] };
  const findings: Findings = {
    ...online,
    ...(await judge(checked, options)),
    read,
    parts: (await import('./config-summary.ts')).describeParts(config),
  };
  const { servers, files, obstacles } = findings;
  if (options.json === true) {
    const { warnings, parts } = findings;
    const asked = options.online === true ? online : {};
    printJson({ valid: true, problems: [], warnings, obstacles, read, parts, ...asked });
  } else printFindings(findings, note);
  const works = obstacles.length === 0 && servers.every(({ answers }) => answers);
  return works && files.every(({ replaceable }) => replaceable) ? 0 : 1;
}

type CheckedTemplate = Pick<CompiledTemplate, 'vars'>;

interface Checked {
  readonly config: Config;
  /** In the order of the config's templates. */
  readonly compiled: readonly CheckedTemplate[];
  /** The config files. */
  readonly read: readonly string[];
}

/** Throws `config-invalid` with every problem of the config and of its templates. */
async function checkConfig(paths: readonly string[]): Promise<Checked> {
  const { loadRotating } = await import('../lib/config/load.ts');
  const { checkSource } = await import('../lib/renderer/observe/source.ts');
  const compiled: CheckedTemplate[] = [];
  const compile: CompileTemplate = async (template) => compiled.push(await checkSource(template));
  const { config, documents } = await loadRotating({ paths, environment: process.env, compile });
  return { config, compiled, read: documents };
}

/** What probably does not do what its author wants, and what cannot work here. */
async function judge(
  { config, compiled }: Checked,
  { configOnly, online }: CheckOptions,
): Promise<Pick<Findings, 'warnings' | 'obstacles'>> {
  const { findWarnings } = await import('../lib/config/warnings.ts');
  const { findBindConflicts } = await import('../lib/config/binds.ts');
  const { findUnreadVars } = await import('../lib/config/unread-vars.ts');
  const conflicts = findBindConflicts(config);
  const known = new Set(conflicts.map(({ path }) => path));
  const warnings = [
    ...findWarnings(config).filter(({ path }) => !known.has(path)),
    ...findUnreadVars(config, compiled),
  ];
  if (configOnly === true) return { warnings, obstacles: conflicts };
  const { findObstacles } = await import('../lib/renderer/preconditions.ts');
  const found = await Promise.all(
    config.templates.map(async (template, i) => {
      const places = online === true ? 'not-tried' : 'tried';
      const obstacles = await findObstacles(template, { places });
      return obstacles.map(({ key, ...obstacle }): Problem => ({ path: `templates[${i}].${key}`, ...obstacle }));
    }),
  );
  return { warnings, obstacles: [...conflicts, ...(await findFileObstacles(config)), ...found.flat()] };
}

/** Files that the daemon itself could not write. */
async function findFileObstacles({ pidFile, journal }: Config): Promise<readonly Problem[]> {
  const { examinePidFile } = await import('../lib/daemon/pid-file.ts');
  const { examineJournalPlace } = await import('../lib/telemetry/journal-place.ts');
  const withoutPid = pidFile === undefined ? undefined : await examinePidFile(pidFile);
  const withoutJournal = journal.file === undefined ? undefined : await examineJournalPlace(journal.file);
  const hint = 'until it can be written, the journal is kept in memory only';
  return [
    ...(withoutPid === undefined ? [] : [{ path: 'pidFile:', message: withoutPid }]),
    ...(withoutJournal === undefined ? [] : [{ path: 'journal.file:', message: withoutJournal, hint }]),
  ];
}

async function examineOnline(
  config: Config,
): Promise<{ readonly servers: readonly ServerFinding[]; readonly files: readonly FileFinding[] }> {
  const { askServers } = await import('../lib/doctor/online.ts');
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
