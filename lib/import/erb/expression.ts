import { field } from '../handlebars/expression.ts';
import { writeText } from '../handlebars/literal.ts';
import { type Scope, Untranslatable, type Value } from '../handlebars/scope.ts';
import type { Shape } from '../handlebars/shapes.ts';

/* The expressions of Ruby that templates use for what Consul holds. Everything else is left to the operator. */

interface RubyValue extends Value {
  readonly isTest?: true;
}

const advice = 'write it with the helpers of docs/reference/templates.md';
const token = /\s*(?:("(?:[^"\\#]|#(?!\{))*"|'[^'\\]*')|(\d+)|([A-Za-z_]\w*[?!]?)|(&&|\|\||==|!=|[()[\].,:!]))/y;

/** Throws `Untranslatable`. */
export function translateRuby(text: string, scope: Scope): RubyValue {
  const reader = new RubyReader(withoutSort(text), scope);
  const value = reader.either();
  reader.end();
  return value;
}

/** Instances and nodes are sorted by the names of their nodes anyway, from the first to the last. */
function withoutSort(text: string): string {
  return text
    .replace(/\.sort\s*\{\s*\|\s*(\w+)\s*,\s*(\w+)\s*\|\s*\1((?:\[(['"])Node\4\]){1,2})\s*<=>\s*\2\3\s*\}/g, '')
    .replace(/\.sort_by\s*\{\s*\|\s*(\w+)\s*\|\s*\1(?:\[(['"])Node\2\]){1,2}\s*\}/g, '');
}

class RubyReader {
  readonly #words: readonly string[];
  readonly #scope: Scope;
  #at = 0;

  constructor(text: string, scope: Scope) {
    this.#words = split(text);
    this.#scope = scope;
  }

  end(): void {
    if (this.#at < this.#words.length) throw new Untranslatable(`${this.#words[this.#at]} is Ruby`, advice);
  }

  /** `a || b`: a default for a key or a variable, or a choice of conditions. */
  either(): RubyValue {
    const values = [this.#both()];
    while (this.#take('||')) values.push(this.#both());
    const [first, second] = values;
    if (first === undefined || second === undefined) return first as RubyValue;
    const [, key] = /^\(keyOrDefault (.*) ""\)$/.exec(first.code) ?? [];
    if (key !== undefined && values.length === 2) return plain(`(keyOrDefault ${key} ${second.code})`);
    const [, name] = /^\(env (.*)\)$/.exec(first.code) ?? [];
    if (name !== undefined && values.length === 2) return plain(`(envOrDefault ${name} ${second.code})`);
    return test(`(or ${values.map((value) => condition(value).code).join(' ')})`);
  }

  #both(): RubyValue {
    const values = [this.#compared()];
    while (this.#take('&&')) values.push(this.#compared());
    return values.length === 1
      ? (values[0] as RubyValue)
      : test(`(and ${values.map((value) => condition(value).code).join(' ')})`);
  }

  #compared(): RubyValue {
    if (this.#words[this.#at] === '!') return this.#negated();
    const left = this.#value();
    for (const [sign, helper] of [
      ['==', 'eq'],
      ['!=', 'ne'],
    ] as const) {
      if (this.#take(sign)) return test(`(${helper} ${left.code} ${this.#value().code})`);
    }
    return left;
  }

  /** `!a == b` is `(!a) == b`. */
  #negated(): RubyValue {
    if (!this.#take('!')) return this.#value();
    const value = test(`(not ${condition(this.#negated()).code})`);
    const next = this.#words[this.#at];
    if (next === '==' || next === '!=') throw new Untranslatable(`! stands before ${next}`, 'write ! before (a == b)');
    return value;
  }

  #value(): RubyValue {
    let value: RubyValue = this.#first();
    for (;;) {
      if (this.#take('[')) {
        value = field(value, { name: this.#text(), scope: this.#scope });
        this.#expect(']');
      } else if (this.#take('.')) value = this.#method(value);
      else return value;
    }
  }

  #first(): RubyValue {
    const word = this.#words[this.#at++] ?? '';
    if (/^["']/.test(word)) return { ...plain(writeText(word.slice(1, -1))), kind: 'literal' };
    if (/^\d/.test(word)) return { ...plain(word), kind: 'literal' };
    const variable = this.#scope.variables.get(word);
    if (variable !== undefined && word !== '') return variable;
    switch (word) {
      case '(': {
        const value = this.either();
        this.#expect(')');
        return value;
      }
      case 'ENV':
        this.#expect('[');
        return this.#closed(plain(`(env ${writeText(this.#text())})`), ']');
      case 'kv':
        return this.#key();
      case 'service':
        return this.#service();
      case 'services':
      case 'nodes':
      case 'datacenters':
        return this.#list(word);
      default:
        throw new Untranslatable(`${word === '' ? 'an empty expression' : word} is Ruby`, advice);
    }
  }

  #closed(value: Value, sign: string): Value {
    this.#expect(sign);
    return value;
  }

  /** `kv('a').get_value` is empty if there is no such key. */
  #key(): Value {
    this.#expect('(');
    const key = this.#value();
    this.#expect(')');
    this.#expect('.');
    this.#expect('get_value');
    if (this.#take('(')) this.#expect(')');
    return plain(`(keyOrDefault ${key.code} "")`);
  }

  #service(): Value {
    this.#expect('(');
    const name = this.#value();
    const given = this.#options(['tag', 'dc', 'passing']);
    const filter = given.get('passing')?.code === 'true' ? '' : ' filter="any"';
    const others = [...given].filter(([key]) => key !== 'passing').map(([key, { code }]) => ` ${key}=${code}`);
    const literal = filter === '' && others.length === 0 ? ' literal=true' : '';
    const shape: Shape = { list: { record: 'rubyInstance' } };
    return { code: `(service ${name.code}${others.join('')}${filter}${literal})`, shape, kind: 'call' };
  }

  #list(name: 'services' | 'nodes' | 'datacenters'): Value {
    const given = this.#take('(') ? this.#options(name === 'datacenters' ? [] : ['dc']) : new Map<string, Value>();
    const dc = given.get('dc');
    const shapes = { services: { record: 'catalogService' }, nodes: { record: 'node' }, datacenters: 'plain' } as const;
    return {
      code: dc === undefined ? `(${name})` : `(${name} ${dc.code})`,
      shape: { list: shapes[name] },
      kind: 'call',
    };
  }

  /** `, tag: 'a', passing: true)`. */
  #options(known: readonly string[]): ReadonlyMap<string, Value> {
    const options = new Map<string, Value>();
    while (!this.#take(')')) {
      this.#take(',');
      const key = this.#words[this.#at++] ?? '';
      this.#expect(':');
      if (!known.includes(key)) throw new Untranslatable(`there is no option ${key}`, advice);
      const word = this.#words[this.#at] ?? '';
      if (word === 'true' || word === 'false') this.#at += 1;
      options.set(key, word === 'true' || word === 'false' ? plain(word) : this.#value());
    }
    return options;
  }

  #method(of: Value): RubyValue {
    const name = this.#words[this.#at++] ?? '';
    const args = this.#take('(') ? this.#args() : [];
    const [arg = ''] = args;
    const isList = typeof of.shape === 'object' && 'list' in of.shape;
    if (isList && name === 'include?' && args.length === 1) return test(`(in ${of.code} ${arg})`);
    if (isList && name === 'join' && args.length === 1) return plain(`(join ${arg} ${of.code})`);
    if (isList && /^(?:count|length|size)$/.test(name) && args.length === 0) return plain(`(len ${of.code})`);
    if (isList && name === 'empty?') return test(`(not ${of.code})`);
    if (isList && name === 'any?' && args.length === 0) return test(of.code);
    if (isList && name === 'sort' && args.length === 0) return of;
    if (name === 'upcase' || name === 'downcase')
      return plain(`(${name === 'upcase' ? 'toUpper' : 'toLower'} ${of.code})`);
    if (args.length > 0) throw new Untranslatable(`${name} is Ruby`, advice);
    return field(of, { name, scope: this.#scope });
  }

  #args(): readonly string[] {
    const args: string[] = [];
    while (!this.#take(')')) {
      args.push(this.#value().code);
      this.#take(',');
    }
    return args;
  }

  #text(): string {
    const word = this.#words[this.#at++] ?? '';
    if (!/^["']/.test(word)) throw new Untranslatable('a name is computed', advice);
    return word.slice(1, -1);
  }

  #take(sign: string): boolean {
    if (this.#words[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#take(sign))
      throw new Untranslatable(`${this.#words[this.#at] ?? 'the end'} stands where ${sign} should`, advice);
  }
}

function split(text: string): readonly string[] {
  const words: string[] = [];
  let at = 0;
  while (at < text.trimEnd().length) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) throw new Untranslatable(`${text.slice(at).trim().slice(0, 40)} is Ruby`, advice);
    words.push(match[0].trim());
    at += match[0].length;
  }
  return words;
}

/** Only what is true in both: in Ruby, an empty text, 0 and an empty list are true. */
export function condition(value: RubyValue): Value {
  if (value.isTest === true) return value;
  throw new Untranslatable('in Ruby, an empty text, 0 and an empty list are true', 'write what the condition means');
}

function plain(code: string): Value {
  return { code, shape: 'plain', kind: 'call' };
}

/** Something that is true or false in Ruby as in Handlebars. */
function test(code: string): RubyValue {
  return { ...plain(code), isTest: true };
}
