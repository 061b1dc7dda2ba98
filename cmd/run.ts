import type { Command } from 'commander';
import type { ExitCode } from './exit-code.ts';
import { configOption } from './option.ts';

const signals = `
Signals:
  HUP         reload config and templates; a bad config is refused whole, and the running one stays
  TERM, INT   finish what is in flight, then stop
  USR1        write the state to the log
  QUIT, USR2, CONT, WINCH, TTIN, TTOU
              go to the programs that templates supervise

Example:
  $ CONSUL_HTTP_ADDR=https://consul:8501 switchmaster run --config /etc/switchmaster`;

export function addRun(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('run')
    .description('The daemon. It ends only when it is told to, or for a config that it cannot use.')
    .addOption(configOption())
    .addHelpText('after', signals)
    .action(async (options: { config: readonly string[] }) => {
      // The other commands need not wait until all of the daemon is loaded.
      const { runDaemon } = await import('./daemon.ts');
      done(await runDaemon(options.config));
    });
}
