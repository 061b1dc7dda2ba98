import { type Command, InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import type { historyAnswer } from '../lib/http/shapes.ts';
import { parseDuration } from '../lib/model/duration.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { drawTable, printJson, printLine, stripControls } from './terminal.ts';

type Entry = z.output<typeof historyAnswer>['entries'][number];

interface EventsOptions extends AskOptions {
  readonly since?: number;
  readonly loop?: string;
}

/** As many as the API gives at once. */
const longest = 1_000;

export function addEvents(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('events')
    .argument('[key]', 'of one master, template, cluster or instance only')
    .description('Print what the journal has, oldest first.')
    .option('-s, --since <time>', 'not older than this: 10m, 2h, or 2026-11-29T03:00Z; default: all', readSince)
    .option('-l, --loop <name>', 'of one loop only: bridge, fence, crash, failover, renderer, ...');
  addAskOptions(command)
    .addHelpText('after', '\nExample:\n  $ switchmaster events shard1 --since 1h')
    .action(async (key: string | undefined, options: EventsOptions) => {
      done(await showEvents(key, options));
    });
}

async function showEvents(key: string | undefined, options: EventsOptions): Promise<ExitCode> {
  const { ask } = await import('./api-client.ts');
  const { historyAnswer } = await import('../lib/http/shapes.ts');
  const { loop, since = 0 } = options;
  const query = new URLSearchParams({
    limit: String(longest),
    ...(key === undefined ? {} : { key }),
    ...(loop === undefined ? {} : { loop }),
  });
  const answer = await ask({ api: options, path: `/v1/history?${query}` }, historyAnswer);
  const entries = answer.entries.filter(({ at }) => Date.parse(at) >= since).toReversed();
  if (entries.length === longest)
    process.stderr.write(`Only the last ${longest}: --since, --loop or a key leave some out.\n`);
  if (options.json === true) printJson({ entries });
  else for (const line of drawEntries(entries)) printLine(line);
  return 0;
}

function drawEntries(entries: readonly Entry[]): readonly string[] {
  if (entries.length === 0) return ['The journal has no such entry.'];
  return drawTable(
    entries.map(({ at, loop, key, kind, summary, count }) =>
      [at, loop, key, kind, count === 1 ? summary : `${summary} (${count} times)`].map(stripControls),
    ),
  );
}

function readSince(value: string): number {
  const ms = parseDuration(value);
  const at = ms === undefined ? Date.parse(value) : Date.now() - ms;
  if (Number.isFinite(at)) return at;
  throw new InvalidArgumentError('It is neither a duration, such as 10m, nor a time, such as 2026-11-29T03:00Z.');
}
