/* The syntax tree of a template in the language of Go's text/template. */

export interface Place {
  /** From 1. */
  readonly line: number;
  /** The source from the opening delimiter to the end of the construct. */
  readonly source: string;
}

export type GoExpression =
  | { readonly kind: 'dot' }
  | { readonly kind: 'field'; readonly names: readonly string[] }
  /** `$` has an empty name. */
  | { readonly kind: 'variable'; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: 'chain'; readonly of: GoExpression; readonly names: readonly string[] }
  | { readonly kind: 'pipeline'; readonly pipeline: GoPipeline }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'number'; readonly written: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'nil' }
  | { readonly kind: 'function'; readonly name: string };

/** Operands: a value alone, or a function and its arguments. */
export type GoCommand = readonly GoExpression[];

export interface GoPipeline {
  /** Names of the variables that it sets, without `$`. */
  readonly sets: readonly string[];
  /** `=` changes a variable, `:=` declares one. */
  readonly how: 'declare' | 'assign';
  readonly commands: readonly GoCommand[];
}

export type GoNode =
  /** `trimmed`, `trimmedEnd`: the white space that trim markers removed from its beginning and its end. */
  | { readonly kind: 'text'; readonly text: string; readonly trimmed: string; readonly trimmedEnd?: string }
  | ({ readonly kind: 'comment'; readonly text: string } & Place)
  | ({ readonly kind: 'action'; readonly pipeline: GoPipeline } & Place)
  | GoBlock
  | ({ readonly kind: 'template'; readonly name: string; readonly pipeline: GoPipeline | undefined } & Place)
  | ({ readonly kind: 'define'; readonly name: string; readonly body: readonly GoNode[] } & Place)
  | ({ readonly kind: 'jump'; readonly word: 'break' | 'continue' } & Place);

export type GoBlock = {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipeline: GoPipeline;
  readonly body: readonly GoNode[];
  /** `undefined`: there is no else. An `else if` is one node within it. */
  readonly otherwise: readonly GoNode[] | undefined;
} & Place;

/** A template that Go would refuse too. */
export class GoSyntaxError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
