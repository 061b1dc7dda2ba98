import { Command } from 'commander';
import { benchFailover } from './failover.ts';
import { benchOutage } from './outage.ts';
import { benchRender } from './render.ts';

const program = new Command('bench')
  .description('Measures switchmaster beside what could do the same, in one run, as ratios.')
  .showHelpAfterError();

program
  .command('failover')
  .description('from +switch-master to the committed Consul transaction')
  .option('--rounds <count>', 'failovers of each side', Number, 50)
  .option('--json', 'one object on standard output')
  .action(benchFailover);

program
  .command('render')
  .description('from a change in Consul to the reload done, beside consul-template')
  .option('--rounds <count>', 'changes of each side and size', Number, 30)
  .option('--sizes <counts>', 'numbers of services', (text) => text.split(',').map(Number), [1, 100, 10_000])
  .option('--json', 'one object on standard output')
  .action(benchRender);

program
  .command('outage')
  .description('the time without writes and the acknowledged writes lost, by fault, mode and kind of client')
  .option('--rounds <count>', 'rounds of each fault in each mode', Number, 3)
  .option('--fault <word>', 'only the faults whose name has this word')
  .option('--side-by-side <count>', 'modes that are measured at a time', Number, 1)
  .option('--json', 'one object on standard output')
  .action(benchOutage);

await program.parseAsync();
