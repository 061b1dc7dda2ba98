import { performance } from 'node:perf_hooks';
import type { Hub, Subscriber } from './hub.ts';
import type { Protocol } from './resp/reply.ts';

/** Who a connection is. `nobody` may only authenticate. */
export type User = 'nobody' | 'reader' | 'operator';

/** The state of a connection that commands read and change. */
export class Client implements Subscriber {
  readonly id: number;
  readonly address: string;
  /** The endpoint's address of this connection. */
  readonly localAddress: string;
  readonly send: (encoded: string | Buffer) => void;
  protocol: Protocol = 2;
  user: User;
  name = '';
  /** Set by CLIENT REPLY. `skip`: not to the next command. */
  replies: 'on' | 'off' | 'skip' = 'on';
  /** Set by CLIENT TRACKING: its modes; undefined while it is off. */
  tracking: ReadonlySet<string> | undefined;
  readonly #openedMs = performance.now();
  /** Set by CLIENT SETINFO: the library and its version. */
  readonly library = new Map<string, string>();
  readonly #hub: Hub;
  readonly #firstUser: User;
  readonly #subscriptions = { channel: new Set<string>(), pattern: new Set<string>() };

  constructor(options: {
    readonly id: number;
    readonly address: string;
    readonly localAddress: string;
    readonly user: User;
    readonly hub: Hub;
    readonly send: (encoded: string | Buffer) => void;
  }) {
    this.id = options.id;
    this.address = options.address;
    this.localAddress = options.localAddress;
    this.user = options.user;
    this.#firstUser = options.user;
    this.#hub = options.hub;
    this.send = options.send;
  }

  /** The number of its channels and patterns. */
  get subscriptions(): number {
    return this.#subscriptions.channel.size + this.#subscriptions.pattern.size;
  }

  /** Its line in CLIENT LIST (networking.c, catClientInfoString), with what an endpoint knows. */
  describe(): string {
    const { channel, pattern } = this.#subscriptions;
    const ageS = Math.floor((performance.now() - this.#openedMs) / 1_000);
    const fields = {
      ...{ id: this.id, addr: this.address, laddr: this.localAddress, name: this.name, age: ageS, idle: 0 },
      ...{
        flags: channel.size + pattern.size > 0 ? 'P' : 'N',
        db: 0,
        sub: channel.size,
        psub: pattern.size,
        ssub: 0,
        multi: -1,
      },
      ...{ user: this.user === 'operator' ? 'operator' : 'default', redir: this.tracking === undefined ? -1 : 0 },
      resp: this.protocol,
      ...Object.fromEntries(this.library),
    };
    return `${Object.entries(fields)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')}\n`;
  }

  subscribe(kind: 'channel' | 'pattern', name: string): void {
    if (this.#subscriptions[kind].has(name)) return;
    this.#subscriptions[kind].add(name);
    this.#hub.add(kind, name, this);
  }

  unsubscribe(kind: 'channel' | 'pattern', name: string): void {
    if (this.#subscriptions[kind].delete(name)) this.#hub.remove(kind, name, this);
  }

  subscribed(kind: 'channel' | 'pattern'): readonly string[] {
    return [...this.#subscriptions[kind]];
  }

  /** RESET, and the end of the connection. */
  reset(): void {
    for (const kind of ['channel', 'pattern'] as const)
      for (const name of this.subscribed(kind)) this.unsubscribe(kind, name);
    this.protocol = 2;
    this.user = this.#firstUser;
    this.name = '';
    this.replies = 'on';
    this.tracking = undefined;
  }
}
