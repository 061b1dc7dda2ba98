import { Markup } from './format.ts';
import { formatJson } from './go-json.ts';
import { describeValue, templateFailure } from './helper.ts';
import { Float, floatOf, isInteger, type Numeric, toNumeric } from './number.ts';
import { compareText } from './ordered.ts';

interface Verb {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly letter: string;
}

/** As Go's `fmt.Sprintf`, with its common verbs. What Go would mark as a mistake within the text is an error. */
export function formatPrintf(format: string, args: readonly unknown[]): string {
  let next = 0;
  const take = (verb: string): unknown => {
    if (next >= args.length) throw templateFailure(`the format has more verbs than there are values, at "${verb}".`);
    return args[next++];
  };
  const pattern = /%([-+# 0]*)(\d*)(?:\.(\d*))?(.?)/gsu;
  const text = format.replace(pattern, (whole, flags: string, width: string, precision: string | undefined, letter) => {
    if (letter === '%') return '%';
    const verb = { flags, width: Number(width), precision: precisionOf(precision), letter };
    if (verb.width > 1_000 || (verb.precision ?? 0) > 1_000) throw templateFailure(`"${whole}" is wider than 1000.`);
    return pad(formatVerb(verb, take(whole), whole), verb);
  });
  if (next < args.length) throw templateFailure(`the format has ${next} verbs for ${args.length} values.`);
  return text;
}

/** As Go's `%v`. */
export function formatPlain(value: unknown): string {
  if (value === undefined || value === null) return '<nil>';
  if (value instanceof Markup) return value.text;
  if (value instanceof Float) return String(value.value);
  if (Array.isArray(value)) return `[${value.map(formatPlain).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  const fields = Object.entries(value).sort(([a], [b]) => compareText(a, b));
  return `map[${fields.map(([name, inner]) => `${name}:${formatPlain(inner)}`).join(' ')}]`;
}

function precisionOf(written: string | undefined): number | undefined {
  return written === undefined ? undefined : Number(written);
}

function formatVerb(verb: Verb, value: unknown, whole: string): string {
  switch (verb.letter) {
    case 'v':
      return formatPlain(value);
    case 's':
      return cut(textIn(value, whole), verb);
    case 'q':
      return formatJson(cut(textIn(value, whole), verb), { html: 'plain', layout: 'line' });
    case 't':
      if (typeof value === 'boolean') return String(value);
      throw mismatch(whole, value);
    case 'd':
      return signed(integerIn(value, whole), { verb, base: 10 });
    case 'b':
      return signed(integerIn(value, whole), { verb, base: 2 });
    case 'o':
      return signed(integerIn(value, whole), { verb, base: 8 });
    case 'x':
    case 'X':
      return formatHex(verb, value, whole);
    case 'c':
      return String.fromCodePoint(Number(integerIn(value, whole)));
    case 'f':
    case 'F':
    case 'e':
    case 'g':
      return formatFloat(verb, floatIn(value, whole));
    default:
      throw templateFailure(`"${whole}" is not supported: use %v %s %q %t %d %b %o %x %X %c %f %e %g or %%.`);
  }
}

function formatHex(verb: Verb, value: unknown, whole: string): string {
  const isText = typeof value === 'string' || value instanceof Markup;
  const digits = isText
    ? Buffer.from(textIn(value, whole)).toString('hex')
    : signed(integerIn(value, whole), { verb, base: 16 });
  return verb.letter === 'X' ? digits.toUpperCase() : digits;
}

function signed(value: bigint, { verb, base }: { readonly verb: Verb; readonly base: number }): string {
  const prefix = verb.flags.includes('#') && base === 16 ? '0x' : verb.flags.includes('#') && base === 8 ? '0' : '';
  const digits = (value < 0n ? -value : value).toString(base).padStart(verb.precision ?? 0, '0');
  return signOf(value < 0n, verb) + prefix + digits;
}

function formatFloat(verb: Verb, value: number): string {
  const size = Math.abs(value);
  const negative = value < 0 || Object.is(value, -0);
  switch (verb.letter) {
    case 'e':
      return signOf(negative, verb) + exponent(size.toExponential(verb.precision ?? 6));
    case 'g':
      return signOf(negative, verb) + shortest(size, verb.precision);
    default:
      return signOf(negative, verb) + fixed(size, verb.precision ?? 6);
  }
}

/** JavaScript writes numbers from 1e21 on with an exponent. */
function fixed(size: number, digits: number): string {
  if (size < 1e21) return roundToEven(size, Math.min(digits, 99));
  return digits === 0 ? String(BigInt(size)) : `${BigInt(size)}.${'0'.repeat(digits)}`;
}

/** Of two numbers that are equally near, Go takes the even one. */
function roundToEven(size: number, digits: number): string {
  const rounded = size.toFixed(digits);
  const [, rest = ''] = /\.(.*)$/.exec(size.toFixed(100)) ?? [];
  const isTie = /^50*$/.test(rest.slice(digits));
  if (!isTie || !/[13579]$/.test(rounded)) return rounded;
  return size.toFixed(digits + 1).slice(0, digits === 0 ? -2 : -1);
}

/** With an exponent below -4, and from the precision on, which is 6 by default. */
function shortest(size: number, precision: number | undefined): string {
  const scientific = precision === undefined ? size.toExponential() : size.toExponential(Math.max(precision, 1) - 1);
  const [digits = '', power = '0'] = scientific.split('e');
  const trimmed = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  const limit = precision === undefined ? 6 : Math.max(precision, 1);
  if (Number(power) < -4 || Number(power) >= limit) return exponent(`${trimmed}e${power}`);
  return Number(scientific).toFixed(Math.max(0, trimmed.replace('.', '').length - 1 - Number(power)));
}

/** Go writes at least two digits. */
function exponent(text: string): string {
  return text.replace(
    /e([+-]?)(\d+)$/,
    (_, sign: string, digits: string) => `e${sign || '+'}${digits.padStart(2, '0')}`,
  );
}

function signOf(negative: boolean, { flags }: Verb): string {
  if (negative) return '-';
  return flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
}

function pad(text: string, { flags, width, letter }: Verb): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  const isNumber = 'dboxXfFeg'.includes(letter);
  if (!flags.includes('0') || !isNumber) return ' '.repeat(missing) + text;
  const [, sign = '', digits = ''] = /^([+ -]?)(.*)$/s.exec(text) ?? [];
  return sign + '0'.repeat(missing) + digits;
}

function cut(text: string, { precision }: Verb): string {
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}

function textIn(value: unknown, whole: string): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return `[${value.map((one) => textIn(one, whole)).join(' ')}]`;
  throw mismatch(whole, value);
}

function integerIn(value: unknown, whole: string): bigint {
  const number = numericIn(value, whole);
  if (!isInteger(number)) throw mismatch(whole, value);
  return BigInt(number);
}

function floatIn(value: unknown, whole: string): number {
  const number = numericIn(value, whole);
  if (isInteger(number)) throw mismatch(whole, value);
  return floatOf(number);
}

function numericIn(value: unknown, whole: string): Numeric {
  const number = typeof value === 'string' ? undefined : toNumeric(value);
  if (number === undefined) throw mismatch(whole, value);
  return number;
}

function mismatch(whole: string, value: unknown) {
  return templateFailure(`"${whole}" does not take ${describeValue(value)}.`);
}
