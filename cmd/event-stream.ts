import { request } from './api-client.ts';
import type { ApiOptions } from './option.ts';

/** One server-sent event. */
export interface StreamEvent {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: string;
}

/**
 * The events of a running switchmaster until `signal` aborts or the connection ends; the first is `connected`, without
 * data. Throws as `request` does.
 */
export async function* readEvents(
  place: { readonly api: ApiOptions; readonly filter?: Readonly<Record<string, string>> },
  options: { readonly lastEventId?: string | undefined; readonly signal: AbortSignal },
): AsyncGenerator<StreamEvent> {
  const query = new URLSearchParams(place.filter).toString();
  const path = query === '' ? '/v1/events' : `/v1/events?${query}`;
  const headers: Record<string, string> =
    options.lastEventId === undefined ? {} : { 'last-event-id': options.lastEventId };
  const response = await request({ api: place.api, path }, { signal: options.signal, headers });
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
function parseFrame(frame: string): StreamEvent | undefined {
  const fields = new Map(
    frame.split('\n').map((line) => [line.split(': ', 1)[0] ?? '', line.slice(line.indexOf(': ') + 2)]),
  );
  const data = fields.get('data');
  return data === undefined ? undefined : { id: fields.get('id'), name: fields.get('event') ?? 'message', data };
}
