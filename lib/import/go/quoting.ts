import { GoSyntaxError } from './syntax.ts';

const simple: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** The value of a text as Go writes it, with its quotes. */
export function unquote(written: string, line: number): string {
  if (written.startsWith('`')) return written.slice(1, -1).replaceAll('\r', '');
  const bytes: Buffer[] = [];
  const pieces = written
    .slice(1, -1)
    .matchAll(/\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|(.))|[^\\]+/gs);
  for (const [whole, hex, short, long, octal, sign] of pieces) {
    const code = short ?? long;
    if (hex !== undefined) bytes.push(Buffer.from([Number.parseInt(hex, 16)]));
    else if (octal !== undefined) bytes.push(Buffer.from([Number.parseInt(octal, 8) & 255]));
    else if (code !== undefined) bytes.push(Buffer.from(characterOf(Number.parseInt(code, 16), line)));
    else if (sign !== undefined) bytes.push(Buffer.from(escaped(sign, line)));
    else bytes.push(Buffer.from(whole));
  }
  return Buffer.concat(bytes).toString();
}

function escaped(sign: string, line: number): string {
  const value = Object.hasOwn(simple, sign) ? simple[sign] : undefined;
  if (value === undefined) throw new GoSyntaxError(line, `\\${sign} is no escape in a text`);
  return value;
}

function characterOf(code: number, line: number): string {
  if (code > 0x10_ffff || (code >= 0xd800 && code < 0xe000)) throw new GoSyntaxError(line, `${code} is no character`);
  return String.fromCodePoint(code);
}
