import { Markup } from './format.ts';
import { formatJson, type JsonStyle } from './go-json.ts';
import {
  describeValue,
  type HelperCall,
  type HelperDefinition,
  joinTexts,
  templateFailure,
  textArgument,
} from './helper.ts';
import { toFloat } from './number.ts';
import { isFields, sortedObject } from './ordered.ts';
import { formatPlain, formatPrintf } from './printf.ts';
import { formatToml } from './toml.ts';
import { formatYaml, formatYamlLine, parseYaml } from './yaml-text.ts';

/** Helpers that write values as texts, and read them from texts. */
export const conversionHelpers: Readonly<Record<string, HelperDefinition>> = {
  toJSON: json('toJSON', { html: 'escaped', layout: 'line' }),
  toJSONPretty: json('toJSONPretty', { html: 'escaped', layout: 'indented' }),
  toUnescapedJSON: json('toUnescapedJSON', { html: 'plain', layout: 'line' }),
  toUnescapedJSONPretty: json('toUnescapedJSONPretty', { html: 'plain', layout: 'indented' }),
  toYAML: {
    kind: 'value',
    takes: [1, 1],
    usage: '(toYAML x)',
    typed: true,
    run: ({ args: [value] }) => new Markup('yaml', formatYaml(value), formatYamlLine(value)),
  },
  toTOML: {
    kind: 'value',
    takes: [1, 1],
    usage: '(toTOML x)',
    typed: true,
    run: ({ args: [value] }) => formatToml(value),
  },
  indent: {
    kind: 'value',
    takes: [2, 2],
    usage: '(indent 2 (toYAML x))',
    run: indent,
  },
  parseJSON: parser('(parseJSON (key "x"))', (text) => {
    try {
      return JSON.parse(text, revive) as unknown;
    } catch (cause) {
      throw templateFailure('the text is not JSON.', cause);
    }
  }),
  parseYAML: parser('(parseYAML (key "x"))', (text) => {
    try {
      return parseYaml(text);
    } catch (cause) {
      throw templateFailure('the text is not YAML.', cause);
    }
  }),
  printf: {
    kind: 'value',
    takes: [1, Number.POSITIVE_INFINITY],
    usage: '(printf "%s:%d" host port)',
    typed: true,
    run: (call) => formatPrintf(textArgument(call, 0), call.args.slice(1)),
  },
  print: {
    kind: 'value',
    takes: [1, Number.POSITIVE_INFINITY],
    usage: '(print a b)',
    typed: true,
    run: ({ args }) => args.map((arg, i) => spaceBefore(args[i - 1], arg) + formatPlain(arg)).join(''),
  },
  raw: {
    kind: 'value',
    takes: [1, 1],
    usage: '{{raw x}}',
    run(call) {
      const [value] = call.args;
      const text = typeof value === 'boolean' ? formatPlain(value) : textArgument(call, 0);
      if (text.includes('\u0000')) throw templateFailure('the text contains a NUL character.');
      return new Markup('raw', text);
    },
  },
};

function json(name: string, style: JsonStyle): HelperDefinition {
  const run = ({ args: [value] }: HelperCall) => new Markup('json', formatJson(value, style));
  return { kind: 'value', takes: [1, 1], usage: `(${name} x)`, typed: true, run };
}

/** An empty text gives an empty object. */
function parser(usage: string, parse: (text: string) => unknown): HelperDefinition {
  const run = (call: HelperCall) => {
    const text = textArgument(call, 0);
    // An unknown value renders to nothing.
    if (text === '') return call.scope.missing.size > 0 ? undefined : sortedObject([]);
    return parse(text);
  };
  return { kind: 'value', takes: [1, 1], usage, run };
}

function revive(_name: string, value: unknown): unknown {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError('a number is too large');
    return toFloat(value);
  }
  return isFields(value) ? sortedObject(Object.entries(value)) : value;
}

/** A space comes between two values that are no texts. */
function spaceBefore(before: unknown, value: unknown): string {
  const isText = (one: unknown) => one === undefined || typeof one === 'string' || one instanceof Markup;
  return isText(before) || isText(value) ? '' : ' ';
}

/** Spaces before each line that is not empty. */
function indent(call: HelperCall): unknown {
  const [spaces, value] = call.args;
  if (typeof spaces !== 'number' || !Number.isInteger(spaces) || spaces < 0 || spaces > 1_000) {
    throw templateFailure(`argument 1 must be a number from 0 to 1000, not ${describeValue(spaces)}.`);
  }
  const indentLines = (text: string) => {
    const before = ' '.repeat(spaces);
    return joinTexts(
      text.split('\n').map((line) => (line === '' ? '' : before + line)),
      '\n',
    );
  };
  const text = indentLines(textArgument(call, 1));
  if (!(value instanceof Markup)) return text;
  return new Markup(value.format, text, value.inline === undefined ? undefined : indentLines(value.inline));
}
