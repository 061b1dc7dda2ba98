import { setTimeout as delay } from 'node:timers/promises';
import type { ApiOptions } from './option.ts';
import { stripControls, styled } from './terminal.ts';

/** How the steps of a failover are shown on standard error: a line of text, or of JSON, for each. */
export type ProgressFormat = 'text' | 'json' | 'none';

export interface Progress {
  /** Settles with the last step, or after 500 ms. */
  whole(): Promise<void>;
  /** Ends the stream, and settles when it has ended. */
  end(): Promise<void>;
}

/**
 * Shows the steps of the failover of `name`, and what it waits for. Resolves when the event stream is connected. A stream that fails
 * is no failure of the command.
 */
export async function showProgress(name: string, api: ApiOptions, format: ProgressFormat): Promise<Progress> {
  if (format === 'none') return { whole: async () => {}, end: async () => {} };
  const { readEvents } = await import('./event-stream.ts');
  const stop = new AbortController();
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const { promise: last, resolve: seenLast } = Promise.withResolvers<void>();
  const ended = (async () => {
    try {
      const filter = { loop: 'failover-step', key: name };
      for await (const { name: kind, data } of readEvents({ api, filter }, { signal: stop.signal })) {
        if (kind === 'connected') resolve();
        else if (showStep(data, format) === 'demoted') seenLast();
      }
    } catch {
      // The stream ends with the order.
    } finally {
      resolve();
    }
  })();
  await connected;
  const end = (): Promise<void> => {
    stop.abort();
    return ended;
  };
  return { whole: () => Promise.race([last, ended, delay(500, undefined, { ref: false })]), end };
}

/** Prints a step and returns its name. */
function showStep(data: string, format: Exclude<ProgressFormat, 'none'>): unknown {
  const { summary, details } = JSON.parse(data) as {
    summary?: unknown;
    details?: { step?: unknown; elapsedMs?: unknown };
  };
  const { step, elapsedMs } = details ?? {};
  const text = stripControls(String(summary));
  if (format === 'json') process.stderr.write(`${JSON.stringify({ step, elapsedMs, text })}\n`);
  else process.stderr.write(`${styled('dim', '·')} ${text}\n`);
  return step;
}
