import type { Shape } from './shapes.ts';

/** A value in the language of Handlebars. */
export interface Value {
  /** As an argument: a literal, a path such as `this.tags`, or a call in parentheses. */
  readonly code: string;
  readonly shape: Shape;
  readonly kind: 'literal' | 'path' | 'call';
}

/** Why something cannot be translated, and what to do. */
export class Untranslatable extends Error {
  readonly advice: string;

  constructor(reason: string, advice: string) {
    super(reason);
    this.advice = advice;
  }
}

/** The names that a place in a template can use. */
export interface Scope {
  readonly dot: Value;
  /** By their names without `$`. That of `$` is empty. */
  readonly variables: ReadonlyMap<string, Value>;
  /** Names of `as |name|` around the place. */
  readonly params: ReadonlySet<string>;
}

export function topScope({ dot, root }: { readonly dot: Value; readonly root: Value }): Scope {
  return { dot, variables: new Map([['', root]]), params: new Set() };
}

export function withVariable(scope: Scope, name: string, value: Value): Scope {
  return { ...scope, variables: new Map([...scope.variables, [name, value]]) };
}

/** Within a block that gives `this` another value. */
export function withDot(scope: Scope, shape: Shape): Scope {
  return { ...scope, dot: { code: 'this', shape, kind: 'path' } };
}
