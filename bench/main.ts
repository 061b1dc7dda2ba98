import { Command, Option } from 'commander';
import { programVariable } from '../test/runner/environment.ts';
import { buildProgram } from '../test/runner/program.ts';
import { benchCrash } from './crash.ts';
import { benchEndpoint } from './endpoint.ts';
import { shardsPerSide as announcedShards, benchFailover } from './failover.ts';
import { growthParts } from './growth/parts.ts';
import { benchGrowth } from './growth.ts';
import { benchInterrupt } from './interrupt.ts';
import { benchOutage } from './outage.ts';
import { benchPage } from './page.ts';
import { benchPause } from './pause.ts';
import { toProgram } from './peers/given.ts';
import { benchPeers } from './peers.ts';
import { benchPromotion } from './promotion.ts';
import { shardsPerSide as promotedShards } from './promotion-stage.ts';
import { benchRender } from './render.ts';

const program = new Command('bench')
  .description(
    'Measure switchmaster and alternatives in one run, and print ratios. It runs the single file that the packages have.',
  )
  .hook('preAction', async () => {
    process.env[programVariable] ??= await buildProgram();
  })
  .showHelpAfterError();

program
  .command('failover')
  .description(
    'measure the time from +switch-master to the committed transaction, and from a promotion to each consumer',
  )
  .option('--rounds <count>', 'failovers of each side', Number, 50)
  .addOption(
    new Option(
      '--follow <mode>',
      `announcement: ${announcedShards} masters of each program; promotion: ${promotedShards}; default: both`,
    ).choices(['announcement', 'promotion']),
  )
  .option('--against <folder>', 'another checkout of switchmaster, with its node_modules (announcement only)')
  .option('--json', 'print one JSON object a line to standard output')
  .action(async (options) => {
    if (options.follow !== 'promotion') await benchFailover(options);
    if (options.follow !== 'announcement') await benchPromotion(options);
  });

program
  .command('interrupt')
  .description(
    'measure the time from a record to HAProxy while its template verifies, checks, reloads, queues, drains or rolls back',
  )
  .option('--rounds <count>', 'changes of a master in each state', Number, 20)
  .option('--json', 'print one JSON object to standard output')
  .action(benchInterrupt);

program
  .command('pause')
  .description('measure the time from the selection of a replica to the pause of writes, on a busy machine')
  .option('--rounds <count>', 'failovers', Number, 40)
  .option('--masters <count>', 'masters', Number, 20)
  .option('--spinning <count>', 'processes that do nothing but use the processor', Number, 2)
  .option('--json', 'print one JSON object to standard output')
  .action(benchPause);

program
  .command('render')
  .description(
    'measure the time from a change in Consul to the end of the reload, beside consul-template and a bare program',
  )
  .option('--rounds <count>', 'changes of each side and size', Number, 30)
  .option('--sizes <counts>', 'numbers of services', toCounts, [1, 100, 10_000])
  .option('--json', 'print one JSON object to standard output')
  .action(benchRender);

program
  .command('peers')
  .description('measure the time from a failover to the end of the reload, and compare with other programs')
  .option('--rounds <count>', 'failovers', Number, 30)
  .addOption(
    new Option('--follow <mode>', 'announcement: the time from +switch-master; promotion: from the promotion')
      .choices(['announcement', 'promotion'])
      .default('announcement'),
  )
  .option('--redis-twemproxy-agent <path>', 'also measure this redis_twemproxy_agent', toProgram)
  .option('--consul-templaterb <path>', 'also measure this consul-templaterb', toProgram)
  .option('--redishappy <path>', "also measure this redis-haproxy, one of redishappy's two programs", toProgram)
  .option('--smitty <path>', 'also measure this smitty', toProgram)
  .option('--json', 'print one JSON object to standard output')
  .action(benchPeers);

program
  .command('outage')
  .description('measure the time without writes and the lost acknowledged writes, by fault, mode and kind of client')
  .option('--rounds <count>', 'rounds of each fault in each mode', Number, 3)
  .option('--fault <word>', 'only the faults whose name contains this word')
  .option('--side-by-side <count>', 'number of modes to measure at the same time', Number, 1)
  .option('--json', 'print one JSON object to standard output')
  .action(benchOutage);

program
  .command('endpoint')
  .description('measure memory, CPU and the time to every subscriber of a Sentinel endpoint')
  .option('--masters <count>', 'masters in Consul', Number, 1_000)
  .option('--connections <count>', 'connections of clients', Number, 2_000)
  .option('--subscribers <count>', 'how many of them subscribe', Number, 200)
  .option('--rounds <count>', 'changes of master', Number, 30)
  .option('--json', 'print one JSON object to standard output')
  .action(benchEndpoint);

program
  .command('crash')
  .description('measure the time from kill -9 of a master to the first write that a client gets through')
  .option('--rounds <count>', 'crashes of each kind', Number, 20)
  .addOption(new Option('--kind <kind>', 'default: both').choices(['sentinel', 'cluster']))
  .option('--pairs <count>', 'masters, each with a replica', Number, 5)
  .option('--bridges <count>', 'daemons', Number, 3)
  .option('--json', 'print one JSON object a line to standard output')
  .action(benchCrash);

program
  .command('page')
  .description("how long the live page's main thread is busy, in Debian's Chromium")
  .option('--masters <counts>', 'numbers of masters', toCounts, [10, 1_000])
  .option('--failovers <count>', 'masters that fail over within a second', Number, 10)
  .option('--json', 'one object on standard output')
  .action(benchPage);

program
  .command('growth')
  .description('measure what grows with masters, daemons, templates, services, instances and the page')
  .addOption(new Option('--part <names...>', 'default: all').choices(Object.keys(growthParts)))
  .option('--masters <counts>', 'numbers of masters', toCounts, [1, 10, 100, 1_000])
  .option('--daemons <counts>', 'numbers of daemons', toCounts, [1, 3])
  .option('--real-masters <count>', 'beyond this, one process stands for all Redis servers', Number, 100)
  .option('--idle-seconds <count>', 'how long idling is measured', Number, 30)
  .option('--templates <counts>', 'numbers of templates that one change moves', toCounts, [1, 10, 100, 500])
  .option('--services <counts>', 'numbers of services in one template', toCounts, [10, 100, 1_000, 10_000])
  .option('--instances <counts>', 'numbers of registered instances', toCounts, [100, 1_000, 5_000])
  .option('--page <counts>', 'numbers of masters on the live page', toCounts, [10, 100, 1_000])
  .option('--save <folder>', 'write a CSV file and SVG plots of each part, as in docs/performance/growth')
  .option('--json', 'print one JSON object to standard output')
  .action(benchGrowth);

await program.parseAsync();

function toCounts(text: string): readonly number[] {
  return text.split(',').map(Number);
}
