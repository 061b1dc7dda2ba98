import { moveNewLines } from '../go/lines.ts';
import { parseGoTemplate } from '../go/parse.ts';
import type { Delimiters } from '../go/pieces.ts';
import type { GoNode } from '../go/syntax.ts';
import type { RemarkText } from '../remark.ts';
import { invalidMessages } from './compiled.ts';
import { ScratchNames } from './names.ts';
import type { Value } from './scope.ts';
import { isSameShape, type Shape } from './shapes.ts';
import { translateNodes } from './translate.ts';
import type { Translation } from './translation.ts';
import { writeTemplate } from './write.ts';

/** A template in Handlebars, and the partials that it includes. */
export interface ImportedTemplate {
  readonly text: string;
  /** By the name that `{{> name}}` has. */
  readonly partials: ReadonlyMap<string, string>;
  readonly remarks: readonly RemarkText[];
}

export interface GoTemplateOptions {
  /** Default: two braces. */
  readonly delimiters?: Delimiters;
  /** What the top of the template is given. Default: nothing. */
  readonly root?: Shape;
  /** Of the names of partials. */
  readonly prefix?: string;
}

const nothing: Value = { code: 'this', shape: 'nothing', kind: 'path' };

/**
 * Translates a template of consul-template. Whatever has no equivalent is marked at its place, so that `switchmaster check`
 * refuses the result until somebody has written it. Throws `GoSyntaxError` where consul-template would refuse it too.
 */
export function importGoTemplate(source: string, options: GoTemplateOptions = {}): ImportedTemplate {
  const { delimiters, root = 'nothing', prefix = '' } = options;
  const top: Value = { code: 'this', shape: root, kind: 'path' };
  const nodes = moveNewLines(parseGoTemplate(source, delimiters));
  const names = new ScratchNames(nodes);
  const defines = definesIn(nodes);
  const partialNames = namePartials([...defines.keys()], prefix);
  const partial = (name: string) => partialNames.get(name);
  const main = translateNodes({ nodes, dot: top, root: top, names, partial });
  const parts = translateParts({ main, defines, names, partial });
  const text = writeTemplate(main.pieces);
  const partials = new Map(
    [...parts].map(([name, part]) => [partialNames.get(name) ?? name, writeTemplate(part.pieces)]),
  );
  const remarks = [main, ...parts.values()].flatMap((part) => part.remarks);
  return {
    text,
    partials,
    remarks: [...remarks, ...invalidMessages({ text, partials })].toSorted((a, b) => a.line - b.line),
  };
}

/** The last definition of a name counts. */
function definesIn(nodes: readonly GoNode[]): ReadonlyMap<string, readonly GoNode[]> {
  const found = nodes.flatMap((node): (readonly [string, readonly GoNode[]])[] => {
    if (node.kind === 'define') return [[node.name, node.body], ...definesIn(node.body)];
    if (node.kind === 'if' || node.kind === 'with' || node.kind === 'range')
      return [...definesIn(node.body), ...definesIn(node.otherwise ?? [])];
    return [];
  });
  return new Map(found);
}

function namePartials(names: readonly string[], prefix: string): ReadonlyMap<string, string> {
  const taken = new Map<string, string>();
  for (const name of names) {
    let partial = `${prefix}${name}`.replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^-+|-+$/g, '') || 'part';
    if (/^\d/.test(partial)) partial = `part-${partial}`;
    while ([...taken.values()].includes(partial)) partial += '-2';
    taken.set(name, partial);
  }
  return taken;
}

/** Each template that another one includes. The dot of one that gets values of several kinds is unknown. */
function translateParts(input: {
  readonly main: Translation;
  readonly defines: ReadonlyMap<string, readonly GoNode[]>;
  readonly names: ScratchNames;
  readonly partial: (name: string) => string | undefined;
}): ReadonlyMap<string, Translation> {
  const { main, defines, names, partial } = input;
  const shapes = new Map<string, Shape>();
  const parts = new Map<string, Translation>();
  const waiting = [...main.calls];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { name } = next;
    const known = shapes.get(name);
    if (known === 'unknown' || (known !== undefined && isSameShape(known, next.shape))) continue;
    const shape = known === undefined ? next.shape : 'unknown';
    shapes.set(name, shape);
    const dot: Value = shape === 'nothing' ? nothing : { code: 'dot', shape, kind: 'path' };
    const part = withRoot(partial(name) ?? name, (root) =>
      translateNodes({ nodes: defines.get(name) ?? [], dot, root: { ...root, shape }, names, partial }),
    );
    parts.set(name, part);
    waiting.push(...part.calls);
  }
  return parts;
}

/** Within its blocks, a partial finds what it was given, Go's `$`, in `scratch` alone. */
function withRoot(name: string, translate: (root: Omit<Value, 'shape'>) => Translation): Translation {
  const key = `$ of ${name}`;
  const code = `(scratch.Get "${key}")`;
  const part = translate({ code, kind: 'call' });
  const isUsed = part.pieces.some((piece) => piece.kind !== 'text' && piece.code.includes(code.slice(1, -1)));
  return isUsed ? { ...part, pieces: [{ kind: 'print', code: `{{scratch.Set "${key}" dot}}` }, ...part.pieces] } : part;
}
