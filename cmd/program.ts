import { Command, CommanderError } from 'commander';
import { addAcl } from './acl.ts';
import { findApi } from './api-discovery.ts';
import { arrangeArguments } from './arguments.ts';
import { addCheck } from './check.ts';
import { addCompletion } from './completion.ts';
import { addConfig } from './config.ts';
import { addDoctor } from './doctor.ts';
import { addDrill } from './drill.ts';
import { addEvents } from './events.ts';
import type { ExitCode } from './exit-code.ts';
import { addFailover } from './failover.ts';
import { printErrorData, printFailure } from './failure.ts';
import { addForget } from './forget.ts';
import { addImport } from './import.ts';
import { addMaintenance } from './maintenance.ts';
import { addManual } from './manual.ts';
import { outputOption } from './option.ts';
import { addRebase } from './rebase.ts';
import { addRender } from './render.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import { columnsOf, fold, setDataFormat, withDataFormat } from './terminal.ts';
import { addTopology } from './topology.ts';
import { addVersion, version } from './version.ts';
import { addWatch } from './watch.ts';
import { addWhy } from './why.ts';

const examples = `
Examples:
  $ switchmaster run                                   bridge the Sentinel on this machine to its Consul
  $ switchmaster run --config /etc/switchmaster        every file of a folder, merged
  $ switchmaster check --config ./switchmaster.yml     check a config
  $ switchmaster status                                show masters, replicas and consumers
  $ switchmaster why shard1                            show the decisions behind a master's changes

Exit codes: 0 done, 1 failed, 2 wrong usage or config.`;

/** Runs one command line and returns the process's exit code. Never throws. */
export async function runProgram(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const program = makeProgram((code) => {
    exitCode = code;
  });
  program.hook('preAction', (_, command) => prepare(command));
  const run = () => execute(program, argv);
  return (mayWantYaml(argv) ? withDataFormat(run) : run()).then((code) => code ?? exitCode);
}

/** Every command with its options. An action says how it ended by `done`. */
export function makeProgram(done: (code: ExitCode) => void): Command {
  const program = new Command('switchmaster')
    .description('Keep Consul, proxies and applications pointed at the right Redis master.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--debug', 'print stack traces of failures')
    .addHelpText('after', examples)
    .showHelpAfterError('(switchmaster --help lists all commands)')
    .showSuggestionAfterError()
    .configureOutput({ writeOut: (text) => void process.stdout.write(fold(text, columnsOf(process.stdout))) })
    .exitOverride();
  addRun(program, done);
  addCheck(program, done);
  addRender(program, done);
  addStatus(program, done);
  addWatch(program, done);
  addWhy(program, done);
  addFailover(program, done);
  addRebase(program, done);
  addForget(program, done);
  addMaintenance(program, done);
  addDrill(program, done);
  addDoctor(program, done);
  addCompletion(program, done);
  addManual(program, done);
  addAcl(program, done);
  addConfig(program, done);
  addEvents(program, done);
  addTopology(program, done);
  addImport(program, done);
  addVersion(program, done);
  for (const command of program.commands) {
    command.showHelpAfterError(`(switchmaster ${command.name()} --help lists its options)`);
    if (command.options.some(({ long }) => long === '--json')) command.addOption(outputOption());
  }
  return program;
}

/** Chooses the output, and finds the API in the config of this node. */
async function prepare(command: Command): Promise<void> {
  const { output }: { readonly output?: string } = command.opts();
  if (output === 'json' || output === 'yaml') command.setOptionValue('json', true);
  if (output === 'table') command.setOptionValue('json', undefined);
  setDataFormat(output === 'yaml' ? (await import('yaml')).stringify : undefined);
  await findApi(command);
}

/** Returns undefined where the command itself says how it ended. */
async function execute(program: Command, argv: readonly string[]): Promise<ExitCode | undefined> {
  const words = arrangeArguments(argv, program);
  const data = wantsData(words);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) return printFailure(thrown, { debug: words.includes('--debug'), data });
    if (thrown.exitCode === 0) return 0;
    if (data) printErrorData({ code: 'usage', message: thrown.message.replace(/^error: /, '') });
    return 2;
  }
}

/** `-o yaml`, `-oyaml` or `--output=yaml`, or another argument `yaml`. */
function mayWantYaml(argv: readonly string[]): boolean {
  return argv.some((word) => /^(?:-o|--output=)?yaml$/.test(word));
}

function wantsData(words: readonly string[]): boolean {
  const after = words[words.findIndex((word) => word === '-o' || word === '--output') + 1];
  const format = words.find((word) => word.startsWith('--output='))?.slice('--output='.length) ?? after;
  return words.includes('--json') || (words.some((word) => /^(?:-o|--output)(?:=|$)/.test(word)) && format !== 'table');
}
