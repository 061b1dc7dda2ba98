import { type Reply, RespError } from './resp.ts';

// Undefined: the rest of the reply has not arrived yet.
type Read = { value: Reply; end: number } | undefined;

/** Cuts a stream of bytes into RESP2 replies. */
export class ReplyParser {
  #rest: Buffer = Buffer.alloc(0);

  /** The replies that are complete with this chunk. Throws on bytes that are not RESP2. */
  push(chunk: Buffer): Reply[] {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const replies: Reply[] = [];
    let offset = 0;
    for (;;) {
      const read = readReply(buffer, offset);
      if (read === undefined) break;
      replies.push(read.value);
      offset = read.end;
    }
    this.#rest = buffer.subarray(offset);
    return replies;
  }
}

function readReply(buffer: Buffer, start: number): Read {
  const lineEnd = buffer.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  const line = buffer.toString('utf8', start + 1, lineEnd);
  const next = lineEnd + 2;
  switch (String.fromCharCode(buffer[start] ?? 0)) {
    case '+':
      return { value: line, end: next };
    case '-':
      return { value: new RespError(line), end: next };
    case ':':
      return { value: Number(line), end: next };
    case '$':
      return readBulk(buffer, next, Number(line));
    case '*':
      return readArray(buffer, next, Number(line));
    default:
      throw new Error(`not a Redis reply: ${JSON.stringify(line.slice(0, 80))}`);
  }
}

function readBulk(buffer: Buffer, start: number, length: number): Read {
  if (length < 0) return { value: null, end: start };
  const end = start + length;
  if (buffer.length < end + 2) return undefined;
  return { value: buffer.toString('utf8', start, end), end: end + 2 };
}

function readArray(buffer: Buffer, start: number, length: number): Read {
  if (length < 0) return { value: null, end: start };
  const items: Reply[] = [];
  let offset = start;
  while (items.length < length) {
    const item = readReply(buffer, offset);
    if (item === undefined) return undefined;
    items.push(item.value);
    offset = item.end;
  }
  return { value: items, end: offset };
}
