import { type GoCommand, type GoExpression, type GoPipeline, GoSyntaxError } from './syntax.ts';
import type { Token } from './tokens.ts';

/** Reads the words of one action. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  readonly #line: number;
  #at = 0;

  constructor(tokens: readonly Token[], line: number) {
    this.#tokens = tokens;
    this.#line = line;
  }

  get next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  take(): Token {
    const token = this.next;
    if (token === undefined) throw new GoSyntaxError(this.#line, 'an action is incomplete');
    this.#at += 1;
    return token;
  }

  takeWord(word: string): boolean {
    const { next } = this;
    if (next?.kind !== 'word' || next.word !== word) return false;
    this.#at += 1;
    return true;
  }

  takeSign(sign: string): boolean {
    const { next } = this;
    if (next?.kind !== 'sign' || next.sign !== sign) return false;
    this.#at += 1;
    return true;
  }

  end(): void {
    if (this.next !== undefined) this.fail(`unexpected ${describe(this.next)}`);
  }

  fail(message: string): never {
    throw new GoSyntaxError(this.next?.line ?? this.#line, message);
  }

  /** A pipeline up to the end of the action, or to a closing parenthesis. */
  pipeline(depth = 0): GoPipeline {
    // Go has no limit. The stack of this process has one.
    if (depth > 200) this.fail('more than 200 nested parentheses');
    const { sets, how } = this.#variables();
    const commands: GoCommand[] = [];
    do commands.push(this.#command(depth));
    while (this.takeSign('|'));
    return { sets, how, commands };
  }

  #variables(): Pick<GoPipeline, 'sets' | 'how'> {
    const start = this.#at;
    const sets: string[] = [];
    while (this.next?.kind === 'variable') {
      sets.push((this.take() as Token & { readonly kind: 'variable' }).name);
      if (this.takeSign(':=')) return { sets, how: 'declare' };
      if (this.takeSign('=')) return { sets, how: 'assign' };
      if (sets.length > 1 || !this.takeSign(',')) break;
    }
    this.#at = start;
    return { sets: [], how: 'declare' };
  }

  #command(depth: number): GoCommand {
    const operands: GoExpression[] = [];
    for (;;) {
      const { next } = this;
      if (next === undefined || (next.kind === 'sign' && (next.sign === '|' || next.sign === ')'))) break;
      operands.push(this.#operand(depth));
    }
    if (operands.length === 0) this.fail('a value is missing');
    return operands;
  }

  #operand(depth: number): GoExpression {
    const token = this.take();
    switch (token.kind) {
      case 'text':
        return { kind: 'text', value: token.value };
      case 'number':
        return { kind: 'number', written: token.written };
      case 'field':
        return { kind: 'field', names: [token.name, ...this.#names()] };
      case 'variable':
        return { kind: 'variable', name: token.name, names: this.#names() };
      case 'word':
        return this.#word(token.word);
      case 'sign':
        break;
    }
    if (token.sign === '.') return { kind: 'dot' };
    if (token.sign !== '(') this.fail(`unexpected ${describe(token)}`);
    const pipeline = this.pipeline(depth + 1);
    if (!this.takeSign(')')) this.fail('a parenthesis does not end');
    return this.#chain({ kind: 'pipeline', pipeline });
  }

  #word(word: string): GoExpression {
    if (word === 'true' || word === 'false') return { kind: 'boolean', value: word === 'true' };
    if (word === 'nil') return { kind: 'nil' };
    return this.#chain({ kind: 'function', name: word });
  }

  #chain(of: GoExpression): GoExpression {
    const names = this.#names();
    return names.length === 0 ? of : { kind: 'chain', of, names };
  }

  /** Names of fields without space before them. */
  #names(): readonly string[] {
    const names: string[] = [];
    while (this.next?.kind === 'field' && !this.next.spaced) {
      names.push((this.take() as Token & { readonly kind: 'field' }).name);
    }
    return names;
  }
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'text':
      return JSON.stringify(token.value.slice(0, 40));
    case 'number':
      return token.written;
    case 'word':
      return token.word;
    case 'field':
      return `.${token.name}`;
    case 'variable':
      return `$${token.name}`;
    case 'sign':
      return token.sign;
  }
}
