import { setTimeout as delay } from 'node:timers/promises';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { consulTemplateVersion, installConsulTemplate } from './consul-template.ts';
import {
  type Place,
  prepareSide,
  startConsulTemplate,
  startSwitchmaster,
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
}

/**
 * Measures the time from a change of one service in Consul to the end of the reload, for templates that list 1, 100 and
 * 10,000 services. It alternates between switchmaster and consul-template, each with its own Consul, template and reload of
 * the same kind.
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
  const { size, rounds, program, logLine } = job;
  const [oursAt, theirsAt]: [Place, Place] = [
    { size, name: 'switchmaster' },
    { size, name: 'consul-template' },
  ];
  logLine(`${size} services: registering`);
  const [ours, theirs] = await Promise.all([prepareSide(sandbox, oursAt), prepareSide(sandbox, theirsAt)]);
  await startSwitchmaster(sandbox, ours, oursAt);
  await untilSettled(ours, oursAt);
  logLine(`${size} services: switchmaster has rendered them`);
  startConsulTemplate(sandbox, theirs, { ...theirsAt, program });
  await untilSettled(theirs, theirsAt);
  logLine(`${size} services: consul-template has rendered them`);
  const samples = { ours: [] as number[], theirs: [] as number[] };
  for (let done = 1; done <= rounds; done += 1) {
    const change = { service: (done * 7_919) % size, port: 1 + done };
    samples.ours.push(await timeChange(ours, change));
    samples.theirs.push(await timeChange(theirs, change));
    await delay(pauseMs);
    if (done % 10 === 0) logLine(`${size} services: ${done} of ${rounds} rounds`);
  }
  return { size, ours: summarize(samples.ours), theirs: summarize(samples.theirs) };
}

function report(
  options: { readonly json?: boolean },
  result: { readonly comparisons: readonly Comparison[]; readonly version: string },
): void {
  const { comparisons, version } = result;
  const bySize = <T>(of: (comparison: Comparison) => T) =>
    Object.fromEntries(comparisons.map((comparison) => [comparison.size, of(comparison)]));
  const ratios = bySize(({ ours, theirs }) => ({
    p50: round(ours.p50 / theirs.p50),
    p99: round(ours.p99 / theirs.p99),
  }));
  if (options.json === true) {
    const milliseconds = bySize(({ ours, theirs }) => ({ switchmaster: ours, consulTemplate: theirs }));
    const json = { ratios: { renderVsConsulTemplate: ratios }, milliseconds, consulTemplate: version };
    process.stdout.write(`${JSON.stringify(json)}\n`);
    return;
  }
  const row = (words: readonly (string | number)[]) => words.map((word) => String(word).padStart(10)).join('');
  const lines = comparisons.flatMap(({ size, ours, theirs }) => [
    `${`${size} services`.padEnd(24)}${row(['p50', 'p99', 'max'])}`,
    `${'  switchmaster'.padEnd(24)}${row([ours.p50, ours.p99, ours.max])}`,
    `${'  consul-template'.padEnd(24)}${row([theirs.p50, theirs.p99, theirs.max])}`,
    `${'  ratio'.padEnd(24)}${row([ratios[size]?.p50 ?? '', ratios[size]?.p99 ?? ''])}`,
  ]);
  const head = `from a change in Consul to the reload done, ms, ${comparisons[0]?.ours.count} changes each, consul-template ${version}`;
  process.stdout.write(`${[head, ...lines].join('\n')}\n`);
}
