import { Readable } from 'node:stream';

/** A longer text is sent in parts: to write 32 MiB as JSON in one go takes half a second, in which nothing else happens. */
const longText = 256 * 1024;
const partLength = 64 * 1024;

/** Whether the texts are too long to be sent in one go. */
export function isLong(texts: Readonly<Record<string, string | null>>): boolean {
  return Object.values(texts).some((text) => text !== null && text.length > longText);
}

/** JSON of an object with the fields and the texts. */
export function streamJson(fields: object, texts: Readonly<Record<string, string | null>>): Readable {
  return Readable.from(jsonParts(fields, texts), { highWaterMark: 1 });
}

function* jsonParts(fields: object, texts: Readonly<Record<string, string | null>>): Generator<string> {
  let before = '{';
  for (const [name, value] of Object.entries(fields)) {
    const json = JSON.stringify(value);
    if (json === undefined) continue;
    yield `${before}${JSON.stringify(name)}:${json}`;
    before = ',';
  }
  for (const [name, text] of Object.entries(texts)) {
    yield `${before}${JSON.stringify(name)}:${text === null ? 'null' : '"'}`;
    before = ',';
    if (text === null) continue;
    // Half of a surrogate pair is written as an escape, and a reader joins the halves.
    for (let at = 0; at < text.length; at += partLength)
      yield JSON.stringify(text.slice(at, at + partLength)).slice(1, -1);
    yield '"';
  }
  yield before === '{' ? '{}' : '}';
}
