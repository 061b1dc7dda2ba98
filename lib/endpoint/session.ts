import type { Socket } from 'node:net';
import type { Client } from './client.ts';
import type { CommandContext } from './commands/command.ts';
import { answer, closing } from './commands/table.ts';
import { ErrorReply, encodeReply } from './resp/reply.ts';
import { ProtocolError, type RequestLimits, RequestParser } from './resp/request-parser.ts';

/** Redis gives a client that has not authenticated less (server.h, PROTO_MAX_QUERYBUF_LEN and authentication). */
const limits: Readonly<Record<'known' | 'unknown', RequestLimits>> = {
  known: { lineBytes: 64 * 1024, bulkBytes: 64 * 1024, commandBytes: 1024 * 1024, arguments: 1_024 },
  unknown: { lineBytes: 1_024, bulkBytes: 16 * 1024, commandBytes: 32 * 1024, arguments: 10 },
};

/** The session does not read from a client that does not read its answers. */
const maxPendingBytes = 256 * 1024;
/** A subscriber that does not read its messages is dropped at so many pending bytes. */
const maxPendingMessageBytes = 1024 * 1024;
/** The maximum number of commands in one tick: other clients and the rest of the daemon get their turns in between. */
const commandsPerTick = 32;
/** How long a connection that is at its end may take to read its last reply. */
const lingerMs = 5_000;
/** How many wrong passwords one connection may send. */
const maxRefusals = 10;

export interface SessionOptions {
  readonly socket: Socket;
  readonly client: Client;
  readonly context: CommandContext;
  /** A connection is closed after so long without a whole command, unless it is subscribed. */
  readonly idleMs: number;
  /** The same within a command. */
  readonly commandMs: number;
  /** The same before the first command. */
  readonly firstCommandMs: number;
  readonly onCommand: () => void;
  readonly onDrop: (why: string) => void;
}

/** One connection: reads commands in order, and answers each before it takes the next. The server handles errors of its socket. */
export class Session {
  readonly client: Client;
  readonly #options: SessionOptions;
  readonly #parser = new RequestParser(() => limits[this.client.user === 'nobody' ? 'unknown' : 'known']);
  /** Whether nothing has arrived. */
  #isNew = true;
  #isBusy = false;
  /** Whether a command has begun and is not complete. */
  #isInside = false;
  #refusals = 0;
  readonly #startedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.client = options.client;
    const { socket } = options;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.on('data', this.#read);
    socket.on('close', this.#close);
    this.#watchIdle(options.firstCommandMs);
  }

  /**
   * Ends the session. Leaves the connection open, paused and without a reader if it has sent nothing yet, and answers how much of
   * the time for its first command is left, in ms.
   */
  release(): number | 'closed' {
    const { socket, firstCommandMs } = this.#options;
    if (!this.#isNew || socket.destroyed) {
      socket.destroy();
      return 'closed';
    }
    socket.pause();
    socket.off('data', this.#read);
    socket.off('close', this.#close);
    this.#close();
    return Math.max(0, firstCommandMs - (performance.now() - this.#startedMs));
  }

  /** Sends a message or a reply that is encoded already. */
  send(encoded: string | Buffer): void {
    const { socket, onDrop } = this.#options;
    if (socket.destroyed || socket.writableEnded) return;
    if (this.client.subscriptions > 0 && socket.writableLength > maxPendingMessageBytes) {
      onDrop('it does not read its messages');
      socket.destroy();
      return;
    }
    socket.write(encoded);
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const { socket } = this.#options;
    socket.pause();
    let answered = 0;
    try {
      for (let count = 1; !socket.destroyed && !socket.writableEnded; count += 1) {
        const command = this.#parser.next();
        if (command === undefined) break;
        await this.#answer(command);
        answered = count;
        if (socket.writableLength > maxPendingBytes) await drained(socket);
        if (count % commandsPerTick === 0) await new Promise(setImmediate);
      }
      this.#watchNext(answered);
    } catch (thrown) {
      this.#refuse(thrown);
    } finally {
      this.#isBusy = false;
      socket.resume();
    }
  }

  async #answer(command: readonly string[]): Promise<void> {
    const { context, socket, onCommand, onDrop } = this.#options;
    onCommand();
    const name = command[0]?.toLowerCase() ?? '';
    // What a browser sends to this port must not be read as commands (networking.c, securityWarningCommand).
    if (name === 'post' || name === 'host:') throw new ProtocolError('this port does not speak HTTP');
    const { client } = this;
    // `skip` is for this command alone, unless it sets it again.
    const isSkipped = client.replies === 'skip';
    if (isSkipped) client.replies = 'on';
    // Not idle meanwhile: SENTINEL FAILOVER may take longer than a client may.
    clearTimeout(this.#timer);
    const reply = await answer(command, { context, client });
    this.#watchAnswered();
    const isSilent = isSkipped || client.replies !== 'on';
    if (!isSilent) this.send(encodeReply(reply, client.protocol));
    if (reply instanceof ErrorReply && reply.text.startsWith('WRONGPASS')) this.#refusals += 1;
    if (this.#refusals >= maxRefusals && !socket.writableEnded) onDrop('it sends wrong passwords');
    if (name === closing || this.#refusals >= maxRefusals) this.#end('');
  }

  #refuse(thrown: unknown): void {
    const { socket, onDrop } = this.#options;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    onDrop(why);
    if (!socket.destroyed) this.#end(`-ERR Protocol error: ${why}\r\n`);
  }

  /** Reads and drops what still arrives: closing the connection with unread bytes would also discard the last reply. */
  #end(reply: string): void {
    const { socket } = this.#options;
    socket.end(reply);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => socket.destroy(), lingerMs);
    this.#timer.unref();
  }

  /** The time of a command continues while a client sends it byte by byte. */
  #watchNext(answered: number): void {
    if (this.#options.socket.writableEnded) return;
    const wasInside = this.#isInside;
    this.#isInside = this.#parser.isInside;
    if (this.#isInside && wasInside && answered === 0) return;
    this.#watchIdle(this.#isInside ? this.#options.commandMs : this.#options.idleMs);
  }

  /** The client may take so long to read the reply, too. */
  #watchAnswered(): void {
    const { socket, idleMs } = this.#options;
    if (socket.destroyed) return;
    this.#isInside = false;
    this.#watchIdle(idleMs);
  }

  #watchIdle(idleMs: number): void {
    clearTimeout(this.#timer);
    if (this.client.subscriptions > 0) return;
    this.#timer = setTimeout(() => this.#endIdle(), idleMs);
    this.#timer.unref();
  }

  #endIdle(): void {
    const { socket, onDrop } = this.#options;
    if (this.#isInside) onDrop('its command does not end');
    socket.destroy();
  }

  readonly #read = (chunk: Buffer): void => {
    if (this.#options.socket.writableEnded) return;
    this.#isNew = false;
    this.#parser.push(chunk);
    void this.#work();
  };

  readonly #close = (): void => {
    clearTimeout(this.#timer);
    this.client.reset();
  };
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
