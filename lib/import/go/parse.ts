import { type Delimiters, type Piece, splitTemplate } from './pieces.ts';
import { TokenReader } from './pipeline.ts';
import { type GoNode, GoSyntaxError } from './syntax.ts';
import { tokenize } from './tokens.ts';

/** Reads a template. Throws `GoSyntaxError` where Go would refuse it. */
export function parseGoTemplate(
  source: string,
  delimiters: Delimiters = { left: '{{', right: '}}' },
): readonly GoNode[] {
  const parser = new Parser(source, splitTemplate(source, delimiters));
  const { nodes, end } = parser.list();
  if (end !== undefined) throw new GoSyntaxError(end.line, `unexpected {{${end.word}}}`);
  return nodes;
}

/** What ends a list of nodes: the word `end` or `else`, and the rest of its action. */
interface End {
  readonly word: 'end' | 'else';
  readonly line: number;
  readonly reader: TokenReader;
  /** The offset after it in the source. */
  readonly offset: number;
}

type Action = Piece & { readonly kind: 'action' };

const mostNested = 100;

class Parser {
  readonly #source: string;
  readonly #pieces: readonly Piece[];
  #at = 0;
  #depth = 0;

  constructor(source: string, pieces: readonly Piece[]) {
    this.#source = source;
    this.#pieces = pieces;
  }

  /** Nodes up to `{{end}}` or `{{else}}`, or to the end of the source. */
  list(): { readonly nodes: readonly GoNode[]; readonly end: End | undefined } {
    const nodes: GoNode[] = [];
    for (let piece = this.#pieces[this.#at++]; piece !== undefined; piece = this.#pieces[this.#at++]) {
      if (piece.kind !== 'action') {
        nodes.push(piece);
        continue;
      }
      const reader = new TokenReader(tokenize(piece.text, piece.line), piece.line);
      for (const word of ['end', 'else'] as const) {
        if (reader.takeWord(word)) return { nodes, end: { word, line: piece.line, reader, offset: piece.end } };
      }
      nodes.push(...this.#action(piece, reader));
    }
    return { nodes, end: undefined };
  }

  #action(piece: Action, reader: TokenReader): readonly GoNode[] {
    const { line, source } = piece;
    for (const kind of ['if', 'with', 'range'] as const) {
      if (reader.takeWord(kind)) return [this.#block(kind, piece, reader)];
    }
    for (const word of ['break', 'continue'] as const) {
      if (reader.takeWord(word)) {
        reader.end();
        return [{ kind: 'jump', word, line, source }];
      }
    }
    if (reader.takeWord('define')) {
      const name = this.#name(reader);
      reader.end();
      return [this.#define(name, piece)];
    }
    if (reader.takeWord('block')) return this.#named(piece, reader);
    if (reader.takeWord('template')) {
      const name = this.#name(reader);
      return [{ kind: 'template', name, pipeline: this.#rest(reader), line, source }];
    }
    const pipeline = reader.pipeline();
    reader.end();
    return [{ kind: 'action', pipeline, line, source }];
  }

  /** `{{block "name" x}}` defines a template and includes it at once. */
  #named(piece: Action, reader: TokenReader): readonly GoNode[] {
    const name = this.#name(reader);
    const pipeline = this.#rest(reader);
    const define = this.#define(name, piece);
    return [define, { kind: 'template', name, pipeline, line: piece.line, source: define.source }];
  }

  #define(name: string, piece: Action): GoNode & { readonly kind: 'define' } {
    const { nodes, offset } = this.#body(piece);
    return { kind: 'define', name, body: nodes, ...this.#placed(piece, offset) };
  }

  #block(
    kind: 'if' | 'with' | 'range',
    piece: Action,
    reader: TokenReader,
  ): GoNode & { readonly kind: 'if' | 'with' | 'range' } {
    const pipeline = reader.pipeline();
    reader.end();
    this.#enter(piece);
    const { nodes: body, end } = this.list();
    if (end === undefined) throw new GoSyntaxError(piece.line, `{{${kind}}} has no {{end}}`);
    const rest = end.word === 'end' ? undefined : this.#otherwise(piece, end);
    if (end.word === 'end') end.reader.end();
    this.#depth -= 1;
    return { kind, pipeline, body, otherwise: rest?.nodes, ...this.#placed(piece, rest?.offset ?? end.offset) };
  }

  /** After `{{else}}`, or after `{{else if x}}`, which ends together with the block around it. */
  #otherwise(piece: Action, end: End): { readonly nodes: readonly GoNode[]; readonly offset: number } {
    for (const kind of ['if', 'with'] as const) {
      if (end.reader.takeWord(kind)) {
        const inner = this.#pieces[this.#at - 1] as Action;
        const block = this.#block(kind, inner, end.reader);
        return { nodes: [block], offset: inner.at + block.source.length };
      }
    }
    end.reader.end();
    return this.#body(piece);
  }

  /** A list that ends with `{{end}}`. */
  #body(piece: Action): { readonly nodes: readonly GoNode[]; readonly offset: number } {
    this.#enter(piece);
    const { nodes, end } = this.list();
    if (end === undefined) throw new GoSyntaxError(piece.line, 'a block has no {{end}}');
    if (end.word !== 'end') throw new GoSyntaxError(end.line, 'unexpected {{else}}');
    end.reader.end();
    this.#depth -= 1;
    return { nodes, offset: end.offset };
  }

  #enter({ line }: Action): void {
    this.#depth += 1;
    if (this.#depth > mostNested) throw new GoSyntaxError(line, `more than ${mostNested} nested blocks`);
  }

  #placed({ line, at }: Action, end: number) {
    return { line, source: this.#source.slice(at, end) };
  }

  #name(reader: TokenReader): string {
    const token = reader.take();
    if (token.kind !== 'text') return reader.fail('a name in quotes is missing');
    return token.value;
  }

  #rest(reader: TokenReader) {
    if (reader.next === undefined) return undefined;
    const pipeline = reader.pipeline();
    reader.end();
    return pipeline;
  }
}
