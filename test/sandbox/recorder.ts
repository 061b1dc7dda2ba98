import type { Address } from '../../lib/model/address.ts';
import { waitFor } from './condition.ts';
import { RespConnection } from './resp.ts';

export type SentinelEvent = {
  /** Milliseconds since 1970, with fractions, when it arrived here. */
  atMs: number;
  /** Such as `+switch-master`. */
  channel: string;
  payload: string;
};

/**
 * An independent subscriber to one Sentinel, which starts a stopwatch without asking the daemon under test. It ends with
 * its Sentinel and does not reconnect.
 */
export class SentinelRecorder {
  /** All events so far, in order of arrival. */
  readonly events: SentinelEvent[] = [];
  /** Called with each event as it arrives. */
  onEvent: ((event: SentinelEvent) => void) | undefined;
  readonly #connection: RespConnection;

  private constructor(connection: RespConnection) {
    this.#connection = connection;
    connection.onMessage = (channel, payload) => {
      const event = { atMs: nowMs(), channel, payload };
      this.events.push(event);
      this.onEvent?.(event);
    };
  }

  static async open(address: Address): Promise<SentinelRecorder> {
    const connection = await RespConnection.open(address);
    const recorder = new SentinelRecorder(connection);
    await connection.command('PSUBSCRIBE', '*');
    return recorder;
  }

  /** The first event of a channel about a master, past or to come. The payload may name it first or after its kind. */
  async event(
    channel: string,
    { master, timeoutMs = 45_000 }: { master?: string; timeoutMs?: number } = {},
  ): Promise<SentinelEvent> {
    const matches = (event: SentinelEvent) =>
      event.channel === channel && (master === undefined || event.payload.split(' ').includes(master));
    const seen = () => this.events.find(matches) ?? this.events.map((event) => `${event.channel} ${event.payload}`);
    const found = await waitFor(`${channel}${master === undefined ? '' : ` of ${master}`}`, seen, {
      timeoutMs,
      intervalMs: 5,
      until: (value) => !Array.isArray(value),
    });
    return found as SentinelEvent;
  }

  close(): void {
    this.#connection.close();
  }
}

/** The wall clock with the resolution of the monotonic one; comparable between processes of one machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
