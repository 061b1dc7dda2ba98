import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SwitchmasterError } from '../errors.ts';
import type { JournalEntry } from '../telemetry/journal.ts';
import { securityHeaders } from './failure.ts';
import type { JournalView } from './views.ts';

/*
 * The journal as server-sent events (WHATWG HTML, "Server-sent events"). An event's id is its entry's: a reader that
 * comes back with Last-Event-ID gets what it missed, or, where that is forgotten, an event `gap` first. One subscription
 * and one heartbeat serve all readers, and an entry becomes text once.
 *
 * A reader that does not read costs its socket's buffer, at most `maxBufferedBytes`, and is then cut off: it comes back
 * where it left.
 */
export interface EventStreamOptions {
  /** How often readers hear that the connection lives. Default 15,000. */
  readonly heartbeatMs?: number;
  /** Default 256 KiB. */
  readonly maxBufferedBytes?: number;
  /** Default 500. */
  readonly maxStreams?: number;
}

interface Stream {
  readonly response: ServerResponse;
  readonly filter: Filter;
}

interface Filter {
  readonly loop?: string | undefined;
  readonly key?: string | undefined;
}

const query = z.object({
  loop: z.string().max(64).optional(),
  key: z.string().max(256).optional(),
  lastEventId: z.string().max(32).optional(),
});

export class EventStreams {
  readonly #journal: JournalView;
  readonly #options: Required<EventStreamOptions>;
  readonly #streams = new Set<Stream>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #unsubscribe: () => void;

  constructor(journal: JournalView, options: EventStreamOptions = {}) {
    this.#journal = journal;
    this.#options = { heartbeatMs: 15_000, maxBufferedBytes: 256 * 1024, maxStreams: 500, ...options };
    this.#unsubscribe = journal.subscribe((entry) => this.#publish(entry));
    this.#heartbeat = setInterval(() => this.#beat(), this.#options.heartbeatMs);
    this.#heartbeat.unref();
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Takes over a response whose request asked for the stream. Throws `request-throttled` when there are too many. */
  open(response: ServerResponse, given: { readonly filter: Filter; readonly lastEventId: number | undefined }): void {
    if (this.#streams.size >= this.#options.maxStreams) {
      throw new SwitchmasterError('request-throttled', `there are ${this.#streams.size} readers already`);
    }
    const stream: Stream = { response, filter: given.filter };
    response.writeHead(200, {
      ...securityHeaders,
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies must not gather what should arrive at once (nginx, "X-Accel-Buffering").
      'x-accel-buffering': 'no',
    });
    response.on('close', () => this.#streams.delete(stream));
    response.on('error', () => response.destroy());
    this.#streams.add(stream);
    this.#send(stream, `retry: 2000\n: ${this.#journal.lastId}\n\n`);
    if (given.lastEventId !== undefined) this.#replay(stream, given.lastEventId);
  }

  /** Ends every stream. */
  close(): void {
    this.#unsubscribe();
    clearInterval(this.#heartbeat);
    for (const { response } of this.#streams) response.end();
    this.#streams.clear();
  }

  #replay(stream: Stream, lastEventId: number): void {
    const { entries, complete } = this.#journal.since(lastEventId);
    if (!complete) this.#send(stream, `event: gap\ndata: ${JSON.stringify({ after: lastEventId })}\n\n`);
    for (const entry of entries) {
      // What a reader missed may be more than it can take at once: it goes on from there when it comes back.
      if (!this.#streams.has(stream)) return;
      if (matches(stream.filter, entry)) this.#send(stream, frame(entry));
    }
  }

  #publish(entry: JournalEntry): void {
    const text = frame(entry);
    for (const stream of this.#streams) if (matches(stream.filter, entry)) this.#send(stream, text);
  }

  #beat(): void {
    for (const stream of this.#streams) this.#send(stream, ': still here\n\n');
  }

  #send(stream: Stream, text: string): void {
    const { response } = stream;
    response.write(text);
    if (response.writableLength <= this.#options.maxBufferedBytes) return;
    this.#streams.delete(stream);
    response.destroy();
  }
}

export function addEventRoutes(server: FastifyInstance, streams: EventStreams): void {
  const schema = {
    summary: 'The journal as it is written: server-sent events, resumed by Last-Event-ID',
    querystring: query,
  };
  server.get('/v1/events', { schema, exposeHeadRoute: false }, (request, reply) => {
    const { loop, key, lastEventId } = request.query as z.output<typeof query>;
    const resumed = request.headers['last-event-id'] ?? lastEventId;
    streams.open(reply.raw, { filter: { loop, key }, lastEventId: parseId(resumed) });
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

/** Anything that is no id of ours counts as a first visit. */
function parseId(text: string | string[] | undefined): number | undefined {
  if (typeof text !== 'string' || !/^\d{1,16}$/.test(text)) return undefined;
  const id = Number(text);
  return Number.isSafeInteger(id) ? id : undefined;
}
