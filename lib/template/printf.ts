import { Markup } from './format.ts';
import { describeValue, templateFailure } from './helper.ts';
import { floatOf, isInteger, type Numeric, toNumeric } from './number.ts';
import { compareText, isFields } from './ordered.ts';
import { formatFloat, withPower } from './printf-float.ts';
import { quoteGo } from './printf-quote.ts';
import { pad, signOf, type Verb } from './printf-verb.ts';

const mostWidth = 1_000;

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
    const digits = precision === undefined ? undefined : Number(precision);
    const verb = { whole, flags, width: Number(width), precision: digits, letter };
    if (Math.max(verb.width, digits ?? 0) > mostWidth) throw templateFailure(`"${whole}" is wider than ${mostWidth}.`);
    return formatVerb(verb, take(whole));
  });
  if (next < args.length) throw templateFailure(`the format has ${next} verbs for ${args.length} values.`);
  return text;
}

/** As Go's `%v`, but with numbers in full. */
export function formatPlain(value: unknown): string {
  return formatVerb({ whole: '%v', flags: '', width: 0, precision: undefined, letter: 'v' }, value);
}

/** A verb is for the elements of a list, and for the names and values of an object. */
function formatVerb(verb: Verb, value: unknown): string {
  if (value instanceof Markup) return formatScalar(verb, value.text);
  if (Array.isArray(value)) return `[${value.map((one) => formatWithin(verb, one)).join(' ')}]`;
  if (!isFields(value)) return formatScalar(verb, value);
  const fields = Object.entries(value).sort(([a], [b]) => compareText(a, b));
  const parts = fields.map(([name, inner]) => `${formatScalar(verb, name)}:${formatWithin(verb, inner)}`);
  return `map[${parts.join(' ')}]`;
}

/** A missing value in a list or an object has no width. */
function formatWithin(verb: Verb, value: unknown): string {
  return (value === undefined || value === null) && verb.letter === 'v' ? '<nil>' : formatVerb(verb, value);
}

function formatScalar(verb: Verb, value: unknown): string {
  switch (verb.letter) {
    case 'v':
      return formatAny(verb, value);
    case 's':
      return pad(cut(textIn(verb, value), verb), verb);
    case 'q':
      return pad(quoteGo(cut(textIn(verb, value), verb), verb.flags), verb);
    case 't':
      if (typeof value === 'boolean') return pad(String(value), verb);
      throw mismatch(verb, value);
    case 'd':
    case 'b':
    case 'o':
      return formatInteger(verb, integerIn(verb, value));
    case 'x':
    case 'X':
      return typeof value === 'string' ? formatBytes(verb, value) : formatInteger(verb, integerIn(verb, value));
    case 'c':
      return pad(letterOf(integerIn(verb, value)), verb);
    case 'U':
      return formatCodePoint(verb, integerIn(verb, value));
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
      return padFloat(verb, floatIn(verb, value));
    default:
      throw templateFailure(
        `"${verb.whole}" is not supported: use %v %s %q %t %d %b %o %x %X %c %U %f %e %E %g %G or %%.`,
      );
  }
}

function formatAny(verb: Verb, value: unknown): string {
  if (verb.flags.includes('#')) throw templateFailure(`"${verb.whole}" is not supported: it writes Go's own syntax.`);
  // Of an object, Go would write the names of fields.
  const plain = { ...verb, flags: verb.flags.replaceAll('+', '') };
  if (value === undefined || value === null) return pad('<nil>', plain);
  if (typeof value === 'string') return pad(cut(value, plain), plain);
  const number = toNumeric(value);
  if (typeof value === 'number' && number === undefined) return padFloat(plain, value);
  if (number === undefined) return pad(String(value), plain);
  if (isInteger(number)) return formatInteger({ ...plain, letter: 'd' }, BigInt(number));
  if (plain.precision !== undefined || !Number.isFinite(floatOf(number)))
    return padFloat({ ...plain, letter: 'g' }, floatOf(number));
  const text = withPower(String(floatOf(number)));
  return pad(plain.flags.includes(' ') && !text.startsWith('-') ? ` ${text}` : text, plain);
}

function padFloat(verb: Verb, value: number): string {
  const padding = Number.isFinite(value) ? verb : { ...verb, flags: verb.flags.replaceAll('0', '') };
  return pad(formatFloat(verb, value), padding);
}

const bases: Readonly<Record<string, number>> = { d: 10, b: 2, o: 8, x: 16, X: 16 };

function formatInteger(verb: Verb, value: bigint): string {
  const { flags, width, precision, letter } = verb;
  const withSpaces = { ...verb, flags: flags.replaceAll('0', '') };
  if (precision === 0 && value === 0n) return pad('', withSpaces);
  const sign = signOf(value < 0n, verb);
  const fill = flags.includes('0') && !flags.includes('-') ? width - sign.length : 0;
  const digits = (value < 0n ? -value : value).toString(bases[letter]).padStart(precision ?? fill, '0');
  const text = sign + prefixOf(verb, digits) + digits;
  return pad(letter === 'X' ? text.toUpperCase() : text, withSpaces);
}

function prefixOf({ letter, flags }: Verb, digits: string): string {
  if (!flags.includes('#')) return '';
  if (letter === 'o') return digits.startsWith('0') ? '' : '0';
  return letter === 'b' ? '0b' : letter === 'd' ? '' : '0x';
}

/** The bytes of a text in UTF-8, of which the precision limits the number. */
function formatBytes(verb: Verb, text: string): string {
  const { flags, precision, letter } = verb;
  const bytes = Buffer.from(text).subarray(0, precision).toString('hex').match(/../g) ?? [];
  const [between, before] = [flags.includes(' ') ? ' ' : '', flags.includes('#') ? '0x' : ''];
  const digits = between === '' && bytes.length > 0 ? before + bytes.join('') : bytes.map((b) => before + b).join(' ');
  return pad(letter === 'X' ? digits.toUpperCase() : digits, verb);
}

function letterOf(code: bigint): string {
  const isCharacter = code >= 0n && code <= 0x10ffffn && !(code >= 0xd800n && code <= 0xdfffn);
  return isCharacter ? String.fromCodePoint(Number(code)) : '\ufffd';
}

function formatCodePoint(verb: Verb, code: bigint): string {
  if (verb.flags.includes('#') || code < 0n) throw mismatch(verb, code);
  const digits = code.toString(16).toUpperCase();
  return pad(`U+${digits.padStart(Math.max(4, verb.precision ?? 0), '0')}`, {
    ...verb,
    flags: verb.flags.replaceAll('0', ''),
  });
}

function cut(text: string, { precision }: Verb): string {
  return precision === undefined ? text : [...text].slice(0, precision).join('');
}

function textIn(verb: Verb, value: unknown): string {
  if (typeof value === 'string') return value;
  throw mismatch(verb, value);
}

function integerIn(verb: Verb, value: unknown): bigint {
  const number = numericIn(verb, value);
  if (!isInteger(number)) throw mismatch(verb, value);
  return BigInt(number);
}

function floatIn(verb: Verb, value: unknown): number {
  if (typeof value === 'number' && !Number.isFinite(value)) return value;
  const number = numericIn(verb, value);
  if (isInteger(number)) throw mismatch(verb, value);
  return floatOf(number);
}

function numericIn(verb: Verb, value: unknown): Numeric {
  const number = typeof value === 'string' ? undefined : toNumeric(value);
  if (number === undefined) throw mismatch(verb, value);
  return number;
}

function mismatch({ whole }: Verb, value: unknown) {
  return templateFailure(`"${whole}" does not take ${describeValue(value)}.`);
}
