import type { GoBlock, GoNode, GoPipeline, Place } from '../go/syntax.ts';
import type { RemarkText } from '../remark.ts';
import { writeComment } from './comment.ts';
import { conditionOf, isEager, refuseEarlyFailure } from './conditions.ts';
import { translateExpression, translatePipeline } from './expression.ts';
import { freeParam, type ScratchNames } from './names.ts';
import { keep, printValue } from './print.ts';
import { type Scope, topScope, Untranslatable, type Value, withDot, withVariable } from './scope.ts';
import { elementOf, type Shape } from './shapes.ts';
import type { PartialCall, Translation, TranslationInput } from './translation.ts';
import type { OutputPiece } from './write.ts';

/** Translates a template or one that it defines. Never throws `Untranslatable`: it marks what stays. */
export function translateNodes({ nodes, dot, root, names, partial }: TranslationInput): Translation {
  const translator = new Translator({ names, partial });
  const pieces = translator.list(nodes, topScope({ dot, root }));
  return { pieces, remarks: translator.remarks, calls: translator.calls };
}

class Translator {
  readonly remarks: RemarkText[] = [];
  readonly calls: PartialCall[] = [];
  readonly #names: ScratchNames;
  readonly #partial: TranslationInput['partial'];

  constructor({ names, partial }: Pick<TranslationInput, 'names' | 'partial'>) {
    this.#names = names;
    this.#partial = partial;
  }

  /** What an action sets holds for the rest of its list. */
  list(nodes: readonly GoNode[], outer: Scope): readonly OutputPiece[] {
    let scope = outer;
    return nodes.flatMap((node): readonly OutputPiece[] => {
      if (node.kind === 'text') return [node];
      if (node.kind === 'comment') return [{ kind: 'tag', code: writeComment(node.text) }];
      if (node.kind === 'define') return [];
      try {
        if (node.kind !== 'action') return this.#node(node, scope);
        if (node.pipeline.sets.length === 0) return this.#print(node, scope);
        const set = this.#set(node.pipeline, scope);
        ({ scope } = set);
        return set.pieces;
      } catch (thrown) {
        return this.#mark(node, thrown);
      }
    });
  }

  #node(node: GoNode & Place, scope: Scope): readonly OutputPiece[] {
    switch (node.kind) {
      case 'if':
        return this.#if(node, scope);
      case 'with':
        return this.#with(node, scope);
      case 'range':
        return this.#range(node, scope);
      case 'template':
        return this.#include(
          node.name,
          node.pipeline === undefined ? undefined : translatePipeline(node.pipeline, scope),
        );
      case 'jump':
        throw new Untranslatable(`a loop has no ${node.word}`, 'choose the items with #if within the loop');
      default:
        return [];
    }
  }

  #print(node: { readonly pipeline: GoPipeline }, scope: Scope): readonly OutputPiece[] {
    const [command = [], ...others] = node.pipeline.commands;
    const [first, name, ...args] = command;
    if (
      first?.kind === 'function' &&
      first.name === 'executeTemplate' &&
      name?.kind === 'text' &&
      others.length === 0
    ) {
      return this.#include(name.value, args[0] === undefined ? undefined : translateExpression(args[0], scope));
    }
    return [printValue(translatePipeline(node.pipeline, scope))];
  }

  #set(pipeline: GoPipeline, scope: Scope): { readonly pieces: readonly OutputPiece[]; readonly scope: Scope } {
    const [name = '', ...others] = pipeline.sets;
    const value = translatePipeline(pipeline, scope);
    if (others.length > 0) throw new Untranslatable('two variables are set at once', 'set one after the other');
    if (pipeline.how === 'assign') return { pieces: [this.#assign(name, { value, scope })], scope };
    // No action ever changes it.
    if (value.kind === 'literal' && !this.#names.isAssigned(name))
      return { pieces: [], scope: withVariable(scope, name, value) };
    const key = this.#names.take(name);
    const kept: Value = { code: `(scratch.Get "${key}")`, shape: value.shape, kind: 'call' };
    return { pieces: [keep(key, value)], scope: withVariable(scope, name, kept) };
  }

  #assign(name: string, { value, scope }: { readonly value: Value; readonly scope: Scope }): OutputPiece {
    const kept = scope.variables.get(name);
    const key = /^\(scratch\.Get "(.*)"\)$/.exec(kept?.code ?? '')?.[1];
    if (kept === undefined || key === undefined)
      throw new Untranslatable(`$${name} cannot change`, 'keep the value with scratch.Set and scratch.Get');
    if (JSON.stringify(kept.shape) !== JSON.stringify(value.shape))
      throw new Untranslatable(
        `$${name} gets a value of another kind`,
        'use two names with scratch.Set and scratch.Get',
      );
    return keep(key, value);
  }

  #if(node: GoBlock, outer: Scope): readonly OutputPiece[] {
    const { pieces, scope, value } = this.#condition(node.pipeline, outer);
    const conditions = this.#nested(node, { value, scope });
    const body = this.list(node.body, scope);
    if (conditions !== undefined) {
      const opens = conditions.map((code): OutputPiece => ({ kind: 'tag', code: `{{#if ${code}}}` }));
      const closes = conditions.map((): OutputPiece => ({ kind: 'tag', code: '{{/if}}' }));
      return [...pieces, ...opens, ...body, ...closes];
    }
    refuseEarlyFailure(value);
    const open: OutputPiece = { kind: 'tag', code: `{{#if ${conditionOf(value)}}}` };
    return [...pieces, open, ...body, ...this.#otherwise(node, scope), { kind: 'tag', code: '{{/if}}' }];
  }

  /** `and` computes all its arguments here. Without an else, blocks within each other do the same as Go. */
  #nested({ pipeline, otherwise }: GoBlock, { value, scope }: { readonly value: Value; readonly scope: Scope }) {
    const [command = [], ...more] = pipeline.commands;
    const [first, ...args] = command;
    if (first?.kind !== 'function' || first.name !== 'and' || more.length > 0 || otherwise !== undefined)
      return undefined;
    if (!isEager(value.code)) return undefined;
    const values = args.map((arg) => translateExpression(arg, scope));
    for (const one of values) refuseEarlyFailure(one);
    return values.map(conditionOf);
  }

  /** The value of `if`, and what sets its variable. */
  #condition(pipeline: GoPipeline, outer: Scope) {
    if (pipeline.sets.length === 0) return { pieces: [], scope: outer, value: translatePipeline(pipeline, outer) };
    const { pieces, scope } = this.#set(pipeline, outer);
    const value = scope.variables.get(pipeline.sets[0] ?? '') as Value;
    return { pieces, scope, value };
  }

  #with(node: GoBlock, outer: Scope): readonly OutputPiece[] {
    const value = translatePipeline(node.pipeline, outer);
    refuseEarlyFailure(value);
    const [name] = node.pipeline.sets;
    if (name !== undefined && this.#names.isAssigned(name))
      throw new Untranslatable(`$${name} changes within the block`, 'keep the value with scratch.Set and scratch.Get');
    const { scope, as } = this.#params({ outer: withDot(outer, value.shape), params: [[name, value.shape]] });
    const open: OutputPiece = { kind: 'tag', code: `{{#with ${value.code}${as}}}` };
    const body = this.list(node.body, scope);
    return [open, ...body, ...this.#otherwise(node, outer), { kind: 'tag', code: '{{/with}}' }];
  }

  #range(node: GoBlock, outer: Scope): readonly OutputPiece[] {
    const value = translatePipeline(node.pipeline, outer);
    const counted = /^\d+$/.test(value.code);
    const code = counted ? `(loop ${value.code})` : value.code;
    const element = counted ? 'plain' : elementOf(value.shape);
    if (element === undefined)
      throw new Untranslatable('the value of the loop is not known to be a list', 'write {{#each}} for what it is');
    const { sets } = node.pipeline;
    if (node.pipeline.how === 'assign' || sets.some((name) => this.#names.isAssigned(name)))
      throw new Untranslatable('the loop changes a variable', 'use the names of {{#each list as |item index|}}');
    const [key, item] = sets.length === 2 ? sets : [undefined, sets[0]];
    const params = [[item, element] as const, [key, 'plain' as Shape] as const];
    const { scope, as } = this.#params({ outer: withDot(outer, element), params });
    const body = this.list(node.body, scope);
    const open: OutputPiece = { kind: 'tag', code: `{{#each ${code}${as}}}` };
    return [open, ...body, ...this.#otherwise(node, outer), { kind: 'tag', code: '{{/each}}' }];
  }

  /** `as |item index|`, and the scope in which variables have these names. */
  #params({ outer, params }: { outer: Scope; params: readonly (readonly [string | undefined, Shape])[] }) {
    let scope = outer;
    const taken: string[] = [];
    for (const [at, [name, shape]] of params.entries()) {
      const isNeeded = name !== undefined || params.slice(at + 1).some(([later]) => later !== undefined);
      if (!isNeeded) continue;
      const param = freeParam(name === undefined || name === '_' ? 'item' : name, taken);
      taken.push(param);
      if (name !== undefined) scope = withVariable(scope, name, { code: param, shape, kind: 'path' });
    }
    scope = { ...scope, params: new Set([...scope.params, ...taken]) };
    return { scope, as: taken.length === 0 ? '' : ` as |${taken.join(' ')}|` };
  }

  #otherwise({ otherwise }: GoBlock, scope: Scope): readonly OutputPiece[] {
    if (otherwise === undefined) return [];
    const [chain, ...others] = otherwise;
    if (chain?.kind === 'if' && others.length === 0 && chain.pipeline.sets.length === 0) {
      const code = this.#elseIf(chain, scope);
      if (code !== undefined)
        return [{ kind: 'tag', code }, ...this.list(chain.body, scope), ...this.#otherwise(chain, scope)];
    }
    return [{ kind: 'tag', code: '{{else}}' }, ...this.list(otherwise, scope)];
  }

  /** Undefined if it needs a block of its own within the else. */
  #elseIf({ pipeline }: GoBlock, scope: Scope): string | undefined {
    try {
      const value = translatePipeline(pipeline, scope);
      return isEager(value.code) ? undefined : `{{else if ${conditionOf(value)}}}`;
    } catch (thrown) {
      if (thrown instanceof Untranslatable) return undefined;
      throw thrown;
    }
  }

  #include(name: string, value: Value | undefined): readonly OutputPiece[] {
    const partial = this.#partial(name);
    if (partial === undefined)
      throw new Untranslatable(
        `no template in this file has the name ${JSON.stringify(name)}`,
        'import the file that defines it, and include it: {{> name}}',
      );
    this.calls.push({ name, shape: value?.shape ?? 'nothing' });
    return [{ kind: 'tag', code: `{{> ${partial}${value === undefined ? '' : ` dot=${value.code}`}}}` }];
  }

  #mark({ line, source }: Place, thrown: unknown): readonly OutputPiece[] {
    if (!(thrown instanceof Untranslatable)) throw thrown;
    const { message: why, advice } = thrown;
    this.remarks.push({ line, what: source, why, advice });
    const code = writeComment(` To do by hand, line ${line}: ${why}: ${advice}.\n${source} `);
    return [
      { kind: 'print', code },
      { kind: 'print', code: `{{byHand ${line}}}` },
    ];
  }
}
