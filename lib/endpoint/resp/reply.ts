/*
 * Replies of RESP2 and RESP3, as a server writes them (https://redis.io/docs/latest/develop/reference/protocol-spec/). The
 * RESP libraries on npm parse replies for clients and limit nothing; a server needs the opposite direction, with limits.
 */

/** `OK`, `PONG`: a simple string. Its text has no line break. */
export class SimpleString {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An error. The first word of its text is the code, in capitals: `ERR`, `NOAUTH`. */
export class ErrorReply {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A text for people: a verbatim string in RESP3, a bulk string in RESP2. */
export class Verbatim {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A message of pub/sub: a push in RESP3, an array in RESP2. */
export class Push {
  readonly items: readonly Reply[];

  constructor(items: readonly Reply[]) {
    this.items = items;
  }
}

/** No list, as for an unknown master. */
class NullArray {}

/** A string is a bulk string. A Map and a Set are flat arrays in RESP2. */
export type Reply =
  | string
  | number
  | null
  | SimpleString
  | ErrorReply
  | Verbatim
  | Push
  | NullArray
  | readonly Reply[]
  | ReadonlySet<Reply>
  | ReadonlyMap<string, Reply>;

export type Protocol = 2 | 3;

export const ok = new SimpleString('OK');
export const nullArray = new NullArray();

/** The text of a reply on the wire, in UTF-8. */
export function encodeReply(reply: Reply, protocol: Protocol): string {
  if (typeof reply === 'string') return `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`;
  if (typeof reply === 'number') return `:${reply}\r\n`;
  if (reply === null) return protocol === 3 ? '_\r\n' : '$-1\r\n';
  if (reply instanceof SimpleString) return `+${reply.text}\r\n`;
  if (reply instanceof ErrorReply) return `-${reply.text.replace(/[\r\n]+/g, ' ')}\r\n`;
  if (reply instanceof Verbatim)
    return protocol === 3
      ? `=${Buffer.byteLength(reply.text) + 4}\r\ntxt:${reply.text}\r\n`
      : encodeReply(reply.text, 2);
  if (reply instanceof NullArray) return protocol === 3 ? '_\r\n' : '*-1\r\n';
  if (reply instanceof Push) return encodeList(protocol === 3 ? '>' : '*', reply.items, protocol);
  if (reply instanceof Map) return encodeMap(reply, protocol);
  if (reply instanceof Set) return encodeList(protocol === 3 ? '~' : '*', [...reply], protocol);
  return encodeList('*', reply as readonly Reply[], protocol);
}

function encodeList(type: string, items: readonly Reply[], protocol: Protocol): string {
  return `${type}${items.length}\r\n${items.map((item) => encodeReply(item, protocol)).join('')}`;
}

function encodeMap(map: ReadonlyMap<string, Reply>, protocol: Protocol): string {
  const items = [...map].flat();
  const size = protocol === 3 ? `%${map.size}` : `*${items.length}`;
  return `${size}\r\n${items.map((item) => encodeReply(item, protocol)).join('')}`;
}
