import type { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
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
    .addHelpText('after', signals)
    .action(async (options: { readonly config: readonly string[]; readonly wait: number }) => {
      // Loaded here, so that the other commands start faster.
      const { runDaemon } = await import('./daemon.ts');
      done(await runDaemon({ paths: options.config, waitMs: options.wait }));
    });
}
