import type { Command } from 'commander';
import type { Config } from '../lib/config/model.ts';
import type { DrillReport } from '../lib/drill/drill.ts';
import type { PastDrill } from '../lib/drill/history.ts';
import { SwitchmasterError } from '../lib/errors.ts';
import { type Address, formatAddress } from '../lib/model/address.ts';
import type { MasterRecord } from '../lib/model/record.ts';
import { chooseConfig } from './config-paths.ts';
import { confirmed } from './confirmation.ts';
import type { ExitCode } from './exit-code.ts';
import { orderFailover } from './failover.ts';
import { addFailoverOptions, configOption, type FailoverOptions, readAddress } from './option.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';

interface DrillOptions extends FailoverOptions {
  readonly config: readonly string[];
  readonly proxy: readonly Address[];
  readonly dns?: Address;
  readonly state?: string;
}

const help = `
A drill is a real failover, as with \`switchmaster failover\`. One client looks for the new master, and one for each --proxy
writes through the proxy, to the list switchmaster:drill:<master>. The drill deletes the list at the end. Run it on a node
that runs switchmaster, with that node's config.

Exit codes: 0 done and nothing lost, 1 refused, stalled, not confirmed, or a write was lost, 2 wrong usage or config.

Example:
  $ switchmaster drill shard1 --config /etc/switchmaster --proxy 127.0.0.1:6379`;

export function addDrill(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('drill')
    .description('Run a real failover, and measure when each client follows it.')
    .addOption(configOption())
    .option('--proxy <host:port>', 'a proxy to write through; may be repeated', collectAddress, [])
    .option('--dns <host:port>', "Consul's DNS; default: port 8600 at consul.address", readAddress)
    .option(
      '--state <folder>',
      'where the results of drills are stored; default: /var/lib/switchmaster, or XDG_STATE_HOME',
    );
  addFailoverOptions(command)
    .addHelpText('after', help)
    .action(async (name: string, options: DrillOptions) => {
      done(await runDrill(name, options));
    });
}

async function runDrill(name: string, options: DrillOptions): Promise<ExitCode> {
  const { askMaster, readToken } = await import('./api-client.ts');
  const { loadConfig } = await import('../lib/config/load.ts');
  const config = await loadConfig({ paths: await chooseConfig(options.config), environment: process.env });
  const token = await readToken(options.tokenFile);
  const { record } = await askMaster(name, options);
  if (record === null) throw new SwitchmasterError('failover-refused', `${name} has no record yet.`);
  const question = `Fail ${name} over from ${formatAddress(record.master)} for real, and write to it meanwhile?`;
  return confirmed(stripControls(question), {
    ...(options.yes === true ? { yes: true } : {}),
    act: () => measure({ config, record, token, options }),
  });
}

async function measure(given: {
  readonly config: Config;
  readonly record: MasterRecord;
  readonly token: string;
  readonly options: DrillOptions;
}): Promise<0 | 1> {
  const { drill } = await import('../lib/drill/drill.ts');
  const { defaultStateFolder, keepDrill, readDrills } = await import('../lib/drill/history.ts');
  const { config, record, token, options } = given;
  const { name } = record;
  const folder = options.state ?? defaultStateFolder(process.env);
  const before = await readDrills(folder, { name, limit: 10 });
  const report = await drill({
    config,
    record,
    proxies: options.proxy,
    dns: options.dns ?? { host: config.consul.host, port: 8600 },
    order: () => orderFailover(name, { ...options, token, progress: process.stderr.isTTY === true ? 'text' : 'none' }),
    timeoutMs: 15_000,
    onStage: (stage, ms) => {
      if (process.stderr.isTTY === true)
        process.stderr.write(`${styled('dim', '·')} ${stripControls(stage)} (${ms} ms)\n`);
    },
  });
  if (options.json === true) printJson({ ...report, before });
  else await printDrill(report, before);
  const { at, stages, withoutWritesMs } = report;
  await keepDrill(folder, { at, name, stages, withoutWritesMs }).catch((thrown: unknown) => {
    process.stderr.write(`${SwitchmasterError.from(thrown).message}\n`);
  });
  return report.writers.some(({ lost }) => lost > 0) ? 1 : 0;
}

async function printDrill(report: DrillReport, before: readonly PastDrill[]): Promise<void> {
  const { medianOf } = await import('../lib/drill/history.ts');
  const { name, from, to, epoch, stages, notSeen, withoutWritesMs, writers } = report;
  const way = stripControls(`from ${formatAddress(from)} to ${formatAddress(to)}, epoch ${epoch}`);
  printLine(`${styled('bold', stripControls(name))}  ${way}, ${withoutWritesMs} ms without writes`);
  const width = Math.max(...Object.keys(stages).map((stage) => stage.length));
  const seen = Object.entries(stages).toSorted(([, a], [, b]) => (a ?? Infinity) - (b ?? Infinity));
  for (const [stage, ms] of seen) {
    const label = stripControls(stage).padEnd(width);
    if (ms === null) printLine(`${label}  ${styled('yellow', 'not seen')}  ${stripControls(notSeen[stage] ?? '')}`);
    else printLine(`${label}  ${`${ms} ms`.padStart(12)}${compare(ms, medianOf(before, stage))}`);
  }
  for (const { through, acknowledged, lost, longestGapMs } of writers) {
    const verdict = lost === 0 ? styled('green', 'none lost') : styled('red', `${lost} lost`);
    printLine(
      `through ${stripControls(through)}: ${acknowledged} writes acknowledged, ${verdict}, longest gap ${longestGapMs} ms`,
    );
  }
  if (before.length > 0) printLine(`Compared with the median of the last ${before.length}.`);
}

function compare(ms: number, median: number | undefined): string {
  if (median === undefined || median <= 0) return '';
  const change = Math.round((ms / median - 1) * 100);
  const text = `  ${change > 0 ? '+' : ''}${change} % against ${median} ms`;
  return change > 50 ? styled('yellow', text) : text;
}

function collectAddress(value: string, before: readonly Address[]): readonly Address[] {
  return [...before, readAddress(value)];
}
