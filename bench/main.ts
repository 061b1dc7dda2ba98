import { Command } from 'commander';
import { benchFailover } from './failover.ts';

const program = new Command('bench')
  .description('Measures switchmaster beside the least that could do the same, in one run, as ratios.')
  .showHelpAfterError();

program
  .command('failover')
  .description('from +switch-master to the committed Consul transaction')
  .option('--rounds <count>', 'failovers of each side', Number, 50)
  .option('--json', 'one object on standard output')
  .action(benchFailover);

await program.parseAsync();
