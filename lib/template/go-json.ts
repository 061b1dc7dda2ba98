import { Markup } from './format.ts';
import { templateFailure } from './helper.ts';
import { Float } from './number.ts';
import { compareText } from './ordered.ts';

export interface JsonStyle {
  /** `<`, `>` and `&` as `\u003c` and so on. */
  readonly html: 'escaped' | 'plain';
  readonly layout: 'line' | 'indented';
}

/** JSON as Go's encoding/json writes it: fields by name. Values that are missing are left out. */
export function formatJson(value: unknown, style: JsonStyle, indent = ''): string {
  if (value instanceof Float) return JSON.stringify(value.value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw templateFailure(`JSON has no number ${value}.`);
  if (value instanceof Markup) return formatText(value.text, style);
  if (typeof value === 'string') return formatText(value, style);
  if (Array.isArray(value)) {
    const items = value.map((item) => formatJson(item, style, `${indent}  `));
    return enclose({ items, brackets: '[]', style, indent });
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const separator = style.layout === 'line' ? ':' : ': ';
  const items = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, inner]) => formatText(name, style) + separator + formatJson(inner, style, `${indent}  `));
  return enclose({ items, brackets: '{}', style, indent });
}

function enclose(input: { items: readonly string[]; brackets: string; style: JsonStyle; indent: string }): string {
  const { items, brackets, style, indent } = input;
  const [open, close] = brackets;
  if (items.length === 0 || style.layout === 'line') return `${open}${items.join(',')}${close}`;
  return `${open}\n${indent}  ${items.join(`,\n${indent}  `)}\n${indent}${close}`;
}

function formatText(text: string, { html }: JsonStyle): string {
  const characters = html === 'escaped' ? /[<>&\u2028\u2029]/g : /[\u2028\u2029]/g;
  return JSON.stringify(text).replace(characters, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
