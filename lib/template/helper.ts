import { SwitchmasterError } from '../errors.ts';
import { Markup } from './format.ts';
import { Float } from './number.ts';
import type { RenderScope } from './scope.ts';

/** What a template can call by name. */
export interface HelperDefinition {
  /** `value` returns a value; `block` renders its content. */
  readonly kind: 'value' | 'block';
  /** The least and the most arguments. */
  readonly takes: readonly [number, number];
  /** Names of the `name=value` options that it knows. */
  readonly options?: readonly string[];
  /** `field`: the name alone, without parentheses, is a field, although the helper needs no arguments. */
  readonly bare?: 'field';
  /** An example, for messages. */
  readonly usage: string;
  /** Whether `args` keep Go's kinds of numbers (`Float`). */
  readonly typed?: boolean;
  /** `nothing`: `{{name ...}}` leaves no trace in the output, whatever its format. */
  readonly prints?: 'nothing';
  /** `subject-last`: the value that it works on comes last, as at the end of a pipe in consul-template. */
  readonly order?: 'subject-last';
  run(call: HelperCall): unknown;
}

export interface HelperCall {
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly scope: RenderScope;
  /** The content of a block; both render nothing for a value helper. */
  readonly block: HelperBlock;
}

export interface HelperBlock {
  /** The value of `this` around the block. */
  readonly outer: unknown;
  render(context: unknown, extra?: BlockVariables): string;
  renderElse(context: unknown): string;
  /** Runs a loop. The text of the pass of each item goes through `within`, so that a refused value removes its own pass only. */
  loop(render: (within: (item: unknown, text: () => string) => string) => string): string;
}

/** That of a value helper. */
export const noBlock: HelperBlock = { outer: undefined, render: () => '', renderElse: () => '', loop: () => '' };

interface BlockVariables {
  /** Values of `@name` variables. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly blockParams: readonly unknown[];
}

/** A failure of the template with the current data. The caller that knows the place adds it. */
export function templateFailure(message: string, cause?: unknown): SwitchmasterError {
  return new SwitchmasterError('template-failed', message, cause === undefined ? {} : { cause });
}

export function textArgument(call: HelperCall, position: number): string {
  const value = call.args[position];
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (value instanceof Markup) return value.text;
  throw templateFailure(`argument ${position + 1} must be a text, not ${describeValue(value)}.`);
}

export function listArgument(call: HelperCall, position: number): readonly unknown[] {
  const value = call.args[position];
  if (Array.isArray(value)) return value;
  throw templateFailure(`argument ${position + 1} must be a list, not ${describeValue(value)}.`);
}

/**
 * V8 cannot end a single native operation, such as the joining of a list. So its result must not be much longer than the
 * longest permitted text.
 */
const longestText = 32 * 1024 * 1024;

/** Joins a list. Throws `template-failed` if that gives too long a text. */
export function joinTexts(texts: readonly string[], separator: string): string {
  const length = texts.reduce((sum, text) => sum + text.length, separator.length * Math.max(0, texts.length - 1));
  if (length > longestText) throw templateFailure(`the result is longer than ${longestText} characters.`);
  return texts.join(separator);
}

export function describeValue(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (value instanceof Float) return String(value.value);
  if (value instanceof Markup) return JSON.stringify(value.text.slice(0, 40));
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return JSON.stringify(String(value).slice(0, 40));
}
