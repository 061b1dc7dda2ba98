/*
 * Replies of RESP2 and RESP3 as a client reads them (https://redis.io/docs/latest/develop/reference/protocol-spec/). Some
 * servers and proxies answer in RESP3 although nobody asked for it: such a reply gets the form that RESP2 gives it. The
 * parsers of ioredis and node-redis have the same result. They limit nothing, and are no part of the packages' interfaces.
 */

/** The server answered with an error. The first word of its message is the code: `ERR`, `NOAUTH`. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** What a server sends in RESP3 without a question, or to confirm a subscription. */
export class Push {
  readonly items: readonly Reply[];

  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** The server does not speak RESP, or exceeds a limit. The connection cannot be used any more. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export type Reply = string | number | null | ReplyError | readonly Reply[];

/** A list whose items have not all arrived. */
class OpenList {
  readonly items: Reply[] = [];
  readonly isPush: boolean;
  left: number;

  constructor(left: number, isPush: boolean) {
    this.left = left;
    this.isPush = isPush;
  }
}

const nothing = Buffer.alloc(0);
const newline = 0x0a;
/** A line break, `\r\n`. */
const breakBytes = 2;
const maxLineBytes = 65_536;
/** The largest known reply is that of SENTINEL MASTERS: 7 MB for ten thousand masters, with 410,000 items. */
const maxReplyBytes = 16 * 1024 * 1024;
const maxItems = 1_000_000;
/** An error takes two bytes on the wire and half a kilobyte here. Only EXEC has several, and nobody sends it. */
const maxErrors = 1_000;
/** The deepest known reply, of COMMAND, has six levels. */
const maxDepth = 32;

/** Collects chunks and returns whole replies. It keeps what it has parsed, so that no chunk is parsed twice. */
export class ReplyParser {
  /** What is not parsed is from `#at` to `#end`. */
  #buffer: Buffer = nothing;
  #at = 0;
  #end = 0;
  /** Otherwise the buffer is a chunk, which belongs to the caller. */
  #isOwn = false;
  /** The string whose length has arrived. */
  #string: { readonly type: string; readonly bytes: number } | undefined;
  readonly #lists: OpenList[] = [];
  #replyBytes = 0;
  #items = 0;
  #errors = 0;

  /** Call `next` until it returns undefined. The chunk may change after that. */
  push(chunk: Buffer): void {
    if (this.#end === 0) {
      this.#buffer = chunk;
      this.#isOwn = false;
      this.#end = chunk.length;
      return;
    }
    const bytes = this.#end + chunk.length;
    if (bytes > this.#buffer.length) this.#move(Math.max(bytes, 2 * this.#end));
    chunk.copy(this.#buffer, this.#end);
    this.#end = bytes;
  }

  /** The next whole reply; undefined until more arrives. Throws {@link ProtocolError}. */
  next(): Reply | Push | undefined {
    for (;;) {
      const item = this.#item();
      if (item === undefined) {
        this.#keepRest();
        return undefined;
      }
      this.#count(item);
      const reply = this.#place(item);
      if (reply === undefined) continue;
      this.#replyBytes = 0;
      this.#items = 0;
      this.#errors = 0;
      return reply;
    }
  }

  #keepRest(): void {
    if (this.#at < this.#end) {
      if (this.#at > 0 || !this.#isOwn) this.#move(this.#end - this.#at);
      return;
    }
    this.#buffer = nothing;
    this.#at = 0;
    this.#end = 0;
  }

  /** Moves what is not parsed to the start of another buffer. */
  #move(capacity: number): void {
    const buffer = Buffer.allocUnsafe(capacity);
    this.#end = this.#buffer.copy(buffer, 0, this.#at, this.#end);
    this.#buffer = buffer;
    this.#isOwn = true;
    this.#at = 0;
  }

  #count(item: Reply | OpenList): void {
    this.#items += 1;
    if (this.#items > maxItems) throw new ProtocolError('its reply has too many items');
    if (!(item instanceof ReplyError)) return;
    this.#errors += 1;
    if (this.#errors > maxErrors) throw new ProtocolError('its reply has too many errors');
  }

  /** Puts an item into the open list. Returns the reply that is complete with it. */
  #place(item: Reply | OpenList): Reply | Push | undefined {
    const lists = this.#lists;
    if (item instanceof OpenList && item.left > 0) {
      if (lists.length === maxDepth) throw new ProtocolError('its reply has too many levels');
      lists.push(item);
      return undefined;
    }
    let done = item;
    for (let list = lists.at(-1); list !== undefined; list = lists.at(-1)) {
      list.items.push(done instanceof OpenList ? done.items : done);
      list.left -= 1;
      if (list.left > 0) return undefined;
      lists.pop();
      done = list;
    }
    if (!(done instanceof OpenList)) return done;
    return done.isPush ? new Push(done.items) : done.items;
  }

  #item(): Reply | OpenList | undefined {
    if (this.#string !== undefined) return this.#text(this.#string);
    const line = this.#line();
    if (line === undefined) return undefined;
    const rest = line.slice(1);
    switch (line[0]) {
      case '+':
      case ',':
      case '(':
        return rest;
      case '-':
        return new ReplyError(rest);
      case ':':
        return integer(rest);
      case '#':
        return rest === 't' ? 1 : 0;
      case '_':
        return null;
      case '$':
      case '=':
      case '!':
        return this.#begin(line[0], integer(rest));
      case '*':
      case '~':
      case '>':
        return integer(rest) < 0 ? null : new OpenList(integer(rest), line[0] === '>');
      case '%':
        return new OpenList(2 * Math.max(0, integer(rest)), false);
      default:
        throw new ProtocolError("its reply is not of Redis' protocol");
    }
  }

  #begin(type: string, bytes: number): Reply | undefined {
    if (bytes < 0) return null;
    if (this.#replyBytes + bytes > maxReplyBytes) throw new ProtocolError('its reply is too long');
    this.#string = { type, bytes };
    return this.#text(this.#string);
  }

  #text({ type, bytes }: { readonly type: string; readonly bytes: number }): Reply | undefined {
    const end = this.#at + bytes;
    if (this.#end < end + breakBytes) return undefined;
    if (this.#buffer[end + 1] !== newline) throw new ProtocolError('a string in its reply has another length');
    const text = this.#buffer.toString('utf8', this.#at, end);
    this.#advance(end + breakBytes);
    this.#string = undefined;
    if (type === '!') return new ReplyError(text);
    // Its format comes first: `txt:`.
    return type === '=' ? text.slice(4) : text;
  }

  #line(): string | undefined {
    const found = this.#buffer.indexOf(newline, this.#at);
    // An own buffer may have more room than it has bytes.
    const isWhole = found !== -1 && found < this.#end;
    const end = isWhole ? found : this.#end;
    const bytes = end - this.#at;
    if (bytes > 0) requireType(this.#buffer[this.#at]);
    if (bytes > maxLineBytes) throw new ProtocolError('its reply has too long a line');
    if (!isWhole) return undefined;
    const line = this.#buffer.toString('utf8', this.#at, end);
    this.#advance(end + 1);
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  #advance(to: number): void {
    this.#replyBytes += to - this.#at;
    this.#at = to;
    if (this.#replyBytes > maxReplyBytes) throw new ProtocolError('its reply is too long');
  }
}

function integer(text: string): number {
  if (!/^[+-]?\d{1,19}$/.test(text)) throw new ProtocolError('its reply has no number where one must be');
  return Number(text);
}

/** What is not Redis' protocol may have no line break. */
function requireType(byte: number | undefined): void {
  const type = String.fromCharCode(byte ?? 0);
  if (!'+,(-:#_$=!*~>%'.includes(type)) throw new ProtocolError("its reply is not of Redis' protocol");
}
