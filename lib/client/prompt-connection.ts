import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../model/address.ts';
import { connectOptions, SocketExchangeError } from './socket-exchange.ts';

/** What HAProxy's command line ends each answer with (management guide, 9.3). */
const prompt = '\n> ';

/** A connection to HAProxy's command line that stays open in interactive mode, one command at a time. */
export class PromptConnection {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  #received = '';
  #closed = false;
  #onChange: () => void = () => undefined;

  private constructor(to: Endpoint, timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#socket = connect(connectOptions(to));
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => {
      this.#received += text;
      this.#onChange();
    });
    for (const event of ['error', 'end', 'close']) {
      this.#socket.on(event, () => {
        this.#closed = true;
        this.#onChange();
      });
    }
  }

  /** Throws SocketExchangeError. `timeoutMs` is for each answer. */
  static async open(
    to: Endpoint,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<PromptConnection> {
    const connection = new PromptConnection(to, timeoutMs);
    try {
      await connection.send('prompt', signal);
      return connection;
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
  }

  /** Throws SocketExchangeError, or the signal's reason. */
  async send(command: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const check = (): void => {
      if (this.#received.endsWith(prompt)) resolve(this.#received.slice(0, -prompt.length));
      else if (this.#closed) reject(new SocketExchangeError('closed', 'closed the connection'));
    };
    const onAbort = (): void => reject(signal.reason);
    const late = () => reject(new SocketExchangeError('timeout', `did not answer within ${this.#timeoutMs} ms`));
    const timer = setTimeout(late, this.#timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#received = '';
    this.#onChange = check;
    if (this.#closed) check();
    else this.#socket.write(`${command}\n`);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      this.#onChange = () => undefined;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
