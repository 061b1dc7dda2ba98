import { templateFailure } from './helper.ts';
import { signOf, type Verb } from './printf-verb.ts';

/** JavaScript writes no number with more digits after the point. */
const mostDigits = 100;

/** A floating-point number as Go's `%f`, `%e` and `%g` write it, without its width. */
export function formatFloat(verb: Verb, value: number): string {
  if (verb.flags.includes('#')) throw templateFailure(`"${verb.whole}" is not supported: leave out #.`);
  if ((verb.precision ?? 0) > mostDigits) throw templateFailure(`"${verb.whole}" has more than ${mostDigits} digits.`);
  if (!Number.isFinite(value)) return formatInfinite(verb, value);
  const size = Math.abs(value);
  const sign = signOf(value < 0 || Object.is(value, -0), verb);
  switch (verb.letter) {
    case 'e':
      return sign + withPower(exponential(size, verb.precision ?? 6));
    case 'E':
      return (sign + withPower(exponential(size, verb.precision ?? 6))).toUpperCase();
    case 'g':
      return sign + shortest(size, verb.precision);
    case 'G':
      return (sign + shortest(size, verb.precision)).toUpperCase();
    default:
      return sign + fixed(size, verb.precision ?? 6);
  }
}

/** Infinity has a sign always, and what is no number has the one that the flags ask for. */
function formatInfinite(verb: Verb, value: number): string {
  if (Number.isNaN(value)) return `${signOf(false, verb)}NaN`;
  return `${signOf(value < 0, verb) || '+'}Inf`;
}

/** JavaScript writes numbers from 1e21 on with an exponent. */
function fixed(size: number, digits: number): string {
  if (size >= 1e21) return digits === 0 ? String(BigInt(size)) : `${BigInt(size)}.${'0'.repeat(digits)}`;
  const rounded = size.toFixed(digits);
  const [, rest = ''] = size.toFixed(100).split('.');
  return isTie(rest.slice(digits)) && isOdd(rounded) ? cutDigit(size.toFixed(digits + 1)) : rounded;
}

function exponential(size: number, digits: number): string {
  const [rounded = '', power = '0'] = size.toExponential(digits).split('e');
  const [exact = '', exactPower] = size.toExponential(100).split('e');
  const [, rest = ''] = exact.split('.');
  const below = cutDigit(exact.slice(0, digits + 3));
  return isTie(rest.slice(digits)) && !isOdd(below) ? `${below}e${exactPower}` : `${rounded}e${power}`;
}

/** Of two numbers that are equally near, Go takes the even one, and JavaScript the greater one. */
function isTie(rest: string): boolean {
  return /^50*$/.test(rest);
}

function isOdd(digits: string): boolean {
  return /[13579]$/.test(digits);
}

function cutDigit(digits: string): string {
  return digits.slice(0, -1).replace(/\.$/, '');
}

/** With an exponent below -4, and from the precision on, which is 6 by default. */
function shortest(size: number, precision: number | undefined): string {
  const places = precision === undefined ? 6 : Math.max(precision, 1);
  const scientific = precision === undefined ? size.toExponential() : exponential(size, places - 1);
  const [digits = '', power = '0'] = scientific.split('e');
  const trimmed = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  if (Number(power) < -4 || Number(power) >= places) return withPower(`${trimmed}e${power}`);
  return fixed(Number(scientific), Math.max(0, trimmed.replace('.', '').length - 1 - Number(power)));
}

/** Go writes at least two digits. */
export function withPower(text: string): string {
  return text.replace(/e([+-]?)(\d+)$/, (_, sign: string, digits: string) => {
    return `e${sign || '+'}${digits.padStart(2, '0')}`;
  });
}
