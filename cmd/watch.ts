import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import type { StreamEvent } from './event-stream.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { harmless, printLine } from './terminal.ts';

export function addWatch(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('watch')
    .argument('[key]', 'follow one master or template only')
    .description('What happens, as it happens, until Ctrl-C.');
  addAskOptions(command)
    .addHelpText('after', `\nExample:\n  $ switchmaster watch --json | jq -c 'select(.kind=="applied")'`)
    .action(async (key: string | undefined, options: AskOptions) => {
      done(await watch({ key, ...options }));
    });
}

interface Watching extends AskOptions {
  readonly key: string | undefined;
}

const reconnectMs = 1_000;

/** The first connection must succeed; later ones are tried again for ever, and go on where the last one ended. */
async function watch(options: Watching): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  // What cannot be told is told by the events themselves, or by their absence.
  await tellWhatIsWatched(options).catch(() => {});
  const { readEvents } = await import('./event-stream.ts');
  const place = { api: options, ...(options.key === undefined ? {} : { filter: { key: options.key } }) };
  let lastEventId: string | undefined;
  let first = true;
  try {
    while (!abort.signal.aborted) {
      try {
        for await (const event of readEvents(place, { lastEventId, signal: abort.signal })) {
          first = false;
          lastEventId = event.id ?? lastEventId;
          show(event, options);
        }
      } catch (thrown) {
        if (abort.signal.aborted) break;
        const error = SwitchmasterError.from(thrown, 'api-unreachable');
        if (first) throw error;
        process.stderr.write(`${harmless(error.message)}; trying again\n`);
      }
      await delay(reconnectMs, undefined, { signal: abort.signal }).catch(() => {});
    }
    return 0;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Silence must not be taken for peace: whose events come, and that of this name there may never be any. */
async function tellWhatIsWatched({ key, ...options }: Watching): Promise<void> {
  if (process.stderr.isTTY === true) process.stderr.write(`Watching ${key ?? 'all'} at ${options.api}; Ctrl-C ends.\n`);
  if (key === undefined) return;
  const { ask } = await import('./api-client.ts');
  const { historyAnswer, mastersAnswer, templatesAnswer } = await import('../lib/http/shapes.ts');
  const { findSimilar } = await import('../lib/config/similar.ts');
  const [{ masters }, { templates }, { entries }] = await Promise.all([
    ask({ api: options, path: '/v1/masters' }, mastersAnswer),
    ask({ api: options, path: '/v1/templates' }, templatesAnswer),
    ask({ api: options, path: `/v1/history?limit=1&key=${encodeURIComponent(key)}` }, historyAnswer),
  ]);
  const names = [...masters, ...templates].map(({ name }) => name);
  if (names.includes(key) || entries.length > 0) return;
  const similar = findSimilar(key, names);
  const meant = similar === undefined ? '' : ` (did you mean ${similar}?)`;
  process.stderr.write(harmless(`Nothing is called ${key} yet${meant}.`).concat('\n'));
}

function show({ name, data }: StreamEvent, { json }: Watching): void {
  if (name !== 'connected') printLine(json === true ? data : describe({ name, data }));
}

function describe({ name, data }: Pick<StreamEvent, 'name' | 'data'>): string {
  if (name === 'gap') return '(some of what happened meanwhile is forgotten)';
  const entry = JSON.parse(data) as Record<string, unknown>;
  return harmless(`${entry.at} ${entry.loop} ${entry.key} ${entry.kind}: ${entry.summary}`);
}
