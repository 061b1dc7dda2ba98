import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/*
 * What a program writes, line by line. A program that writes without an end, or one line without an end, must neither occupy the
 * event loop nor fill the memory. So the daemon reads only so much at a time: then the pipe is full, and the program waits.
 */

/** The rest of a longer line is left out. */
const maxLineLength = 4_096;
const intervalMs = 100;
/** Per interval. A busy program writes some hundred lines a second. */
const maxLines = 200;
const maxBytes = 128 * 1024;

export interface OutputReader {
  readonly onLine: (line: string) => void;
  /** Lines beyond the limit were left out. */
  readonly onLost: (lines: number) => void;
}

/** Reads a stream to its end. */
export function readLines(stream: Readable, reader: OutputReader): void {
  const decoder = new StringDecoder();
  const lines = new LineBuffer();
  let budget = { lines: maxLines, bytes: maxBytes };
  let lost = 0;
  let timer: NodeJS.Timeout | undefined;
  const take = (line: string) => {
    budget.lines -= 1;
    if (budget.lines >= 0) reader.onLine(line.replace(/\r$/, '').slice(0, maxLineLength));
    else lost += 1;
  };
  const renew = () => {
    timer = undefined;
    budget = { lines: maxLines, bytes: maxBytes };
    if (lost > 0) reader.onLost(lost);
    lost = 0;
    stream.resume();
  };
  stream.on('data', (chunk: Buffer) => {
    timer ??= setTimeout(renew, intervalMs);
    budget.bytes -= chunk.length;
    if (budget.bytes <= 0) stream.pause();
    for (const line of lines.add(decoder.write(chunk))) take(line);
  });
  stream.once('end', () => {
    for (const line of lines.end(decoder.end())) take(line);
  });
  stream.once('close', () => {
    clearTimeout(timer);
    if (lost > 0) reader.onLost(lost);
  });
}

/** Divides a text that comes in pieces into lines, and keeps no more of a line than is used. */
class LineBuffer {
  #begun = '';

  add(text: string): readonly string[] {
    const [first = '', ...rest] = text.split('\n');
    const last = rest.pop();
    this.#extend(first);
    if (last === undefined) return [];
    const line = this.#begun;
    this.#begun = '';
    this.#extend(last);
    return [line, ...rest];
  }

  /** The last line, if it has no end. */
  end(text: string): readonly string[] {
    const lines = this.add(text);
    return this.#begun === '' ? lines : [...lines, this.#begun];
  }

  #extend(text: string): void {
    // One more, for the carriage return before the end.
    if (this.#begun.length <= maxLineLength) this.#begun += text.slice(0, maxLineLength + 1 - this.#begun.length);
  }
}
