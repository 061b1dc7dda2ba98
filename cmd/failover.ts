import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { z } from 'zod';
import type { plannedAnswer } from '../lib/http/shapes.ts';
import { formatAddress } from '../lib/model/address.ts';
import { parseDuration } from '../lib/model/duration.ts';
import { pathSafe } from '../lib/model/naming.ts';
import { confirmed } from './confirmation.ts';
import type { ExitCode } from './exit-code.ts';
import { type ApiOptions, addFailoverOptions, type FailoverOptions } from './option.ts';
import { drawTree, printJson, printLine, stripControls, styled } from './terminal.ts';

export type PlannedReport = z.output<typeof plannedAnswer>;

const help = `
The old master pauses writes until the chosen replica has all of its data and is master. If a stage stalls before that,
writes resume and nothing has changed.

Exit codes: 0 done, 1 refused, stalled or not confirmed, 2 wrong usage.

Example:
  $ switchmaster failover shard1 --replica 10.0.0.6:6379`;

export function addFailover(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('failover')
    .description('Move a master to a replica without losing an acknowledged write.');
  addFailoverOptions(command)
    .addHelpText('after', help)
    .action(async (name: string, options: FailoverOptions) => {
      done(await failOver(name, options));
    });
}

async function failOver(name: string, options: FailoverOptions): Promise<ExitCode> {
  const { askMaster, readToken } = await import('./api-client.ts');
  const token = await readToken(options.tokenFile);
  const { record } = await askMaster(name, options);
  const from = record === null ? '' : ` from ${formatAddress(record.master)}`;
  const to = options.replica ?? 'the replica that Sentinel chooses';
  const question = stripControls(`Fail ${name} over${from} to ${to}? Writes wait for about a quarter of a second.`);
  return confirmed(question, {
    ...(options.yes === true ? { yes: true } : {}),
    act: async () => {
      const report = await orderFailover(name, { ...options, token });
      if (options.json === true) printJson(report);
      else printReport(report);
      return 0;
    },
  });
}

/** Orders the failover, and shows its steps on a terminal. */
export async function orderFailover(
  name: string,
  options: FailoverOptions & { readonly token: string },
): Promise<PlannedReport> {
  const { order } = await import('./api-client.ts');
  const { plannedAnswer } = await import('../lib/http/shapes.ts');
  const { token, replica, timeout } = options;
  const stop = new AbortController();
  const shown =
    process.stderr.isTTY === true ? await showSteps(name, { api: options, signal: stop.signal }) : undefined;
  try {
    const body = { timeout, ...(replica === undefined ? {} : { replica }) };
    // At the daemon, the check, the priorities, three steps and the demotion have a limit each.
    const timeoutMs = 3 * (parseDuration(timeout) ?? 0) + 90_000;
    const path = `/v1/masters/${pathSafe(name)}/failover`;
    const report = await order({ api: options, path, token, body, timeoutMs }, plannedAnswer);
    // The last step and the answer arrive at about the same time.
    await shown?.whole();
    return report;
  } finally {
    stop.abort();
    await shown?.ended;
  }
}

/**
 * Resolves when the event stream is connected. `whole()` settles with the last step, or after 500 ms; `ended` settles after
 * `signal`. A stream that fails is no failure of the command.
 */
async function showSteps(
  name: string,
  { api, signal }: { readonly api: ApiOptions; readonly signal: AbortSignal },
): Promise<{ readonly whole: () => Promise<void>; readonly ended: Promise<void> }> {
  const { readEvents } = await import('./event-stream.ts');
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const { promise: last, resolve: seenLast } = Promise.withResolvers<void>();
  const ended = (async () => {
    try {
      for await (const { name: kind, data } of readEvents(
        { api, filter: { loop: 'failover-step', key: name } },
        { signal },
      )) {
        if (kind === 'connected') resolve();
        else if (showStep(data) === 'demoted') seenLast();
      }
    } catch {
      // The stream ends with the order.
    } finally {
      resolve();
    }
  })();
  await connected;
  return { whole: () => Promise.race([last, ended, delay(500, undefined, { ref: false })]), ended };
}

/** Prints a step and returns its name. */
function showStep(data: string): unknown {
  const { summary, details } = JSON.parse(data) as { summary?: unknown; details?: { step?: unknown } };
  process.stderr.write(`${styled('dim', '·')} ${stripControls(String(summary))}\n`);
  return details?.step;
}

function printReport(report: PlannedReport): void {
  const { name, from, to, generation, epoch, withoutWritesMs, offsets, stages } = report;
  const version = `epoch ${epoch}${generation === 1 ? '' : `, generation ${generation}`}`;
  const way = stripControls(`from ${formatAddress(from)} to ${formatAddress(to)}, ${version}`);
  const text = `${styled('bold', stripControls(name))}  ${styled('green', 'moved')} ${way}`;
  const took = Object.entries(stages).map(([stage, ms]) => `${stage} ${ms} ms`);
  const branches = [
    { text: `${withoutWritesMs} ms without writes` },
    { text: describeOffsets(offsets) },
    { text: `stages: ${took.join(', ')}` },
  ];
  for (const line of drawTree({ text, branches })) printLine(line);
}

function describeOffsets({ paused, inherited }: PlannedReport['offsets']): string {
  if (inherited === null)
    return `the old master stopped at offset ${paused}; the new one does not report how much of it it has`;
  const verdict = inherited >= paused ? styled('green', 'nothing was lost') : styled('red', 'something was lost');
  return `the old master stopped at offset ${paused}, the new one has it up to ${inherited}: ${verdict}`;
}
