import { matchesGlob } from './glob.ts';
import type { Message } from './plan/messages.ts';
import { encodeReply, type Protocol, Push, type Reply } from './resp/reply.ts';

/** A connection that gets messages. */
export interface Subscriber {
  readonly protocol: Protocol;
  /** Sends text; drops the connection if it does not read. */
  send(text: string): void;
}

/** Which connections want which messages. A message is encoded once for each protocol, not for each connection. */
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

  publish({ channel, payload }: Message): void {
    deliver(this.#channels.get(channel), ['message', channel, payload]);
    for (const [pattern, subscribers] of this.#patterns)
      if (matchesGlob(pattern, channel)) deliver(subscribers, ['pmessage', pattern, channel, payload]);
  }

  #lists(kind: 'channel' | 'pattern'): Map<string, Set<Subscriber>> {
    return kind === 'channel' ? this.#channels : this.#patterns;
  }
}

function deliver(subscribers: ReadonlySet<Subscriber> | undefined, items: readonly Reply[]): void {
  const texts: Partial<Record<Protocol, string>> = {};
  for (const subscriber of [...(subscribers ?? [])]) {
    const text = texts[subscriber.protocol] ?? encodeReply(new Push(items), subscriber.protocol);
    texts[subscriber.protocol] = text;
    subscriber.send(text);
  }
}
