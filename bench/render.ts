import { setTimeout as delay } from 'node:timers/promises';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { consulTemplateVersion, installConsulTemplate } from './consul-template.ts';
import {
  type Place,
  prepareSide,
  startBare,
  startConsulTemplate,
  startSwitchmaster,
  timeBareChange,
  timeChange,
  untilSettled,
} from './render-sides.ts';
import { round, type Summary, summarize } from './statistics.ts';

/** Longer than either program waits between two answers about one service. */
const pauseMs = 300;

interface Options {
  readonly rounds: number;
  readonly sizes: readonly number[];
  readonly json?: boolean;
}

interface Comparison {
  readonly size: number;
  readonly ours: Summary;
  readonly theirs: Summary;
  /** What the change takes in any case. */
  readonly bare: Summary;
}

/**
 * Measures the time from a change of one service in Consul to the end of the reload, for templates that list 1, 100 and
 * 10,000 services. It alternates between switchmaster, consul-template and a bare program, each with its own Consul, and with a
 * file and a reload of the same kind.
 */
export async function benchRender(options: Options): Promise<void> {
  const logLine = (line: string) => process.stderr.write(`${line}\n`);
  const program = await installConsulTemplate(logLine);
  const version = await consulTemplateVersion(program);
  const comparisons: Comparison[] = [];
  for (const size of options.sizes) {
    const sandbox = await Sandbox.open({ name: `bench-render-${size}` });
    try {
      comparisons.push(await compare(sandbox, { size, rounds: options.rounds, program, logLine }));
    } finally {
      await sandbox.close();
    }
  }
  report(options, { comparisons, version });
}

async function compare(
  sandbox: Sandbox,
  job: { size: number; rounds: number; program: string; logLine: (line: string) => void },
): Promise<Comparison> {
  const { size, rounds, logLine } = job;
  const places: [Place, Place, Place] = [
    { size, name: 'switchmaster' },
    { size, name: 'consul-template' },
    { size, name: 'bare' },
  ];
  const [oursAt, theirsAt, bareAt] = places;
  logLine(`${size} services: registering`);
  const [ours, theirs, bare] = await Promise.all([
    prepareSide(sandbox, oursAt),
    prepareSide(sandbox, theirsAt),
    prepareSide(sandbox, bareAt),
  ]);
  await startSwitchmaster(sandbox, ours, oursAt);
  await untilSettled(ours, oursAt);
  logLine(`${size} services: switchmaster has rendered them`);
  startConsulTemplate(sandbox, theirs, { ...theirsAt, program: job.program });
  await untilSettled(theirs, theirsAt);
  logLine(`${size} services: consul-template has rendered them`);
  const program = await startBare(bare, bareAt);
  const samples = { ours: [] as number[], theirs: [] as number[], bare: [] as number[] };
  for (let done = 1; done <= rounds; done += 1) {
    const change = { service: (done * 7_919) % size, port: 1 + done };
    samples.ours.push(await timeChange(ours, change));
    samples.theirs.push(await timeChange(theirs, change));
    samples.bare.push(await timeBareChange(program, bare, change));
    await delay(pauseMs);
    if (done % 10 === 0) logLine(`${size} services: ${done} of ${rounds} rounds`);
  }
  program.kill();
  const [own, other, least] = [samples.ours, samples.theirs, samples.bare].map(summarize) as [
    Summary,
    Summary,
    Summary,
  ];
  return { size, ours: own, theirs: other, bare: least };
}

function report(
  options: { readonly json?: boolean },
  result: { readonly comparisons: readonly Comparison[]; readonly version: string },
): void {
  const { comparisons, version } = result;
  const bySize = <T>(of: (comparison: Comparison) => T) =>
    Object.fromEntries(comparisons.map((comparison) => [comparison.size, of(comparison)]));
  const ratiosTo = (of: (comparison: Comparison) => Summary) =>
    bySize((one) => ({ p50: round(one.ours.p50 / of(one).p50), p99: round(one.ours.p99 / of(one).p99) }));
  const ratios = ratiosTo(({ theirs }) => theirs);
  const ratiosToBare = ratiosTo(({ bare }) => bare);
  if (options.json === true) {
    const milliseconds = bySize(({ ours, theirs, bare }) => ({ switchmaster: ours, consulTemplate: theirs, bare }));
    const json = {
      ratios: { renderVsConsulTemplate: ratios, renderVsBare: ratiosToBare },
      milliseconds,
      consulTemplate: version,
    };
    process.stdout.write(`${JSON.stringify(json)}\n`);
    return;
  }
  const row = (words: readonly (string | number)[]) => words.map((word) => String(word).padStart(10)).join('');
  const lines = comparisons.flatMap(({ size, ours, theirs, bare }) => [
    `${`${size} services`.padEnd(24)}${row(['p50', 'p99', 'max'])}`,
    `${'  switchmaster'.padEnd(24)}${row([ours.p50, ours.p99, ours.max])}`,
    `${'  consul-template'.padEnd(24)}${row([theirs.p50, theirs.p99, theirs.max])}`,
    `${'  bare'.padEnd(24)}${row([bare.p50, bare.p99, bare.max])}`,
    `${'  ratio'.padEnd(24)}${row([ratios[size]?.p50 ?? '', ratios[size]?.p99 ?? ''])}`,
    `${'  ratio to bare'.padEnd(24)}${row([ratiosToBare[size]?.p50 ?? '', ratiosToBare[size]?.p99 ?? ''])}`,
  ]);
  const head = `from a change in Consul to the reload done, ms, ${comparisons[0]?.ours.count} changes each, consul-template ${version}`;
  process.stdout.write(`${[head, ...lines].join('\n')}\n`);
}
