import { z } from 'zod';
import { formatAddress } from '../../lib/model/address.ts';
import { formatDuration } from '../../lib/model/duration.ts';

/* Every key that a config may have, from its schema. */

export interface ConfigKey {
  /** `sentinel.resync`, `templates[].check.timeout`. */
  readonly path: string;
  /** In words. */
  readonly type: string;
  readonly required: boolean;
  /** As a config has it; undefined if the schema has none. Of a map whose keys are listed, {@link ofItsKeys}. */
  readonly default: string | undefined;
}

interface Unwrapped {
  readonly schema: z.core.$ZodType;
  readonly optional: boolean;
  readonly default: unknown;
  /** The type in words, if the schema says it. */
  readonly is: string | undefined;
}

/** The schema of what somebody writes, without what surrounds it. */
function unwrap(given: z.core.$ZodType): Unwrapped {
  let [schema, optional, value, is] = [given, false, undefined as unknown, wordsOf(given)];
  for (;;) {
    if (schema instanceof z.ZodOptional) optional = true;
    else if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
      optional = true;
      value ??= schema.def.defaultValue;
    } else if (!(schema instanceof z.ZodPipe)) return { schema, optional, default: value, is };
    schema = schema instanceof z.ZodPipe ? schema.def.in : schema.def.innerType;
    is ??= wordsOf(schema);
  }
}

function wordsOf(schema: z.core.$ZodType): string | undefined {
  const is = z.globalRegistry.get(schema)?.is;
  return typeof is === 'string' ? is : undefined;
}

function typeOf(given: z.core.$ZodType): string {
  const { schema, is } = unwrap(given);
  if (is !== undefined) return is;
  if (schema instanceof z.ZodBoolean) return 'true or false';
  if (schema instanceof z.ZodLiteral) return [...schema.values].map((value) => `\`${value}\``).join(', ');
  if (schema instanceof z.ZodEnum) return schema.options.map((option) => `\`${option}\``).join(', ');
  if (schema instanceof z.ZodURL) return 'URL';
  if (schema instanceof z.ZodNumber) return numberWords(schema);
  if (schema instanceof z.ZodArray) return `list of ${plural(typeOf(schema.element))}`;
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord) return 'map';
  if (schema instanceof z.ZodUnion)
    return schema.options.map(typeOf).join(' or ').replace('true or false or', 'true, false or');
  if (schema instanceof z.ZodString) return 'text';
  throw new Error(`a schema without words: ${schema.constructor.name}`);
}

function numberWords({ isInt, minValue, maxValue }: z.ZodNumber): string {
  const bound = (value: number | null) =>
    value !== null && Number.isFinite(value) && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const range = bound(maxValue) ? `${minValue} to ${maxValue}` : bound(minValue) ? `at least ${minValue}` : '';
  return [...(isInt ? ['whole number'] : []), ...(range === '' ? [] : [range])].join(', ');
}

function plural(words: string): string {
  return /[\w]$/.test(words) ? words.replace(/s?$/, words.endsWith('address') ? 'ses' : 's') : words;
}

function defaultOf(value: unknown, type: string): string | undefined {
  if (value === undefined) return undefined;
  if (type.startsWith('duration')) return formatDuration(Number(value));
  if (Array.isArray(value)) return value.length === 1 ? String(value[0]) : JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if ('host' in value && 'port' in value) return formatAddress({ host: String(value.host), port: Number(value.port) });
  return Object.keys(value).length === 0 ? '{}' : undefined;
}

export const ofItsKeys = 'see below';

function keyOf(path: string, given: z.core.$ZodType): ConfigKey {
  const { schema, optional, default: value } = unwrap(given);
  const type = typeOf(given);
  const hasKeys = schema instanceof z.ZodObject && value !== undefined;
  return { path, type, required: !optional, default: hasKeys ? ofItsKeys : defaultOf(value, type) };
}

/** The keys below a schema, from top to bottom. */
export function keysOf(given: z.core.$ZodType, at = ''): readonly ConfigKey[] {
  const { schema } = unwrap(given);
  if (schema instanceof z.ZodArray) return keysOf(schema.element, `${at}[]`);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => keysOf(option, at));
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([name, inner]) => {
    const path = at === '' ? name : `${at}.${name}`;
    return [keyOf(path, inner), ...keysOf(inner, path)];
  });
}
