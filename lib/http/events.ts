import type { ServerResponse } from 'node:http';
import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import type { JournalEntry } from '../telemetry/journal.ts';
import type { Api } from './api.ts';
import { clientOf } from './client.ts';
import { securityHeaders } from './failure.ts';
import { nameParameter } from './parameters.ts';
import type { JournalView } from './views.ts';

/*
 * The journal as server-sent events (WHATWG HTML, "Server-sent events"). An event has the id of its entry. A reader that
 * reconnects with Last-Event-ID gets the entries that it missed. If the journal no longer has some of them, it gets an
 * event `gap` first. One subscription and one heartbeat serve all readers, and each entry is serialized once.
 *
 * A stream is `flowing` (everything was sent) or `blocked` (its socket is full; nothing is queued). A blocked stream
 * continues from the journal when its socket drains. It is closed if that takes longer than `stallMs`. A reader that
 * does not read costs one socket buffer and does not delay the others.
 */
export interface EventStreamOptions {
  /** The interval of heartbeat comments. Default 15,000. */
  readonly heartbeatMs?: number;
  /** How long a reader's socket may stay full before it is closed. Default 10,000. */
  readonly stallMs?: number;
  /** The maximum number of readers. Default 500. Beyond it, a new reader takes the place of one whose client has more. */
  readonly maxStreams?: number;
  /**
   * The maximum number of readers at one address, so that none of them locks out the others. Default 250: all readers
   * behind one proxy share its address.
   */
  readonly maxStreamsPerClient?: number;
}

interface Stream {
  readonly client: string;
  readonly response: ServerResponse;
  readonly filter: Filter;
  /** The last entry that was sent or filtered out. */
  sentId: number;
  state: { readonly kind: 'flowing' } | { readonly kind: 'blocked'; readonly sinceMs: number };
}

interface Filter {
  readonly loop?: string | undefined;
  readonly key?: string | undefined;
}

interface Reader {
  /** Its address. */
  readonly client: string;
  readonly filter: Filter;
  readonly lastEventId: number | undefined;
}

/** How many entries are read from the journal at once for a reader. */
const batch = 32;

const query = z.object({
  loop: z.string().max(64).optional(),
  key: nameParameter.optional(),
  lastEventId: z.string().max(32).optional(),
});

export class EventStreams {
  readonly #journal: JournalView;
  readonly #options: Required<EventStreamOptions>;
  readonly #streams = new Set<Stream>();
  /** While there are streams. */
  #timers: readonly NodeJS.Timeout[] = [];
  readonly #unsubscribe: () => void;
  #isClosed = false;

  constructor(journal: JournalView, options: EventStreamOptions = {}) {
    this.#journal = journal;
    this.#options = { heartbeatMs: 15_000, stallMs: 10_000, maxStreams: 500, maxStreamsPerClient: 250, ...options };
    this.#unsubscribe = journal.subscribe((entry) => this.#publish(entry));
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Turns a response into a stream, which ends at once if the streams are closed. Throws `request-throttled` if there are too many. */
  open(response: ServerResponse, given: Reader): void {
    const { client } = given;
    const same = [...this.#streams].filter((stream) => stream.client === client).length;
    if (same >= this.#options.maxStreamsPerClient) {
      throw new SwitchmasterError('request-throttled', `there are ${same} readers at ${client} already`);
    }
    if (this.#streams.size >= this.#options.maxStreams) this.#makeRoom(same);
    const sentId = given.lastEventId ?? this.#journal.lastId;
    const stream: Stream = { client, response, filter: given.filter, sentId, state: { kind: 'flowing' } };
    response.writeHead(200, {
      ...securityHeaders,
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies must not buffer events (nginx, "X-Accel-Buffering").
      'x-accel-buffering': 'no',
    });
    response.on('close', () => this.#forget(stream));
    response.on('error', () => response.destroy());
    response.on('drain', () => response.writableEnded || this.#resume(stream));
    this.#streams.add(stream);
    this.#startTimers();
    this.#send(stream, 'retry: 2000\n\n');
    if (this.#isClosed) this.#end(stream);
    else this.#resume(stream);
  }

  /** Ends every stream. A reader that does not read the end of its stream within `stallMs` loses its connection. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unsubscribe();
    this.#stopTimers();
    for (const stream of this.#streams) this.#end(stream);
  }

  /** Closes the connection of every reader at once, also if it has not read the end of its stream. */
  destroy(): void {
    this.close();
    for (const { response } of this.#streams) response.destroy();
  }

  #startTimers(): void {
    if (this.#timers.length > 0 || this.#isClosed) return;
    const { heartbeatMs, stallMs } = this.#options;
    this.#timers = [
      setInterval(() => this.#sendHeartbeat(), heartbeatMs),
      setInterval(() => this.#closeStalled(), stallMs / 4),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream);
    if (this.#streams.size === 0) this.#stopTimers();
  }

  #end({ response }: Stream): void {
    const stalled = setTimeout(() => response.destroy(), this.#options.stallMs);
    stalled.unref();
    response.once('close', () => clearTimeout(stalled));
    response.end();
  }

  /** Ends the newest stream of the client that has most. Throws if that has hardly more than the client that asks, with `same` streams. */
  #makeRoom(same: number): void {
    const byClient = Map.groupBy(this.#streams, ({ client }) => client);
    const most = [...byClient.values()].reduce((a, b) => (b.length > a.length ? b : a), []);
    const newest = most.at(-1);
    if (newest === undefined || most.length <= same + 1)
      throw new SwitchmasterError('request-throttled', `there are ${this.#streams.size} readers already`);
    this.#streams.delete(newest);
    newest.response.destroy();
  }

  /** Sends the journal's newer entries until the socket is full. */
  #resume(stream: Stream): void {
    stream.state = { kind: 'flowing' };
    for (let next = this.#next(stream); next.length > 0; next = this.#next(stream)) {
      for (const entry of next) {
        if (this.#isBlocked(stream)) return;
        stream.sentId = entry.id;
        if (matches(stream.filter, entry)) this.#send(stream, frame(entry));
      }
    }
  }

  /** A few entries at a time, so that many reconnecting readers do not block the event loop. */
  #next(stream: Stream): readonly JournalEntry[] {
    const { entries, complete } = this.#journal.since(stream.sentId, batch);
    if (!complete) this.#send(stream, `event: gap\ndata: ${JSON.stringify({ after: stream.sentId })}\n\n`);
    return entries;
  }

  #publish(entry: JournalEntry): void {
    const text = frame(entry);
    for (const stream of this.#streams) {
      if (this.#isBlocked(stream)) continue;
      stream.sentId = entry.id;
      if (matches(stream.filter, entry)) this.#send(stream, text);
    }
  }

  #sendHeartbeat(): void {
    for (const stream of this.#streams) if (!this.#isBlocked(stream)) this.#send(stream, ': heartbeat\n\n');
  }

  #closeStalled(): void {
    const nowMs = performance.now();
    for (const { state, response } of this.#streams) {
      if (state.kind === 'blocked' && nowMs - state.sinceMs > this.#options.stallMs) response.destroy();
    }
  }

  #isBlocked(stream: Stream): boolean {
    return stream.state.kind === 'blocked';
  }

  #send(stream: Stream, text: string): void {
    if (!stream.response.write(text)) stream.state = { kind: 'blocked', sinceMs: performance.now() };
  }
}

export function addEventRoutes(server: Api, streams: EventStreams): void {
  const schema = {
    summary: 'Stream the journal as server-sent events; Last-Event-ID resumes it',
    querystring: query,
  };
  server.get('/v1/events', { schema, exposeHeadRoute: false }, (request, reply) => {
    const { loop, key, lastEventId } = request.query;
    const resumed = request.headers['last-event-id'] ?? lastEventId;
    streams.open(reply.raw, { client: clientOf(request.ip), filter: { loop, key }, lastEventId: parseId(resumed) });
    reply.hijack();
  });
  server.addHook('preClose', async () => streams.close());
}

function frame(entry: JournalEntry): string {
  return `id: ${entry.id}\nevent: ${entry.kind}\ndata: ${JSON.stringify(entry)}\n\n`;
}

function matches({ loop, key }: Filter, entry: JournalEntry): boolean {
  return (loop === undefined || loop === entry.loop) && (key === undefined || key === entry.key);
}

/** Any other text counts as a first visit. */
function parseId(text: string | string[] | undefined): number | undefined {
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text)) return undefined;
  const id = Number(text);
  return Number.isSafeInteger(id) ? id : undefined;
}
