import { Command, CommanderError } from 'commander';
import { addAcl } from './acl.ts';
import { addCheck } from './check.ts';
import { addCompletion } from './completion.ts';
import { addDoctor } from './doctor.ts';
import { addDrill } from './drill.ts';
import type { ExitCode } from './exit-code.ts';
import { addFailover } from './failover.ts';
import { printFailure } from './failure.ts';
import { addManual } from './manual.ts';
import { addRebase } from './rebase.ts';
import { addRender } from './render.ts';
import { addRun } from './run.ts';
import { addStatus } from './status.ts';
import { fold } from './terminal.ts';
import { version } from './version.ts';
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
  const program = new Command('switchmaster')
    .description('Keep Consul, proxies and applications pointed at the right Redis master.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option('--debug', 'print stack traces of failures')
    .addHelpText('after', examples)
    .showHelpAfterError('(switchmaster --help lists all commands)')
    .showSuggestionAfterError()
    .configureOutput({ writeOut: (text) => void process.stdout.write(fold(text, process.stdout.columns ?? Infinity)) })
    .exitOverride();
  const done = (code: ExitCode): void => {
    exitCode = code;
  };
  addRun(program, done);
  addCheck(program, done);
  addRender(program, done);
  addStatus(program, done);
  addWatch(program, done);
  addWhy(program, done);
  addFailover(program, done);
  addRebase(program, done);
  addDrill(program, done);
  addDoctor(program, done);
  addCompletion(program, done);
  addManual(program, done);
  addAcl(program, done);
  for (const command of program.commands)
    command.showHelpAfterError(`(switchmaster ${command.name()} --help lists its options)`);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    return printFailure(thrown, { debug: program.opts().debug === true });
  }
}
