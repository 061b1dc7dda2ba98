import type { Command } from 'commander';
import type { z } from 'zod';
import type { clusterFailoverAnswer, plannedAnswer, plannedPreview } from '../lib/http/failover-shapes.ts';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { parseDuration } from '../lib/model/duration.ts';
import { pathSafe } from '../lib/model/naming.ts';
import { confirmed } from './confirmation.ts';
import type { ExitCode } from './exit-code.ts';
import { type ProgressFormat, showProgress } from './failover-progress.ts';
import { addFailoverOptions, type FailoverOptions, readAddress } from './option.ts';
import { drawTree, printJson, printLine, stripControls, styled } from './terminal.ts';

type PlannedReport = z.output<typeof plannedAnswer>;
type ClusterReport = z.output<typeof clusterFailoverAnswer>;
type Preview = Pick<z.output<typeof plannedPreview>, 'name' | 'verdict' | 'why' | 'from' | 'to'> & {
  readonly manner?: 'coordinated' | 'paused' | null;
  readonly whyPaused?: string | null;
  readonly candidates?: readonly Address[];
  readonly outOfSync?: readonly Address[];
};

interface CommandOptions extends FailoverOptions {
  readonly node?: string;
  readonly dryRun?: true;
}

const help = `
It waits until the Sentinels see a replica in sync, and shows what it waits for. The old master then pauses writes until
the chosen replica has all of its data and is master. If a stage stalls before that, writes resume and nothing has changed.
With --node it promotes this replica of a Redis Cluster (CLUSTER FAILOVER).

Exit codes: 0 done, or with --dry-run: it could begin now; 1 refused, stalled or not confirmed, or it could not begin now;
2 wrong usage.

Examples:
  $ switchmaster failover shard1 --replica 10.0.0.6:6379
  $ switchmaster failover sessions --node 10.0.0.7:7003 --dry-run`;

export function addFailover(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('failover')
    .description('Move a master to a replica without losing an acknowledged write.')
    .option('--node <host:port>', 'the replica of the Redis Cluster <master> to promote', (value) =>
      formatAddress(readAddress(value)),
    )
    .option('--dry-run', 'only show what would happen, and what prevents it');
  addFailoverOptions(command)
    .addHelpText('after', help)
    .action(async (name: string, options: CommandOptions) => {
      if (options.node !== undefined && options.replica !== undefined)
        command.error('error: --node is for a Redis Cluster, --replica for a master of Sentinel', { exitCode: 2 });
      done(await failOver(name, options));
    });
}

async function failOver(name: string, options: CommandOptions): Promise<ExitCode> {
  const { readToken } = await import('./api-client.ts');
  const token = await readToken(options.tokenFile);
  if (options.dryRun === true) return preview(name, { ...options, token });
  const question =
    options.node === undefined ? await describeMaster(name, options) : `Promote ${options.node} in ${name}?`;
  return confirmed(stripControls(question), {
    ...(options.yes === true ? { yes: true } : {}),
    act: async () => {
      const progress = options.json === true ? 'json' : 'text';
      const ordered = { ...options, token, progress } as const;
      const report =
        options.node === undefined ? await orderFailover(name, ordered) : await orderInCluster(name, ordered);
      if (options.json === true) printJson(report);
      else printReport(report);
      return 0;
    },
  });
}

async function describeMaster(name: string, options: CommandOptions): Promise<string> {
  const { askMaster } = await import('./api-client.ts');
  const { record } = await askMaster(name, options);
  const from = record === null ? '' : ` from ${formatAddress(record.master)}`;
  const to = options.replica ?? 'the replica that Sentinel chooses';
  return `Fail ${name} over${from} to ${to}? Writes wait for about a tenth of a second.`;
}

interface Ordered extends CommandOptions {
  readonly token: string;
  readonly progress: ProgressFormat;
}

/** Orders the failover, and shows its steps. */
export async function orderFailover(name: string, options: Ordered): Promise<PlannedReport> {
  const { plannedAnswer } = await import('../lib/http/failover-shapes.ts');
  return orderAt(name, { options, shape: plannedAnswer });
}

async function orderInCluster(name: string, options: Ordered): Promise<ClusterReport> {
  const { clusterFailoverAnswer } = await import('../lib/http/failover-shapes.ts');
  return orderAt(name, { options, shape: clusterFailoverAnswer });
}

async function orderAt<S extends z.ZodType>(
  name: string,
  { options, shape }: { readonly options: Ordered; readonly shape: S },
): Promise<z.output<S>> {
  const { order } = await import('./api-client.ts');
  const { token, timeout = '60s' } = options;
  const progress = await showProgress(name, options, options.progress);
  try {
    // The daemon limits the wait, the priorities, three steps and the demotion, each by itself.
    const timeoutMs = 4 * (parseDuration(timeout) ?? 0) + 90_000;
    const report = await order(
      { api: options, path: pathOf(name, options), token, body: bodyOf(options), timeoutMs },
      shape,
    );
    // The last step and the answer arrive at about the same time.
    await progress.whole();
    return report;
  } finally {
    await progress.end();
  }
}

async function preview(name: string, options: CommandOptions & { readonly token: string }): Promise<ExitCode> {
  const { askMaster, order } = await import('./api-client.ts');
  // For an unknown name it suggests another one, or --node.
  if (options.node === undefined) await askMaster(name, options);
  const { clusterFailoverPreview, plannedPreview } = await import('../lib/http/failover-shapes.ts');
  const body = { ...bodyOf(options), dryRun: true };
  const asked = { api: options, path: pathOf(name, options), token: options.token, body, timeoutMs: 30_000 };
  const answer: Preview = await (options.node === undefined
    ? order(asked, plannedPreview)
    : order(asked, clusterFailoverPreview));
  if (options.json === true) printJson(answer);
  else printPreview(answer);
  return answer.verdict === 'now' ? 0 : 1;
}

function pathOf(name: string, { node }: CommandOptions): string {
  return `/v1/${node === undefined ? 'masters' : 'clusters'}/${pathSafe(name)}/failover`;
}

function bodyOf({ timeout, replica, node }: CommandOptions): Record<string, unknown> {
  return {
    ...(timeout === undefined ? {} : { timeout }),
    ...(replica === undefined ? {} : { replica }),
    ...(node === undefined ? {} : { node }),
  };
}

function printPreview(preview: Preview): void {
  const { name, verdict, why, from, to, candidates = [], outOfSync = [] } = preview;
  const target = to === null ? 'the replica that Sentinel chooses' : formatAddress(to);
  const way = `${from === null ? '' : `from ${formatAddress(from)} `}to ${target}`;
  const verdicts = {
    now: styled('green', 'can move now'),
    waits: styled('yellow', 'would wait before it moves'),
    refused: styled('red', 'would be refused to move'),
  } as const;
  const branches = [
    ...(why === null ? [] : [{ text: stripControls(`in the way: ${why}`) }]),
    ...(candidates.length === 0
      ? []
      : [{ text: stripControls(`in sync: ${candidates.map(formatAddress).join(', ')}`) }]),
    ...(outOfSync.length === 0
      ? []
      : [
          {
            text: stripControls(`excluded if still out of sync after 15 s: ${outOfSync.map(formatAddress).join(', ')}`),
          },
        ]),
  ];
  const text = `${styled('bold', stripControls(name))}  ${verdicts[verdict]} ${stripControls(way)}`;
  for (const line of drawTree({ text, branches: [...branches, ...describeManner(preview)] })) printLine(line);
}

function describeManner({ manner, whyPaused }: Preview): readonly { readonly text: string }[] {
  if (manner === 'coordinated')
    return [{ text: 'coordinated: Sentinel lets the old master itself pause and hand over' }];
  if (manner !== 'paused') return [];
  return [{ text: stripControls(`the bridge pauses the writes of the old master, because ${whyPaused}`) }];
}

function printReport(report: PlannedReport | ClusterReport): void {
  const { name, from, to, epoch, withoutWritesMs, offsets, stages } = report;
  const generation = 'generation' in report && report.generation !== 1 ? `, generation ${report.generation}` : '';
  const way = stripControls(`from ${formatAddress(from)} to ${formatAddress(to)}, epoch ${epoch}${generation}`);
  const text = `${styled('bold', stripControls(name))}  ${styled('green', 'moved')} ${way}`;
  const took = Object.entries(stages)
    .toSorted(([, a], [, b]) => a - b)
    .map(([stage, ms]) => `${stage} ${ms} ms`);
  const atMost = 'manner' in report && report.manner === 'paused' ? '' : 'at most ';
  const manner =
    'manner' in report && report.manner === 'coordinated' ? ' (coordinated: the old master handed over)' : '';
  const branches = [
    { text: `${atMost}${withoutWritesMs} ms without writes${manner}` },
    { text: describeOffsets(offsets) },
    { text: `stages: ${took.join(', ')}` },
  ];
  for (const line of drawTree({ text, branches })) printLine(line);
}

function describeOffsets({ paused, inherited }: ClusterReport['offsets']): string {
  if (paused === null) return 'the old master copied the whole data set: whether it had further writes is not known';
  if (inherited === null)
    return `the old master stopped at offset ${paused}; the new one does not report how much of it it has`;
  const verdict = inherited >= paused ? styled('green', 'nothing was lost') : styled('red', 'something was lost');
  return `the old master stopped at offset ${paused}, the new one has it up to ${inherited}: ${verdict}`;
}
