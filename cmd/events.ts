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
  if (answer.entries.length === 0) await warnOfUnknown({ key, loop }, options);
  return 0;
}

/** No output may only mean that there are no events. */
async function warnOfUnknown(
  { key, loop }: { readonly key: string | undefined; readonly loop: string | undefined },
  options: AskOptions,
): Promise<void> {
  const { ask } = await import('./api-client.ts');
  const { historyAnswer, mastersAnswer } = await import('../lib/http/shapes.ts');
  const { suggest } = await import('./suggestion.ts');
  const [{ entries }, { masters }] = await Promise.all([
    ask({ api: options, path: `/v1/history?limit=${longest}` }, historyAnswer),
    ask({ api: options, path: '/v1/masters' }, mastersAnswer),
  ]);
  const known = {
    key: new Set([...masters.map(({ name }) => name), ...entries.map((entry) => entry.key)]),
    loop: new Set(entries.map((entry) => entry.loop)),
  };
  for (const [what, name] of Object.entries({ key, loop })) {
    const among = known[what as keyof typeof known];
    if (name === undefined || among.has(name)) continue;
    const otherwise = `it has ${[...among].toSorted().slice(0, 20).join(', ') || 'none'}`;
    process.stderr.write(
      `${stripControls(`The journal has no ${what} ${name} (${suggest(name, { among, otherwise })})`)}\n`,
    );
  }
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
