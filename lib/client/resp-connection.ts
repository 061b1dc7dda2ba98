import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Endpoint } from '../model/address.ts';
import type { ReconnectPace } from './reconnect-pace.ts';
import type { RedisAccess } from './redis-connection.ts';
import { ProtocolError, Push, type Reply, ReplyError, ReplyParser } from './reply-parser.ts';
import { type Command, encodeCommand, refusesLogin, toLogin } from './resp-command.ts';
import { connectTimedOut, endSocket, openSocket } from './resp-socket.ts';

const connectTimeoutMs = 2_000;

/** `waiting`: for the next attempt to connect. `opening` includes the login. */
export type ConnectionState = 'opening' | 'ready' | 'waiting' | 'closed';

interface Question {
  readonly command: Command;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

interface Events {
  /** It is connected and logged in. */
  ready: [];
  /** Of the connection, or a login that the server refuses. `close` follows. */
  error: [Error];
  /** A connection ended or an attempt failed: by itself, or because the owner of this object ended it. */
  close: ['lost' | 'given up'];
}

/** The connection ended before the answer. */
class ClosedError extends Error {
  override readonly name = 'ClosedError';

  constructor() {
    super('the connection was closed');
  }
}

/**
 * A connection that speaks Redis's protocol, and connects again by itself. One of ioredis takes three times the memory, and twice the
 * time for a question, and a daemon has one for each server. A command is sent once at most: whatever has no answer when the connection
 * ends is rejected.
 */
export class RespConnection extends EventEmitter<Events> {
  readonly #address: Endpoint;
  readonly #access: RedisAccess;
  readonly #pace: ReconnectPace;
  #state: ConnectionState = 'opening';
  #socket: Socket | undefined;
  #parser = new ReplyParser();
  /** Until the connection is ready. */
  #unsent: Question[] = [];
  /** In the order of their answers. */
  #sent: Question[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** After PSUBSCRIBE, messages come without a question. */
  #isSubscribed = false;

  constructor(address: Endpoint, access: RedisAccess, pace: ReconnectPace) {
    super();
    this.#address = address;
    this.#access = access;
    this.#pace = pace;
    this.#open();
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Sends a command as soon as it is connected. Rejects with a {@link ReplyError}, or where no answer comes or can come. */
  send(command: Command): Promise<Reply> {
    return new Promise((resolve, reject) => this.#enqueue([{ command, resolve, reject }]));
  }

  /** Sends commands in one write. */
  sendAll(commands: readonly Command[]): readonly Promise<Reply>[] {
    const questions: Question[] = [];
    const replies = commands.map(
      (command) =>
        new Promise<Reply>((resolve, reject) => {
          questions.push({ command, resolve, reject });
        }),
    );
    this.#enqueue(questions);
    return replies;
  }

  /** Gives up the present connection, and opens another one at once. */
  reopen(): void {
    if (this.#state === 'closed') return;
    this.#state = 'opening';
    this.#giveUp();
    if (this.#state === 'opening') this.#open();
  }

  /** Gives up the present connection. Another one follows at its pace. */
  drop(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#pace.gaveUp();
    endSocket(socket);
    this.#await('given up');
  }

  close(): void {
    this.#state = 'closed';
    this.#giveUp();
  }

  #enqueue(questions: readonly Question[]): void {
    if (this.#state === 'ready') this.#write(questions);
    else if (this.#state === 'closed') for (const { reject } of questions) reject(new ClosedError());
    else this.#unsent.push(...questions);
  }

  #giveUp(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    clearTimeout(this.#timer);
    this.#rejectAll(new ClosedError());
    if (socket === undefined) return;
    endSocket(socket);
    this.emit('close', 'given up');
  }

  #open(): void {
    this.#state = 'opening';
    this.#parser = new ReplyParser();
    this.#isSubscribed = false;
    const socket: Socket = openSocket(this.#address, this.#access.tls, (chunk) => this.#read(socket, chunk));
    this.#socket = socket;
    this.#timer = setTimeout(() => socket.destroy(connectTimedOut()), connectTimeoutMs);
    socket.once(this.#access.tls === undefined ? 'connect' : 'secureConnect', () => this.#connected(socket));
    socket.on('error', (error) => {
      if (socket === this.#socket) this.emit('error', error);
    });
    socket.once('close', () => this.#ended(socket));
  }

  #connected(socket: Socket): void {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    const login = toLogin(this.#access);
    if (login === undefined) {
      this.#ready();
      return;
    }
    const resolve = () => this.#ready();
    const reject = (error: Error) => {
      if (error.name === 'ReplyError') this.#loginRefused(socket, error);
    };
    this.#write([{ command: login, resolve, reject }]);
  }

  #loginRefused(socket: Socket, error: Error): void {
    if (refusesLogin(error.message)) {
      this.#rejectAll(error);
      socket.destroy(error);
      return;
    }
    // biome-ignore lint/suspicious/noConsole: the daemon writes it to its log, once.
    console.warn(`A server does not require a password, but the config has one: ${error.message}`);
    this.#ready();
  }

  #ready(): void {
    this.#state = 'ready';
    this.#pace.opened();
    const unsent = this.#unsent;
    this.#unsent = [];
    this.#write(unsent);
    this.emit('ready');
  }

  #write(questions: readonly Question[]): void {
    if (questions.length === 0) return;
    this.#sent.push(...questions);
    this.#socket?.write(questions.map(({ command }) => encodeCommand(command)).join(''));
  }

  #read(socket: Socket, chunk: Buffer): void {
    if (socket !== this.#socket) return;
    try {
      this.#parser.push(chunk);
      for (let reply = this.#parser.next(); reply !== undefined; reply = this.#parser.next()) {
        if (socket === this.#socket) this.#answer(reply);
      }
    } catch (thrown) {
      socket.destroy(thrown as Error);
    }
  }

  #answer(reply: Reply | Push): void {
    if (reply instanceof Push && !this.#confirms(reply)) return;
    const question = this.#sent.shift();
    if (question === undefined) {
      // A server that refuses everybody says why before it ends the connection.
      if (reply instanceof ReplyError) throw reply;
      if (this.#isSubscribed) return;
      throw new ProtocolError('it sends a reply without a question');
    }
    if (/^p?subscribe$/i.test(question.command[0])) this.#isSubscribed = true;
    if (reply instanceof ReplyError) question.reject(reply);
    else question.resolve(reply instanceof Push ? reply.items : reply);
  }

  /** In RESP3 the answer to a subscription is a push. */
  #confirms({ items: [kind] }: Push): boolean {
    return kind === this.#sent[0]?.command[0].toLowerCase();
  }

  #ended(socket: Socket): void {
    if (socket === this.#socket) this.#await('lost');
  }

  #await(why: 'lost' | 'given up'): void {
    this.#socket = undefined;
    clearTimeout(this.#timer);
    this.#state = 'waiting';
    this.#rejectAll(new ClosedError());
    this.#timer = setTimeout(() => this.#open(), this.#pace.nextMs());
    this.emit('close', why);
  }

  #rejectAll(error: Error): void {
    const questions = [...this.#sent, ...this.#unsent];
    this.#sent = [];
    this.#unsent = [];
    for (const { reject } of questions) reject(error);
  }
}
