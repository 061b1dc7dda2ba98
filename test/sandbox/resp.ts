// A small Redis client: tests, demo and bench must not see Redis through the client library whose use they check. RESP2
// (https://redis.io/docs/latest/develop/reference/protocol-spec/).
import { connect, type Socket } from 'node:net';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { ReplyParser } from './resp-parser.ts';

export type Reply = string | number | null | RespError | Reply[];

/** An error that the server answered, such as `READONLY You can't write against a read only replica.` */
export class RespError extends Error {
  override name = 'RespError';
}

type Pending = { resolve: (reply: Reply) => void; reject: (error: Error) => void; timer: NodeJS.Timeout };

export type RespOptions = {
  /** For the connect and for each command. Default 5,000. */
  timeoutMs?: number;
  password?: string | undefined;
};

/** One connection; commands are pipelined in the order given. It does not reconnect. */
export class RespConnection {
  readonly address: Address;
  /** Called with each pub/sub message that arrives: `message channel payload` or `pmessage pattern channel payload`. */
  onMessage: ((channel: string, payload: string) => void) | undefined;
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #pending: Pending[] = [];
  readonly #parser = new ReplyParser();
  #failure: Error | undefined;

  private constructor(address: Address, socket: Socket, timeoutMs: number) {
    this.address = address;
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#received(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error(`${formatAddress(address)} closed the connection`)));
  }

  /** Connects, and authenticates if a password is given. Rejects if that takes longer than `timeoutMs`. */
  static async open(address: Address, { timeoutMs = 5_000, password }: RespOptions = {}): Promise<RespConnection> {
    const socket = connect({ host: address.host, port: address.port });
    await connected(socket, { address, timeoutMs });
    const connection = new RespConnection(address, socket, timeoutMs);
    try {
      if (password !== undefined) await connection.command('AUTH', password);
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  get closed(): boolean {
    return this.#failure !== undefined;
  }

  /** Sends a command. Rejects with the `RespError` that the server answers, or if no answer comes in time. */
  command(...args: (string | number)[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      const timer = setTimeout(() => {
        // Answers carry no number: after a missing one, each later answer would be taken for another command's.
        this.#fail(new Error(`${formatAddress(this.address)} did not answer ${args[0]} in ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      this.#pending.push({ resolve, reject, timer });
      this.#socket.write(encode(args));
    });
  }

  close(): void {
    this.#fail(new Error('the connection was closed'));
  }

  #received(chunk: Buffer): void {
    try {
      for (const reply of this.#parser.push(chunk)) this.#dispatch(reply);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #dispatch(reply: Reply): void {
    const message = this.onMessage === undefined ? undefined : asMessage(reply);
    if (message !== undefined) {
      this.onMessage?.(message.channel, message.payload);
      return;
    }
    const pending = this.#pending.shift();
    if (pending === undefined) return;
    clearTimeout(pending.timer);
    if (reply instanceof RespError) pending.reject(reply);
    else pending.resolve(reply);
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#socket.destroy();
    for (const { reject, timer } of this.#pending.splice(0)) {
      clearTimeout(timer);
      reject(error);
    }
  }
}

/** Opens a connection, sends one command, closes. */
export async function redisCli(
  address: Address,
  args: readonly (string | number)[],
  options?: RespOptions,
): Promise<Reply> {
  const connection = await RespConnection.open(address, options);
  try {
    return await connection.command(...args);
  } finally {
    connection.close();
  }
}

/** Turns Redis' flat `[field, value, field, value, ...]` into an object. */
export function pairs(reply: Reply): Record<string, string> {
  if (!Array.isArray(reply)) throw new Error(`expected a list of pairs, got ${JSON.stringify(reply)}`);
  const result: Record<string, string> = {};
  for (let index = 0; index + 1 < reply.length; index += 2) result[String(reply[index])] = String(reply[index + 1]);
  return result;
}

function asMessage(reply: Reply): { channel: string; payload: string } | undefined {
  if (!Array.isArray(reply) || (reply[0] !== 'message' && reply[0] !== 'pmessage')) return undefined;
  const [channel, payload] = reply.slice(-2);
  return { channel: String(channel), payload: String(payload) };
}

function encode(args: readonly (string | number)[]): string {
  const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
  return `*${args.length}\r\n${parts.join('')}`;
}

function connected(socket: Socket, { address, timeoutMs }: { address: Address; timeoutMs: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => failed(new Error(`no connection to ${formatAddress(address)} in ${timeoutMs} ms`)),
      timeoutMs,
    );
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      resolve();
    });
  });
}
