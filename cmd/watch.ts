import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { SwitchmasterError } from '../lib/errors.ts';
import type { ExitCode } from './exit-code.ts';
import { apiOption, jsonOption } from './option.ts';
import { harmless, printLine } from './terminal.ts';

export function addWatch(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('watch')
    .argument('[key]', 'follow one master or template only')
    .description('What happens, as it happens, until Ctrl-C.')
    .addOption(apiOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ switchmaster watch --json | jq -c select(.kind=="applied")')
    .action(async (key: string | undefined, options: { api: string; json?: true }) => {
      done(await watch({ key, ...options }));
    });
}

interface Watching {
  readonly key: string | undefined;
  readonly api: string;
  readonly json?: true;
}

const reconnectMs = 1_000;

/** The first connection must succeed; later ones are tried again for ever, and go on where the last one ended. */
async function watch(options: Watching): Promise<ExitCode> {
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  let lastEventId: string | undefined;
  let first = true;
  try {
    while (!abort.signal.aborted) {
      try {
        for await (const event of readEvents(options, { lastEventId, signal: abort.signal })) {
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

interface Event {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: string;
}

async function* readEvents(
  { api, key }: Watching,
  options: { readonly lastEventId: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<Event> {
  const { request } = await import('./api-client.ts');
  const path = key === undefined ? '/v1/events' : `/v1/events?key=${encodeURIComponent(key)}`;
  const headers = options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId };
  const response = await request({ api, path }, { signal: options.signal, headers });
  yield { id: undefined, name: 'connected', data: '' };
  let rest = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const frames = (rest + chunk).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const event = parseFrame(frame);
      if (event !== undefined) yield event;
    }
  }
}

/** Undefined for comments and for settings of the stream. */
function parseFrame(frame: string): Event | undefined {
  const fields = new Map(
    frame.split('\n').map((line) => [line.split(': ', 1)[0] ?? '', line.slice(line.indexOf(': ') + 2)]),
  );
  const data = fields.get('data');
  return data === undefined ? undefined : { id: fields.get('id'), name: fields.get('event') ?? 'message', data };
}

function show({ name, data }: Event, { json }: Watching): void {
  if (name !== 'connected') printLine(json === true ? data : describe({ name, data }));
}

function describe({ name, data }: Pick<Event, 'name' | 'data'>): string {
  if (name === 'gap') return '(some of what happened meanwhile is forgotten)';
  const entry = JSON.parse(data) as Record<string, unknown>;
  return harmless(`${entry.at} ${entry.loop} ${entry.key} ${entry.kind}: ${entry.summary}`);
}
