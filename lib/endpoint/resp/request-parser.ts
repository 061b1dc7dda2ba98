import { splitInline } from './inline.ts';

/*
 * Requests of RESP as a server reads them: arrays of bulk strings, and inline commands. The texts of the errors are those
 * of Redis (networking.c, processMultibulkBuffer and processInlineBuffer).
 */

export interface RequestLimits {
  /** Bytes of one line: an inline command, or the header of an array or a bulk string. */
  readonly lineBytes: number;
  /** Bytes of one argument. */
  readonly bulkBytes: number;
  /** Bytes of all arguments of one command. */
  readonly commandBytes: number;
  /** Arguments of one command. */
  readonly arguments: number;
}

/** The client does not speak RESP, or exceeds a limit. The connection cannot be used any more. */
export class ProtocolError extends Error {}

const newline = 0x0a;

/** Collects chunks and returns whole commands. It keeps what it has parsed, so that no chunk is read twice. */
export class RequestParser {
  readonly #limits: () => RequestLimits;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #wanted = 0;
  #arguments: string[] = [];
  #bulkBytes: number | undefined;
  #commandBytes = 0;

  /** `limits` are read for each command: they may depend on whether the client has authenticated. */
  constructor(limits: () => RequestLimits) {
    this.#limits = limits;
  }

  /** Whether a command has begun and is not complete. */
  get isInside(): boolean {
    return this.#wanted > 0 || this.#at < this.#buffer.length;
  }

  push(chunk: Buffer): void {
    const rest = this.#buffer.subarray(this.#at);
    this.#buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at = 0;
  }

  /** The next whole command, never empty; undefined until more arrives. Throws {@link ProtocolError}. */
  next(): readonly string[] | undefined {
    while (this.#wanted === 0) {
      const line = this.#line('too big inline request');
      if (line === undefined) return undefined;
      if (line.startsWith('*')) this.#wanted = this.#count(line);
      else {
        const words = splitInline(line);
        if (words === undefined) throw new ProtocolError('unbalanced quotes in request');
        if (words.length > 0) return words;
      }
    }
    while (this.#arguments.length < this.#wanted) {
      const argument = this.#argument();
      if (argument === undefined) return undefined;
      this.#arguments.push(argument);
    }
    const command = this.#arguments;
    this.#arguments = [];
    this.#commandBytes = 0;
    this.#wanted = 0;
    return command;
  }

  #count(line: string): number {
    const count = integer(line.slice(1));
    if (count === undefined || count > this.#limits().arguments) throw new ProtocolError('invalid multibulk length');
    return Math.max(0, count);
  }

  #argument(): string | undefined {
    if (this.#bulkBytes === undefined) {
      const line = this.#line('too big bulk count string');
      if (line === undefined) return undefined;
      if (!line.startsWith('$')) throw new ProtocolError(`expected '$', got '${printable(line.charAt(0))}'`);
      const bytes = integer(line.slice(1));
      if (bytes === undefined || bytes < 0 || bytes > this.#limits().bulkBytes)
        throw new ProtocolError('invalid bulk length');
      this.#commandBytes += bytes;
      if (this.#commandBytes > this.#limits().commandBytes) throw new ProtocolError('too big command');
      this.#bulkBytes = bytes;
    }
    const end = this.#at + this.#bulkBytes;
    if (this.#buffer.length < end + 2) return undefined;
    const argument = this.#buffer.toString('utf8', this.#at, end);
    this.#at = end + 2;
    this.#bulkBytes = undefined;
    return argument;
  }

  #line(tooBig: string): string | undefined {
    const end = this.#buffer.indexOf(newline, this.#at);
    const length = (end === -1 ? this.#buffer.length : end) - this.#at;
    if (length > this.#limits().lineBytes) throw new ProtocolError(tooBig);
    if (end === -1) return undefined;
    const line = this.#buffer.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }
}

function integer(text: string): number | undefined {
  return /^(?:0|-?[1-9]\d{0,9})$/.test(text) ? Number(text) : undefined;
}

function printable(character: string): string {
  return /^[\x20-\x7e]$/.test(character) ? character : '?';
}
