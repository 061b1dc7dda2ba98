import type { Command } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import type { ExitCode } from './exit-code.ts';
import { printFailure } from './failure.ts';
import { configOption, waitOption } from './option.ts';

const signals = `
Signals:
  HUP         reload config and templates; an invalid config changes nothing
  TERM, INT   finish the running work, then stop
  USR1        write the state to the log
  QUIT, USR2, CONT, WINCH, TTIN, TTOU
              passed on to the programs that templates supervise

Example:
  $ CONSUL_HTTP_ADDR=https://consul:8501 switchmaster run --config /etc/switchmaster`;

export function addRun(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('run')
    .description('Run the daemon until a signal stops it.')
    .addOption(configOption())
    .addOption(waitOption())
    .option('--adopt', 'also replace files that switchmaster did not write; keep each beside it under a dated name')
    .addHelpText('after', signals)
    .action(async (options: { readonly config: readonly string[]; readonly wait: number; readonly adopt?: true }) => {
      // Loaded here, so that the other commands start faster.
      const { runDaemon } = await import('./daemon.ts');
      const { chooseConfig } = await import('./config-paths.ts');
      try {
        done(
          await runDaemon({
            paths: await chooseConfig(options.config),
            waitMs: options.wait,
            takeover: options.adopt === true ? 'adopt' : 'as-set',
          }),
        );
      } catch (thrown) {
        if (SwitchmasterError.from(thrown).code !== 'config-unreadable') throw thrown;
        printFailure(thrown, { data: false, debug: program.opts().debug === true });
        done(unreadableExitCode);
      }
    });
}

/** Not 2, the exit code of a wrong config: systemd starts the daemon again, and the files may be there by then. */
export const unreadableExitCode = 1;
