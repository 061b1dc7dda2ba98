import { EventSourceParserStream } from 'eventsource-parser/stream';
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
  const body: ReadableStream<Uint8Array<ArrayBuffer>> | null = response.body;
  if (body === null) return;
  const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { id, event = 'message', data } of events) yield { id, name: event, data };
}
