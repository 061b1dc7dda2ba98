import type { TemplateDelimiters } from '../../lib/model/template-spec.ts';
import type { TemplateFormat } from '../../lib/template/format.ts';
import type { DifferenceName } from './differences.ts';

/** One template in both languages. */
export interface Pair {
  readonly consulTemplate: string;
  readonly switchmaster: string;
  /** Why the results differ; undefined if they must be the same. */
  readonly differs: DifferenceName | undefined;
  readonly format: TemplateFormat;
  /** Of both. Default: two braces. */
  readonly delimiters?: TemplateDelimiters;
}

/** An expression that both languages write alike, or a template of each, and why their results differ. */
export type PairSource = string | readonly [string, string] | readonly [string, string, DifferenceName];

/** An expression that both languages write alike, whose results differ. */
export function alike(expression: string, differs: DifferenceName): readonly [string, string, DifferenceName] {
  return [...bothOf(expression), differs];
}

/** An expression whose result has several lines, which `text` takes from `raw` only. */
export function lines(expression: string): readonly [string, string] {
  return [`{{ ${expression} }}`, `{{raw (${expression})}}`];
}

export function toPair(source: PairSource, format: TemplateFormat): Pair {
  if (typeof source === 'string') {
    const [consulTemplate, switchmaster] = bothOf(source);
    return { consulTemplate, switchmaster, differs: undefined, format };
  }
  const [consulTemplate, switchmaster, differs] = source;
  return { consulTemplate, switchmaster, differs, format };
}

/** A backslash in a text is itself in Handlebars, and begins an escape in Go. */
function bothOf(expression: string): readonly [string, string] {
  return [`{{ ${expression.replace(/\\(?!")/g, '\\\\')} }}`, `{{${expression}}}`];
}
