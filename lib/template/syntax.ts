import { describeAbsent } from './absent.ts';
import type { PrintSite } from './format.ts';
import type { HelperDefinition } from './helper.ts';
import { describeOwnOutput } from './own-output.ts';
import { invalid, type ParseOptions, parseTemplate, type TemplateText } from './parse.ts';
import { callWithText, describeCount, expressionText, isLiteral, pathTo } from './syntax-nodes.ts';

/*
 * Checks a template's syntax tree before anything runs, and rewrites it for rendering:
 *
 * - `{{x}}` becomes a call of `$print` with x, so that the format's writer writes every value;
 * - every call has `$site`, the number of its place, so that errors while rendering can name file, line and column;
 * - `5.0` becomes a call of `$number`, because Handlebars itself would make the integer 5 of it;
 * - `{{#each redisMasters}}` becomes `{{#each (redisMasters)}}`: Handlebars itself would look for a field of that name.
 *
 * It refuses unknown helpers and partials, wrong numbers of arguments, unescaped output `{{{x}}}`, decorators,
 * dynamic partials, partials that include themselves.
 */

export interface SyntaxOptions extends ParseOptions {
  readonly helpers: Readonly<Record<string, HelperDefinition>>;
  readonly partials: ReadonlySet<string>;
  /** Helpers that the template may not call. */
  readonly denied: ReadonlySet<string>;
  /** The path of the file that the output goes to. */
  readonly output?: string | undefined;
  /** The places of prints and calls; added to. */
  readonly sites: PrintSite[];
}

export interface CheckedSyntax {
  readonly program: hbs.AST.Program;
  /** Names of the partials that it includes. */
  readonly includes: ReadonlySet<string>;
  /** Names of the helpers that it calls. */
  readonly calls: ReadonlySet<string>;
}

/** Parses, checks and rewrites one template or partial. Throws `template-invalid` with all problems, each with its place. */
export function checkSyntax(template: TemplateText, options: SyntaxOptions): CheckedSyntax {
  const walk = new SyntaxWalk(template, options);
  const program = parseTemplate(template, options);
  walk.program(program);
  if (walk.problems.length > 0) throw invalid(walk.problems);
  return { program, includes: walk.includes, calls: walk.calls };
}

/** Of an expression in a message. */
const longestShown = 200;

class SyntaxWalk {
  readonly problems: string[] = [];
  readonly includes = new Set<string>();
  readonly calls = new Set<string>();
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #options: SyntaxOptions;
  /** Names that `as |name|` gives to values in the blocks around the current place. */
  readonly #blockParams: string[][] = [];

  constructor({ file, text }: TemplateText, options: SyntaxOptions) {
    this.#file = file;
    this.#lines = text.split(/\r\n?|\n/);
    this.#options = options;
  }

  program(program: hbs.AST.Program | undefined): void {
    if (program === undefined) return;
    this.#blockParams.push(program.blockParams ?? []);
    for (const name of program.blockParams ?? []) {
      if (Object.hasOwn(this.#options.helpers, name))
        this.#problem(program, `"${name}" is the name of a helper: choose another name`);
    }
    for (const statement of program.body) this.#statement(statement);
    this.#blockParams.pop();
  }

  #statement(node: hbs.AST.Statement): void {
    switch (node.type) {
      case 'ContentStatement':
      case 'CommentStatement':
        return;
      case 'MustacheStatement':
        this.#mustache(node as hbs.AST.MustacheStatement);
        return;
      case 'BlockStatement':
        this.#block(node as hbs.AST.BlockStatement);
        return;
      case 'PartialStatement':
        this.#partial(node as hbs.AST.PartialStatement);
        return;
      default:
        this.#problem(node, `${node.type} is not supported`);
    }
  }

  #mustache(node: hbs.AST.MustacheStatement): void {
    const text = expressionText(node);
    if (!node.escaped) {
      this.#problem(node, `{{{${text}}}} would write an unchecked value: use {{raw ...}} if you must`);
      return;
    }
    const path = node.path as hbs.AST.Expression;
    const isCall = this.#isCall(path) || node.params.length + (node.hash?.pairs.length ?? 0) > 0;
    let printed: hbs.AST.Expression = path;
    const rewritten = node as unknown as Record<string, unknown>;
    rewritten.escaped = false;
    if (this.#helperOf(path)?.prints === 'nothing') {
      this.#call(node as unknown as hbs.AST.SubExpression, 'value');
      return;
    }
    if (isCall) {
      const call = { ...node, type: 'SubExpression', path } as unknown as hbs.AST.SubExpression;
      this.#call(call, 'value');
      printed = call;
    } else if (path.type !== 'PathExpression') {
      this.#problem(node, 'a literal needs no braces');
      return;
    }
    rewritten.path = pathTo('$print', node.loc);
    rewritten.params = [printed];
    rewritten.hash = this.#siteHash({ loc: node.loc, text });
  }

  #block(node: hbs.AST.BlockStatement): void {
    if (node.path.type !== 'PathExpression' || !this.#isHelper(node.path)) {
      const name = (node.path as hbs.AST.PathExpression).original;
      const hint = describeAbsent(name) ?? 'use #if, #unless, #each or #with';
      this.#problem(node, `unknown block {{#${name}}}: ${hint}`);
    } else {
      this.#call(node, 'block');
    }
    this.program(node.program);
    this.program(node.inverse);
  }

  #partial(node: hbs.AST.PartialStatement): void {
    if (node.name.type !== 'PathExpression') {
      this.#problem(node, 'the name of a partial must be written out');
      return;
    }
    const name = (node.name as hbs.AST.PathExpression).original;
    if (!this.#options.partials.has(name)) {
      this.#problem(node, `unknown partial "${name}"`);
      return;
    }
    this.includes.add(name);
    this.#parameters(node);
  }

  #call(node: hbs.AST.SubExpression | hbs.AST.BlockStatement, kind: HelperDefinition['kind']): void {
    const name = (node.path as hbs.AST.PathExpression).original;
    const helper = this.#helperOf(node.path);
    if (helper === undefined) {
      const hint = describeAbsent(name);
      this.#problem(node, `unknown helper "${name}"${hint === undefined ? '' : `: ${hint}`}`);
      return;
    }
    this.calls.add(name);
    if (this.#options.denied.has(name)) this.#problem(node, `functionDenylist forbids "${name}"`);
    const own = name === 'file' ? describeOwnOutput(node, this.#options.output) : undefined;
    if (own !== undefined) this.#problem(node, own);
    if (helper.kind !== kind) {
      this.#problem(node, helper.kind === 'block' ? `"${name}" is a block: {{#${name}}}` : `"${name}" is not a block`);
      return;
    }
    const [least, most] = helper.takes;
    if (node.params.length < least || node.params.length > most) {
      this.#problem(node, `"${name}" takes ${describeCount(least, most)}, not ${node.params.length}: ${helper.usage}`);
    }
    for (const { key } of node.hash?.pairs ?? []) {
      if (!helper.options?.includes(key)) this.#problem(node, `"${name}" has no option "${key}"`);
    }
    if (helper.order === 'subject-last') this.#refuseFormerOrder(node, { name, usage: helper.usage });
    node.path = pathTo(name, node.path.loc);
    const site = this.#siteHash({ loc: node.loc, text: expressionText(node) });
    this.#parameters(node);
    node.hash = { ...site, pairs: [...(node.hash?.pairs ?? []), ...site.pairs] };
  }

  /** Arguments and options: calls within them, and helpers named without parentheses. */
  #parameters(node: { params: hbs.AST.Expression[]; hash: hbs.AST.Hash }): void {
    node.params = node.params.map((param) => this.#parameter(param));
    for (const pair of node.hash?.pairs ?? []) pair.value = this.#parameter(pair.value) as typeof pair.value;
  }

  /** Earlier versions took the text or number that a helper works on first. */
  #refuseFormerOrder(node: { params: hbs.AST.Expression[] } & hbs.AST.Node, of: { name: string; usage: string }): void {
    const [first, last] = [node.params[0], node.params.at(-1)];
    if (first === undefined || first === last || isLiteral(first) || !isLiteral(last)) return;
    const literal = (last as hbs.AST.StringLiteral).original;
    const named = typeof literal === 'string' ? JSON.stringify(literal) : literal;
    this.#problem(
      node,
      `"${of.name}" takes what it works on last, as in consul-template: ${of.usage}. ` +
        `If ${named} is that, name it: {{#with ${named} as |name|}}`,
    );
  }

  #parameter(node: hbs.AST.Expression): hbs.AST.Expression {
    if (node.type === 'NumberLiteral') return this.#number(node as hbs.AST.NumberLiteral);
    if (node.type === 'SubExpression') {
      this.#call(node as hbs.AST.SubExpression, 'value');
      return node;
    }
    if (!this.#isCall(node)) return node;
    const call = { type: 'SubExpression', path: node, params: [], loc: node.loc } as unknown as hbs.AST.SubExpression;
    this.#call(call, 'value');
    return call;
  }

  /** A name alone calls a helper if that needs no arguments. Otherwise it is a field: `{{key}}` within `(ls "folder")`. */
  #isCall(node: hbs.AST.Expression): boolean {
    const helper = this.#helperOf(node);
    return helper?.takes[0] === 0 && helper.bare === undefined;
  }

  #isHelper(node: hbs.AST.Node): boolean {
    if (node.type !== 'PathExpression') return false;
    const { original, parts, data } = node as hbs.AST.PathExpression;
    if (data || parts.join('.') !== original) return false;
    return Object.hasOwn(this.#options.helpers, original) && !this.#blockParams.flat().includes(parts[0] ?? '');
  }

  #helperOf(node: hbs.AST.Node): HelperDefinition | undefined {
    return this.#isHelper(node) ? this.#options.helpers[(node as hbs.AST.PathExpression).original] : undefined;
  }

  /** The parser gives the value only. */
  #number(node: hbs.AST.NumberLiteral): hbs.AST.Expression {
    const { line, column } = node.loc.start;
    const written = /^-?[\d.]+/.exec((this.#lines[line - 1] ?? '').slice(column))?.[0] ?? '';
    if (Number(written) !== node.value || (Number.isSafeInteger(node.value) && !written.includes('.'))) return node;
    return callWithText('$number', written, node.loc);
  }

  #siteHash({ loc, text }: { loc: hbs.AST.SourceLocation; text: string }): hbs.AST.Hash {
    const number = this.#options.sites.length;
    const { line, column } = loc.start;
    this.#options.sites.push({ file: this.#file, line, column: column + 1, text: text.slice(0, longestShown) });
    const value = { type: 'NumberLiteral', value: number, original: number, loc } as hbs.AST.NumberLiteral;
    return { type: 'Hash', loc, pairs: [{ type: 'HashPair', key: '$site', value, loc }] } as hbs.AST.Hash;
  }

  #problem(node: hbs.AST.Node, what: string): void {
    // A program without statements has no place of its own.
    const start = node.loc?.start;
    this.problems.push(`${this.#file}:${start?.line ?? 1}:${(start?.column ?? 0) + 1}: ${what}.`);
  }
}
