import { spawnSync } from 'node:child_process';
import type { Command } from 'commander';
import type { Config } from '../lib/config/model.ts';
import type { DrillReport } from '../lib/drill/drill.ts';
import type { PastDrill } from '../lib/drill/history.ts';
import type { DrillOptions as DrillGiven } from '../lib/drill/options.ts';
import { SwitchmasterError } from '../lib/errors.ts';
import { type Address, formatAddress } from '../lib/model/address.ts';
import type { MasterRecord } from '../lib/model/record.ts';
import { chooseConfig } from './config-paths.ts';
import { confirmed } from './confirmation.ts';
import type { KillTarget } from './drill-kill.ts';
import type { ExitCode } from './exit-code.ts';
import { orderFailover } from './failover.ts';
import { addFailoverOptions, configOption, type FailoverOptions, readAddress } from './option.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';

interface DrillOptions extends FailoverOptions {
  readonly config: readonly string[];
  readonly proxy: readonly Address[];
  readonly dns?: Address;
  readonly state?: string;
  readonly kill?: true;
  readonly node?: Address;
  readonly start?: string;
}

const help = `
A drill is a real failover, as with \`switchmaster failover\`. One client looks for the new master, and one for each --proxy
writes through the proxy, to the list switchmaster:drill:<master>. The drill deletes the list at the end. Run it on a node
that runs switchmaster, with that node's config.

With --kill, the drill kills the process of the master with SIGKILL, as in a crash. Run it on the node of the master, as root or as
the user of Redis. Nothing starts Redis again but what you give with --start: the drill runs that with /bin/sh at its end. Writes
that no replica has received are lost, as in every crash.

Exit codes: 0 done and nothing lost, 1 refused, stalled, not confirmed, or a write was lost, 2 wrong usage or config.

Examples:
  $ switchmaster drill shard1 --config /etc/switchmaster --proxy 127.0.0.1:6379
  $ switchmaster drill shard1 --kill --start 'systemctl start redis-server'
  $ switchmaster drill sessions --kill --node 10.0.0.7:7000`;

export function addDrill(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('drill')
    .description('Run a real failover, and measure when each client follows it.')
    .addOption(configOption())
    .option('--proxy <host:port>', 'a proxy to write through; may be repeated', collectAddress, [])
    .option('--dns <host:port>', "Consul's DNS; default: port 8600 at consul.address", readAddress)
    .option('--kill', 'kill the process of the master on this node instead of a planned failover')
    .option('--node <host:port>', 'with --kill: the master of the Redis Cluster <name> on this node', readAddress)
    .option('--start <command>', 'with --kill: the command that starts Redis again at the end')
    .option(
      '--state <folder>',
      'where the results of drills are stored; default: /var/lib/switchmaster, or XDG_STATE_HOME',
    );
  addFailoverOptions(command)
    .addHelpText('after', help)
    .action(async (name: string, options: DrillOptions) => {
      if (options.start !== undefined && options.kill !== true)
        command.error('error: --start is for a drill with --kill', { exitCode: 2 });
      if (options.replica !== undefined && options.kill === true)
        command.error('error: with --kill, Sentinel chooses the replica', { exitCode: 2 });
      if (options.node !== undefined && (options.kill !== true || options.proxy.length > 0))
        command.error('error: --node is for a drill with --kill, and without --proxy', { exitCode: 2 });
      done(await runDrill(name, options));
    });
}

async function runDrill(name: string, options: DrillOptions): Promise<ExitCode> {
  const { readToken } = await import('./api-client.ts');
  const { loadConfig } = await import('../lib/config/load.ts');
  const config = await loadConfig({ paths: await chooseConfig(options.config), environment: process.env });
  // A kill needs no right at the API: the operator has it on the node already.
  const token = options.kill === true ? '' : await readToken(options.tokenFile);
  const killed = options.kill === true ? await findKilled(name, config, options) : undefined;
  const record = killed?.target.record ?? (await askRecord(name, options));
  return confirmed(stripControls(describe(record, { pid: killed?.pid, ...options })), {
    ...(options.yes === true ? { yes: true } : {}),
    act: () => measure({ config, record, token, killed, options }),
  });
}

async function findKilled(name: string, config: Config, options: DrillOptions): Promise<Killed> {
  const { findTarget } = await import('./drill-kill.ts');
  const target = await findTarget(name, config, options);
  return { target, pid: await target.findProcess() };
}

/** Throws `failover-refused` if the master has no record. */
async function askRecord(name: string, options: DrillOptions): Promise<MasterRecord> {
  const { askMaster } = await import('./api-client.ts');
  const { requireRecord } = await import('./drill-kill.ts');
  return requireRecord(name, (await askMaster(name, options)).record);
}

function describe({ name, master }: MasterRecord, { pid, start }: { pid: number | undefined; start?: string }): string {
  const at = formatAddress(master);
  if (pid === undefined) return `Fail ${name} over from ${at} for real, and write to it meanwhile?`;
  const after = start === undefined ? 'nothing starts it again' : `${start} starts it again`;
  return `Kill process ${pid}, the master ${at} of ${name}, and write to ${name} meanwhile (${after})?`;
}

/** The order of a planned drill, or the crash. */
function orderOf({ record, token, killed, options }: Given, onKilled: () => void): DrillGiven['order'] {
  const progress = process.stderr.isTTY === true ? 'text' : 'none';
  const { node: _, ...wish } = options;
  if (killed === undefined) return () => orderFailover(record.name, { ...wish, token, progress });
  return async (begin) => {
    const { killTarget } = await import('./drill-kill.ts');
    const noted = () => {
      begin();
      onKilled();
    };
    return killTarget(killed.target, { pid: killed.pid, ...options, onKilled: noted });
  };
}

/** Starts Redis again as the operator wished, or says that nobody did. */
function startAgain({ master }: MasterRecord, { start }: DrillOptions): void {
  if (start === undefined) {
    process.stderr.write(`Redis at ${formatAddress(master)} was killed and is not running: start it again.\n`);
    return;
  }
  const { status, error } = spawnSync('/bin/sh', ['-c', start], { stdio: ['ignore', 2, 2], timeout: 60_000 });
  if (status === 0) return;
  const why = error?.message ?? `exit code ${status}`;
  process.stderr.write(`${stripControls(start)} failed (${why}): Redis at ${formatAddress(master)} is not started.\n`);
}

interface Killed {
  readonly target: KillTarget;
  readonly pid: number;
}

interface Given {
  readonly config: Config;
  readonly record: MasterRecord;
  readonly token: string;
  /** undefined for a planned failover. */
  readonly killed: Killed | undefined;
  readonly options: DrillOptions;
}

async function measure(given: Given): Promise<0 | 1> {
  const { drill } = await import('../lib/drill/drill.ts');
  const { defaultStateFolder, keepDrill, readDrills } = await import('../lib/drill/history.ts');
  const { config, record, options } = given;
  const { name } = record;
  const way = given.killed === undefined ? 'planned' : 'kill';
  const folder = options.state ?? defaultStateFolder(process.env);
  const before = await readDrills(folder, { name, way, limit: 10 });
  let wasKilled = false;
  const drilled = drill({
    config,
    record,
    ...(given.killed?.target.shard === undefined ? {} : { shard: given.killed.target.shard }),
    proxies: options.proxy,
    dns: options.dns ?? { host: config.consul.host, port: 8600 },
    way,
    order: orderOf(given, () => {
      wasKilled = true;
    }),
    timeoutMs: 15_000,
    onStage: (stage, ms) => {
      if (process.stderr.isTTY === true)
        process.stderr.write(`${styled('dim', '·')} ${stripControls(stage)} (${ms} ms)\n`);
    },
  });
  const report = await drilled.finally(() => {
    if (wasKilled) startAgain(record, options);
  });
  if (options.json === true) printJson({ ...report, before });
  else await printDrill(report, before);
  const { at, stages, withoutWritesMs } = report;
  await keepDrill(folder, { at, name, way, stages, withoutWritesMs }).catch((thrown: unknown) => {
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
