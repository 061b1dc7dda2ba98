import { matchesGlob } from './glob.ts';
import type { Message } from './plan/messages.ts';
import { encodeReply, type Protocol, Push, type Reply } from './resp/reply.ts';

/** A connection that gets messages. */
export interface Subscriber {
  readonly protocol: Protocol;
  /** Sends encoded messages; drops the connection if it does not read. */
  send(bytes: Buffer): void;
}

/** Which connections want which messages. */
export class Hub {
  readonly #channels = new Map<string, Set<Subscriber>>();
  readonly #patterns = new Map<string, Set<Subscriber>>();

  get channels(): number {
    return this.#channels.size;
  }

  get patterns(): number {
    return this.#patterns.size;
  }

  add(kind: 'channel' | 'pattern', name: string, subscriber: Subscriber): void {
    const lists = this.#lists(kind);
    const list = lists.get(name) ?? new Set();
    lists.set(name, list.add(subscriber));
  }

  remove(kind: 'channel' | 'pattern', name: string, subscriber: Subscriber): void {
    const lists = this.#lists(kind);
    const list = lists.get(name);
    list?.delete(subscriber);
    if (list?.size === 0) lists.delete(name);
  }

  /**
   * Sends messages that belong together. A connection gets all of its messages in one write, and connections that get the
   * same messages share the encoded bytes: work for one connection delays all that follow.
   */
  publish(messages: readonly Message[]): void {
    const batches = new Map<Subscriber, Batch>();
    const empty = new Batch('');
    for (const { channel, payload } of messages) {
      const append = (to: Iterable<Subscriber>, items: readonly Reply[]): void => {
        const encoded: Partial<Record<Protocol, string>> = {};
        for (const subscriber of to) {
          const { protocol } = subscriber;
          encoded[protocol] ??= encodeReply(new Push(items), protocol);
          batches.set(subscriber, (batches.get(subscriber) ?? empty).followedBy(encoded[protocol]));
        }
      };
      append(this.#channels.get(channel) ?? [], ['message', channel, payload]);
      for (const [pattern, to] of this.#patterns)
        if (matchesGlob(pattern, channel)) append(to, ['pmessage', pattern, channel, payload]);
    }
    for (const [subscriber, { bytes }] of batches) subscriber.send(bytes);
  }

  #lists(kind: 'channel' | 'pattern'): Map<string, Set<Subscriber>> {
    return kind === 'channel' ? this.#channels : this.#patterns;
  }
}

/** The messages of one connection. Connections with the same messages share one batch. */
class Batch {
  readonly #text: string;
  readonly #longer = new Map<string, Batch>();
  #bytes: Buffer | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  get bytes(): Buffer {
    this.#bytes ??= Buffer.from(this.#text);
    return this.#bytes;
  }

  followedBy(message: string): Batch {
    const known = this.#longer.get(message);
    if (known !== undefined) return known;
    const longer = new Batch(this.#text + message);
    this.#longer.set(message, longer);
    return longer;
  }
}
