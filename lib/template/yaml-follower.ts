/** The place of a value in a YAML text. */
export type YamlPlace = 'plain' | 'double' | 'single' | 'comment' | 'block';

/** Follows literal YAML closely enough to know what kind of scalar the next character belongs to. */
export class YamlFollower {
  place: YamlPlace = 'plain';
  /** The line so far, outside of quotes: what decides whether a quote opens a scalar. */
  #line = '';
  #escaped = false;
  /** A single quote has just ended its scalar. A second one is a doubled quote, and the scalar continues. */
  #closed = false;
  /** How many lists and maps in brackets are open. */
  #depth = 0;
  /** Whether the current word has a value that is a text. */
  #hasText = false;
  /** Indentation of the line whose `|` or `>` began the block. */
  #blockIndent = -1;

  /** Spaces before the value that comes next, if it is the first in its line and may be a block. */
  get blockIndent(): number | undefined {
    return this.place === 'plain' && this.#depth === 0 && /^ *$/.test(this.#line) ? this.#line.length : undefined;
  }

  /** Whether the value that comes next is in the name of a tag, an anchor or an alias. */
  get inProperty(): boolean {
    const word = lastWord(this.#line, this.#depth > 0 ? /[\s,[\]{}]/ : /\s/);
    const preceding = this.#line.slice(0, this.#line.length - word.length).replace(/(?:[!&]\S*\s+)+$/, '');
    return this.place === 'plain' && /^[!&*]/.test(word) && opensScalar(preceding.replace(/^---\s+/, ''));
  }

  /** A value follows, which begins with something other than a space. */
  enterScalar(): void {
    this.#closed = false;
    this.#enterBlock('x');
  }

  addValue(written: string, type: string): void {
    // The line stays short, whatever the value. Nothing in quotes counts.
    if (this.place === 'plain' || this.place === 'block')
      this.#line += written.startsWith('"') ? '""' : written.slice(0, 64);
    if (type === 'string') this.#hasText = true;
  }

  /**
   * What a plain scalar has before and after the value that comes next, if it is one word. `after` is the literal text up to
   * the next value.
   */
  scalarAround(
    after: string | undefined,
  ): { readonly before: string; readonly after: string; readonly hasText: boolean } | undefined {
    const before = lastWord(this.#line, this.#depth > 0 ? /[\s,[\]{}]/ : /\s/);
    const preceding = this.#line
      .slice(0, this.#line.length - before.length)
      .replace(/^---\s+/, '')
      .replace(/&\S+\s+$/, '');
    if (after === undefined || !opensScalar(preceding)) return undefined;
    const word =
      this.#depth > 0
        ? /^([^\s,[\]{}]*?)(?:\s*[,\]}]|\s*$|[ \t]*\r?\n|[ \t]+#|:(?:\s|$))/
        : /^(\S*?)(?:\s*$|[ \t]*\r?\n|[ \t]+#|:(?:\s|$))/;
    const rest = word.exec(after)?.[1];
    return rest === undefined ? undefined : { before, after: rest, hasText: this.#hasText };
  }

  read(text: string): void {
    for (const char of text) this.#readChar(char);
  }

  #readChar(char: string): void {
    if (this.place === 'double' || this.place === 'single') {
      this.#readQuoted(char);
    } else if (char === '\n') {
      if (this.place === 'plain') this.#startBlock();
      this.place = this.#blockIndent >= 0 ? 'block' : 'plain';
      this.#line = '';
      this.#hasText = false;
    } else if (this.place === 'block') {
      this.#enterBlock(char);
      this.#line += char;
    } else if (this.place === 'plain') {
      const reopens = char === "'" && this.#closed;
      this.#closed = false;
      if (reopens) this.place = 'single';
      else if ((char === '"' || char === "'") && opensScalar(this.#line))
        this.place = char === '"' ? 'double' : 'single';
      else if (char === '#' && /(?:^|\s)$/.test(this.#line)) this.place = 'comment';
      else this.#readPlain(char);
      this.#line += char;
    }
  }

  #readPlain(char: string): void {
    if ((char === '[' || char === '{') && (this.#depth > 0 || opensScalar(this.#line))) this.#depth += 1;
    else if (char === ']' || char === '}') this.#depth = Math.max(0, this.#depth - 1);
    if (/[\s,[\]{}]/.test(char)) this.#hasText = false;
  }

  #readQuoted(char: string): void {
    const quote = this.place === 'double' ? '"' : "'";
    if (this.#escaped) this.#escaped = false;
    else if (this.place === 'double' && char === '\\') this.#escaped = true;
    else if (char === quote) {
      this.#closed = this.place === 'single';
      this.place = 'plain';
    }
  }

  #startBlock(): void {
    if (/(?:^|[\s:-])[|>][+-]?[1-9]?[+-]?\s*$/.test(this.#line)) this.#blockIndent = indentOf(this.#line);
  }

  /** A line of text that is not indented further ends the block. */
  #enterBlock(char: string): void {
    if (this.place !== 'block' || /\s/.test(char) || /\S/.test(this.#line)) return;
    if (this.#line.length > this.#blockIndent) return;
    this.#blockIndent = -1;
    this.place = 'plain';
  }
}

/** A quote begins a scalar at the start of a line or after an indicator; within a plain scalar it is a character. */
function opensScalar(line: string): boolean {
  return /(?:^\s*|[[{,]\s*|(?:^|\s)[-?]\s+|:\s+)$/.test(line);
}

function lastWord(line: string, delimiter: RegExp): string {
  let begin = line.length;
  while (begin > 0 && !delimiter.test(line.charAt(begin - 1))) begin -= 1;
  return line.slice(begin);
}

function indentOf(line: string): number {
  return /^ */.exec(line)?.[0].length ?? 0;
}
