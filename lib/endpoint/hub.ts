import { matchesGlob } from './glob.ts';
import type { Message } from './plan/messages.ts';
import { encodeReply, type Protocol, Push, type Reply } from './resp/reply.ts';

/** A connection that gets messages. */
export interface Subscriber {
  readonly protocol: Protocol;
  /** Sends text; drops the connection if it does not read. */
  send(text: string): void;
}

/** Which connections want which messages. */
export class Hub {
  readonly #channels = new Map<string, Set<Subscriber>>();
  readonly #patterns = new Map<string, Set<Subscriber>>();

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
   * Sends messages that belong together. A message is encoded once for each protocol, and a connection gets all of its
   * messages in one write: a second write to the first connections would delay the last one.
   */
  publish(messages: readonly Message[]): void {
    const texts = new Map<Subscriber, string>();
    for (const { channel, payload } of messages) {
      collect(texts, { to: this.#channels.get(channel), items: ['message', channel, payload] });
      for (const [pattern, to] of this.#patterns)
        if (matchesGlob(pattern, channel)) collect(texts, { to, items: ['pmessage', pattern, channel, payload] });
    }
    for (const [subscriber, text] of texts) subscriber.send(text);
  }

  #lists(kind: 'channel' | 'pattern'): Map<string, Set<Subscriber>> {
    return kind === 'channel' ? this.#channels : this.#patterns;
  }
}

function collect(
  texts: Map<Subscriber, string>,
  { to = new Set(), items }: { readonly to: ReadonlySet<Subscriber> | undefined; readonly items: readonly Reply[] },
): void {
  const encoded: Partial<Record<Protocol, string>> = {};
  for (const subscriber of to) {
    const { protocol } = subscriber;
    encoded[protocol] ??= encodeReply(new Push(items), protocol);
    texts.set(subscriber, (texts.get(subscriber) ?? '') + encoded[protocol]);
  }
}
