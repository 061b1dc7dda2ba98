import { stringify } from 'smol-toml';
import { describeValue, templateFailure } from './helper.ts';
import { Float, toNumeric } from './number.ts';
import { compareText, isFields } from './ordered.ts';

/** TOML as consul-template lays it out: values before tables, both by name, and the content of a table indented. */
export function formatToml(value: unknown): string {
  if (isFields(value)) return formatTable(value, []).join('\n').trim();
  if (value === null || value === undefined || isTables(value)) {
    throw templateFailure(`TOML begins with an object: it cannot be ${describeValue(value)}.`);
  }
  return formatValue(value);
}

function formatTable(fields: Readonly<Record<string, unknown>>, path: readonly string[]): readonly string[] {
  const entries = Object.entries(fields)
    .filter(([, value]) => value !== null && value !== undefined)
    .sort(([a], [b]) => compareText(a, b));
  const indent = '  '.repeat(path.length);
  const values = entries
    .filter(([, value]) => !isFields(value) && !isTables(value))
    .map(([name, value]) => `${indent}${formatName(name)} = ${formatValue(value)}`);
  const tables = entries.flatMap(([name, value]) => {
    const inner = [...path, formatName(name)];
    if (isFields(value)) {
      const header = `${indent}[${inner.join('.')}]`;
      return [...(path.length === 0 ? [''] : []), header, ...formatTable(value, inner)];
    }
    if (!isTables(value)) return [];
    return value.flatMap((one) => ['', `${indent}[[${inner.join('.')}]]`, ...formatTable(one, inner)]);
  });
  return [...values, ...tables];
}

function isTables(value: unknown): value is readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) && value.length > 0 && value.every(isFields);
}

function formatName(name: string): string {
  return stringify({ [name]: true }).slice(0, -' = true\n'.length);
}

function formatValue(value: unknown): string {
  try {
    const text = stringify({ v: typed(value) }, { numbersAsFloat: true })
      .trim()
      .slice('v = '.length);
    // Without spaces within brackets, outside of texts. A name may look like a number.
    const parts = /"(?:\\.|[^"\\])*"|'[^']*'|([[{]) | ([\]}])|([\w.+-]+)( =)?/g;
    return text.replace(parts, (whole, open = '', close = '', word = '', equals = '') => {
      return open + close || (equals === '' && /^-?\d[\d.]*e[-+]\d+$/.test(word) ? inFull(word) : whole);
    });
  } catch (cause) {
    throw templateFailure('the value cannot be written as TOML.', cause);
  }
}

/** smol-toml writes a bigint as an integer, and a number as a floating-point number. */
function typed(value: unknown): unknown {
  if (value instanceof Float) return value.value;
  if (typeof value === 'number') return Number.isInteger(value) && toNumeric(value) === value ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(typed);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, typed(inner)]));
}

/** `1e-7` as `0.0000001`. */
function inFull(written: string): string {
  const [, sign = '', mantissa = '', power] = /^(-?)(.*)e(.*)$/.exec(written) ?? [];
  const digits = mantissa.replace('.', '');
  if (Number(power) < 0) return `${sign}0.${digits.padStart(digits.length - Number(power) - 1, '0')}`;
  return `${sign}${digits.padEnd(Number(power) + 1, '0')}.0`;
}
