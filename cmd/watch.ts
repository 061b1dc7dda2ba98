import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import type { StreamEvent } from './event-stream.ts';
import type { ExitCode } from './exit-code.ts';
import { type AskOptions, addAskOptions } from './option.ts';
import { printLine, stripControls } from './terminal.ts';

export function addWatch(program: Command, done: (code: ExitCode) => void): void {
  const command = program
    .command('watch')
    .argument('[key]', 'follow one master or template only')
    .description('Print events as they happen, until Ctrl-C.');
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

/** The first connection must succeed. Later ones are retried for ever, and resume after the last event. */
async function watch(options: Watching): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  // A failure shows in the first connection as well.
  await describeWatch(options).catch(() => {});
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
        process.stderr.write(`${stripControls(error.message)}; trying again\n`);
      }
      await delay(reconnectMs, undefined, { signal: abort.signal }).catch(() => {});
    }
    return 0;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Names what is watched, and warns of a key that does not exist: no output may only mean no events. */
async function describeWatch({ key, ...options }: Watching): Promise<void> {
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
  process.stderr.write(stripControls(`Nothing is called ${key} yet${meant}.`).concat('\n'));
}

function show({ name, data }: StreamEvent, { json }: Watching): void {
  if (name !== 'connected') printLine(json === true ? data : describe({ name, data }));
}

function describe({ name, data }: Pick<StreamEvent, 'name' | 'data'>): string {
  if (name === 'gap') return '(the journal has dropped some of the missed events)';
  const entry = JSON.parse(data) as Record<string, unknown>;
  const times = entry.count === 1 ? '' : ` (${entry.count} times since ${entry.firstAt})`;
  return stripControls(`${entry.at} ${entry.loop} ${entry.key} ${entry.kind}: ${entry.summary}${times}`);
}
