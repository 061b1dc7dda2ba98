import type { Address } from '../../lib/model/address.ts';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../../test/sandbox/condition.ts';

interface Answer {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (reason: Error) => void;
}

const connectTimeoutMs = 30_000;

/** A connection to the inspector of a Node.js process: the Chrome DevTools Protocol over a WebSocket. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#take(JSON.parse(String(data)) as Answer));
    socket.addEventListener('close', () => this.#fail(new Error('the inspector closed the connection')));
  }

  /** Connects to the inspector that `node --inspect=ADDRESS` opens. Rejects if it does not answer within 30 s. */
  static async connect(address: Address): Promise<Inspector> {
    const url = await waitFor('the inspector', () => findTarget(address), { timeoutMs: connectTimeoutMs });
    const socket = new WebSocket(url);
    const opened = Promise.withResolvers<void>();
    socket.addEventListener('open', () => opened.resolve());
    socket.addEventListener('error', () => opened.reject(new Error(`cannot connect to ${url}`)));
    await opened.promise;
    return new Inspector(socket);
  }

  /** Sends a command of the protocol, and resolves with its result. */
  send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id, method, params }));
    return promise as Promise<T>;
  }

  /** Evaluates an expression in the process. Its value must be JSON. */
  async evaluate<T>(expression: string): Promise<T> {
    const params = { expression, returnByValue: true };
    const { result, exceptionDetails } = await this.send<{ result: { value: T }; exceptionDetails?: { text: string } }>(
      'Runtime.evaluate',
      params,
    );
    if (exceptionDetails !== undefined) throw new Error(`the process cannot evaluate it: ${exceptionDetails.text}`);
    return result.value;
  }

  close(): void {
    this.#socket.close();
  }

  #take({ id, result, error }: Answer): void {
    if (id === undefined) return;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }

  #fail(reason: Error): void {
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

async function findTarget(address: Address): Promise<string> {
  const response = await fetch(`http://${formatAddress(address)}/json/list`);
  const [target] = (await response.json()) as { webSocketDebuggerUrl: string }[];
  if (target === undefined) throw new Error('the inspector has no target');
  return target.webSocketDebuggerUrl;
}
