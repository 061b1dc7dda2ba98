import { importInvalid } from './problem.ts';

/*
 * Reads the configuration language of consul-template: HCL in its first version, and JSON, which is nearly a part of it.
 * There is no interpolation: consul-template has none either.
 */

export type HclValue =
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  /** As written: `0600` is a file mode. */
  | { readonly kind: 'number'; readonly written: string; readonly line: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly line: number }
  | { readonly kind: 'list'; readonly items: readonly HclValue[]; readonly line: number }
  | HclObject;

export interface HclObject {
  readonly kind: 'object';
  readonly entries: readonly HclEntry[];
  readonly line: number;
}

export interface HclEntry {
  readonly key: string;
  readonly value: HclValue;
  readonly line: number;
}

/** Throws `import-invalid` with the line. */
export function parseHcl(file: string, text: string): HclObject {
  return new HclReader(file, text).read();
}

const mostNested = 50;
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  '"': '"',
  '\\': '\\',
  '/': '/',
};

class HclReader {
  readonly #file: string;
  readonly #text: string;
  #at = 0;
  #line = 1;
  #counted = 0;
  #depth = 0;

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text.replace(/^\uFEFF/, '');
  }

  read(): HclObject {
    this.#skip();
    const isJson = this.#take('{');
    const entries = this.#entries(isJson ? '}' : undefined);
    if (isJson) this.#skip();
    if (this.#at < this.#text.length) this.#fail(`unexpected ${JSON.stringify(this.#text[this.#at])}`);
    return { kind: 'object', entries, line: 1 };
  }

  #entries(end: '}' | undefined): readonly HclEntry[] {
    const entries: HclEntry[] = [];
    for (;;) {
      this.#skip();
      if (end !== undefined && this.#take(end)) return entries;
      if (this.#at >= this.#text.length) {
        if (end === undefined) return entries;
        this.#fail('a block does not end');
      }
      entries.push(this.#entry());
      this.#skip();
      this.#take(',');
    }
  }

  #entry(): HclEntry {
    const line = this.line;
    const key = this.#key();
    this.#skip();
    if (this.#take('=') || this.#take(':')) {
      this.#skip();
      return { key, value: this.#value(), line };
    }
    // A label of a block, such as a name, is a level of its own.
    if (this.#text[this.#at] !== '{') return { key, value: { kind: 'object', entries: [this.#entry()], line }, line };
    return { key, value: this.#value(), line };
  }

  #key(): string {
    if (this.#text[this.#at] === '"') return this.#quoted();
    const word = this.#match(/[\p{L}_][\p{L}\p{Nd}_.-]*/uy);
    return word ?? this.#fail('the name of a setting is missing');
  }

  #value(): HclValue {
    const line = this.line;
    const sign = this.#text[this.#at];
    if (sign === '"') return { kind: 'text', text: this.#quoted(), line };
    if (this.#text.startsWith('<<', this.#at)) return { kind: 'text', text: this.#heredoc(), line };
    if (sign === '[' || sign === '{') return this.#nested(sign, line);
    const word = this.#match(/[-+\w.]+/y);
    if (word === 'true' || word === 'false') return { kind: 'boolean', value: word === 'true', line };
    if (word === 'null') return { kind: 'text', text: '', line };
    if (word === undefined || !/^[-+]?[\d.]/.test(word)) this.#fail('a value is missing: a text needs quotes');
    return { kind: 'number', written: word, line };
  }

  #nested(sign: '[' | '{', line: number): HclValue {
    this.#depth += 1;
    if (this.#depth > mostNested) this.#fail(`more than ${mostNested} nested blocks`);
    this.#at += 1;
    const value: HclValue =
      sign === '{'
        ? { kind: 'object', entries: this.#entries('}'), line }
        : { kind: 'list', items: this.#items(), line };
    this.#depth -= 1;
    return value;
  }

  #items(): readonly HclValue[] {
    const items: HclValue[] = [];
    for (;;) {
      this.#skip();
      if (this.#take(']')) return items;
      if (this.#at >= this.#text.length) this.#fail('a list does not end');
      items.push(this.#value());
      this.#skip();
      if (!this.#take(',') && this.#text[this.#at] !== ']') this.#fail('a list has no comma here');
    }
  }

  #quoted(): string {
    const whole = this.#match(/"(?:[^"\\\n]|\\[^\n])*"/y);
    if (whole === undefined) return this.#fail('a text does not end');
    return whole.slice(1, -1).replace(/\\(?:u([\da-fA-F]{4})|(.))/g, (_, code: string | undefined, sign: string) => {
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      return escapes[sign] ?? this.#fail(`\\${sign} is no escape in a text`);
    });
  }

  /** `<<-` removes the indentation of the line that ends the text from each line. */
  #heredoc(): string {
    const begin = /<<(-?)([\p{L}_][\p{L}\p{Nd}_]*)[ \t]*\r?\n/uy;
    begin.lastIndex = this.#at;
    const [head, dash, name] =
      begin.exec(this.#text) ?? this.#fail('a text does not begin: write <<NAME at the end of a line');
    const rest = this.#text.slice(this.#at + head.length);
    const end = new RegExp(`^([ \\t]*)${name}[ \\t]*$`, 'm').exec(rest.replaceAll('\r', ' '));
    if (end === null) return this.#fail(`a text does not end: there is no line ${name}`);
    this.#at += head.length + end.index + end[0].length;
    const lines = rest.slice(0, end.index).split('\n');
    const indent = end[1] ?? '';
    return dash === '-'
      ? lines.map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line)).join('\n')
      : lines.join('\n');
  }

  #skip(): void {
    this.#match(/(?:\s|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y);
  }

  #take(sign: string): boolean {
    if (this.#text[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  get line(): number {
    this.#line += this.#text.slice(this.#counted, this.#at).split('\n').length - 1;
    this.#counted = this.#at;
    return this.#line;
  }

  #fail(message: string): never {
    throw importInvalid({ file: this.#file, line: this.line }, message);
  }
}
