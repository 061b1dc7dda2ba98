import { writeComment } from '../handlebars/comment.ts';
import { invalidMessages } from '../handlebars/compiled.ts';
import { freeParam } from '../handlebars/names.ts';
import { printValue } from '../handlebars/print.ts';
import { type Scope, topScope, Untranslatable, type Value, withVariable } from '../handlebars/scope.ts';
import { elementOf, type Shape } from '../handlebars/shapes.ts';
import { type OutputPiece, writeTemplate } from '../handlebars/write.ts';
import type { RemarkText } from '../remark.ts';
import { condition, translateRuby } from './expression.ts';
import { type ErbPiece, splitErb } from './split.ts';

/** A block that has begun. `marked`: it is not translated, and neither is what ends it. */
interface OpenBlock {
  readonly close: string;
  readonly outer: Scope;
  readonly state: 'translated' | 'marked';
}

type ErbTag = Exclude<ErbPiece, { kind: 'text' }>;

/** Translates loops and conditions over services, nodes and keys. The rest is marked. Throws `import-invalid`. */
export function importErb(
  file: string,
  source: string,
): { readonly text: string; readonly remarks: readonly RemarkText[] } {
  const translator = new ErbTranslator();
  const pieces = splitErb(file, source).flatMap((piece) => translator.piece(piece));
  const text = writeTemplate([...pieces, ...translator.end()]);
  return { text, remarks: [...translator.remarks, ...invalidMessages({ text, partials: new Map() })] };
}

class ErbTranslator {
  readonly remarks: RemarkText[] = [];
  readonly #blocks: OpenBlock[] = [];
  #scope: Scope;

  constructor() {
    const nothing: Value = { code: 'this', shape: 'nothing', kind: 'path' };
    this.#scope = topScope({ dot: nothing, root: nothing });
  }

  piece(piece: ErbPiece): readonly OutputPiece[] {
    if (piece.kind === 'text') return [piece];
    if (piece.kind === 'comment') return [{ kind: 'tag', code: writeComment(` ${piece.text} `) }];
    try {
      if (piece.kind === 'prints') return [printValue(translateRuby(piece.text, this.#scope))];
    } catch (thrown) {
      return this.#mark(piece, thrown);
    }
    // A statement on each line.
    return piece.text.split('\n').flatMap((text, i): readonly OutputPiece[] => {
      const statement = { ...piece, text: text.trim(), line: piece.line + i, source: text.trim() };
      if (statement.text === '' || statement.text.startsWith('#')) return [];
      try {
        return this.#code(statement);
      } catch (thrown) {
        return this.#mark(statement, thrown);
      }
    });
  }

  /** What closes the blocks that the template leaves open. */
  end(): readonly OutputPiece[] {
    return this.#blocks
      .toReversed()
      .filter(({ state }) => state === 'translated')
      .map(({ close }) => ({ kind: 'tag', code: close }));
  }

  #code(piece: ErbTag): readonly OutputPiece[] {
    const { text } = piece;
    if (text === 'end' || text === '}') return this.#close();
    if (text === 'else')
      return [{ kind: 'tag', code: '{{else}}' }].filter(
        () => this.#blocks.at(-1)?.state === 'translated',
      ) as OutputPiece[];
    const [, word, test] = /^(if|unless|elsif)\s+(.+)$/s.exec(text) ?? [];
    if (word !== undefined && test !== undefined) return this.#if(word, test);
    const [, list, names] = /^(.+)\.each\s+do\s*\|([\w\s,]+)\|$/s.exec(text) ?? [];
    if (list !== undefined && names !== undefined) return this.#each(list, names);
    throw new Untranslatable('this is Ruby', 'write it with the helpers of docs/reference/templates.md');
  }

  #if(word: string, test: string): readonly OutputPiece[] {
    const { code } = condition(translateRuby(test, this.#scope));
    if (word === 'elsif') return [{ kind: 'tag', code: `{{else if ${code}}}` }];
    const name = word === 'if' ? 'if' : 'unless';
    this.#blocks.push({ close: `{{/${name}}}`, outer: this.#scope, state: 'translated' });
    return [{ kind: 'tag', code: `{{#${name} ${code}}}` }];
  }

  #each(list: string, names: string): readonly OutputPiece[] {
    const value = translateRuby(list, this.#scope);
    const element = elementOf(value.shape);
    if (element === undefined)
      throw new Untranslatable('the value of the loop is not known to be a list', 'write {{#each}} for what it is');
    const [first = 'item', second, ...more] = names.split(',').map((name) => name.trim());
    const isPair = value.code.startsWith('(services') && second !== undefined && more.length === 0;
    if (second !== undefined && !isPair)
      throw new Untranslatable('a loop gives one item here', 'write {{#each list as |item|}}');
    this.#blocks.push({ close: '{{/each}}', outer: this.#scope, state: 'translated' });
    const param = freeParam(isPair ? 'found' : first, [...this.#scope.params]);
    const set = (name: string, code: string, shape: Shape) => {
      this.#scope = withVariable(this.#scope, name, { code, shape, kind: 'path' });
    };
    set(first, isPair ? `${param}.name` : param, isPair ? 'plain' : element);
    if (isPair) set(second, `${param}.tags`, { list: 'plain' });
    this.#scope = { ...this.#scope, params: new Set([...this.#scope.params, param]) };
    return [{ kind: 'tag', code: `{{#each ${value.code} as |${param}|}}` }];
  }

  #close(): readonly OutputPiece[] {
    const block = this.#blocks.pop();
    if (block === undefined) throw new Untranslatable('an end has no begin', 'remove it');
    this.#scope = block.outer;
    return block.state === 'translated' ? [{ kind: 'tag', code: block.close }] : [];
  }

  #mark({ line, text, source }: ErbTag, thrown: unknown): readonly OutputPiece[] {
    if (!(thrown instanceof Untranslatable)) throw thrown;
    const { message: why, advice } = thrown;
    this.remarks.push({ line, what: source, why, advice });
    if (/\bdo\s*(?:\|[^|]*\|)?$|^(?:if|unless|case|while|begin|def)\b/.test(text))
      this.#blocks.push({ close: '', outer: this.#scope, state: 'marked' });
    return [
      { kind: 'print', code: writeComment(` To do by hand, line ${line}: ${why}: ${advice}.\n${source} `) },
      { kind: 'print', code: `{{byHand ${line}}}` },
    ];
  }
}
