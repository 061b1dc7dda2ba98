// RESP2 from the server's side, as bytes of latin1 text: https://redis.io/docs/latest/develop/reference/protocol-spec/

export function simple(text: string): string {
  return `+${text}\r\n`;
}

export function error(text: string): string {
  return `-${text}\r\n`;
}

export function integer(value: number): string {
  return `:${value}\r\n`;
}

export function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

export function array(...items: readonly string[]): string {
  return `*${items.length}\r\n${items.join('')}`;
}

/** Cuts a stream of bytes into requests, each a list of words. */
export class RequestParser {
  #rest = '';

  /** The requests that are complete with this chunk. A line that begins no array is an inline command. */
  push(chunk: Buffer): string[][] {
    const text = this.#rest + chunk.toString('latin1');
    const requests: string[][] = [];
    let start = 0;
    for (;;) {
      const request = readRequest(text, start);
      if (request === undefined) break;
      requests.push(request.words);
      start = request.end;
    }
    this.#rest = text.slice(start);
    return requests;
  }
}

function readRequest(text: string, start: number): { words: string[]; end: number } | undefined {
  let lineEnd = text.indexOf('\r\n', start);
  if (lineEnd === -1) return undefined;
  if (text[start] !== '*') return { words: text.slice(start, lineEnd).split(' '), end: lineEnd + 2 };
  const count = Number(text.slice(start + 1, lineEnd));
  const words: string[] = [];
  let end = lineEnd + 2;
  while (words.length < count) {
    lineEnd = text.indexOf('\r\n', end);
    if (lineEnd === -1) return undefined;
    const wordStart = lineEnd + 2;
    const wordEnd = wordStart + Number(text.slice(end + 1, lineEnd));
    if (text.length < wordEnd + 2) return undefined;
    words.push(text.slice(wordStart, wordEnd));
    end = wordEnd + 2;
  }
  return { words, end };
}
