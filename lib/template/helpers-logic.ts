import { isUtf8 } from 'node:buffer';
import {
  describeValue,
  type HelperCall,
  type HelperDefinition,
  listArgument,
  templateFailure,
  textArgument,
} from './helper.ts';
import { isTrue } from './helpers-blocks.ts';
import { Float, plainNumber } from './number.ts';
import { isFields } from './ordered.ts';

const many = Number.POSITIVE_INFINITY;

/** Helpers that choose and compare values of any kind. */
export const logicHelpers: Readonly<Record<string, HelperDefinition>> = {
  default: {
    kind: 'value',
    takes: [2, 2],
    usage: '(default vars.x "text")',
    typed: true,
    run: ({ args: [value, fallback] }) => (value === undefined || value === null ? fallback : value),
  },
  lookup: { kind: 'value', takes: [2, 2], usage: '(lookup object name)', run: ({ args }) => fieldOf(args[0], args[1]) },
  index: {
    kind: 'value',
    takes: [2, many],
    usage: '(index list 0)',
    run: ({ args: [value, ...path] }) => path.reduce(elementOf, value),
  },
  eq: {
    kind: 'value',
    takes: [2, many],
    usage: '(eq a b)',
    run: ({ args: [value, ...others] }) => {
      refuseCollections([value, ...others]);
      return others.includes(value);
    },
  },
  ne: {
    kind: 'value',
    takes: [2, 2],
    usage: '(ne a b)',
    run: ({ args: [a, b] }) => {
      refuseCollections([a, b]);
      return a !== b;
    },
  },
  and: {
    kind: 'value',
    takes: [1, many],
    usage: '(and a b)',
    typed: true,
    run: ({ args }) => args[args.findIndex((arg, i) => !isTrue(arg) || i === args.length - 1)],
  },
  or: {
    kind: 'value',
    takes: [1, many],
    usage: '(or a b)',
    typed: true,
    run: ({ args }) => args[args.findIndex((arg, i) => isTrue(arg) || i === args.length - 1)],
  },
  not: { kind: 'value', takes: [1, 1], usage: '(not x)', run: ({ args: [value] }) => !isTrue(value) },
  length: { kind: 'value', takes: [1, 1], usage: '(length list)', run: (call) => listArgument(call, 0).length },
  len: { kind: 'value', takes: [1, 1], usage: '(len x)', run: ({ args: [value] }) => lengthOf(value) },
  slice: {
    kind: 'value',
    takes: [2, 3],
    usage: '(slice x 0 5)',
    run: ({ args: [value, start, end] }) => sliceOf(value, start, end),
  },
  in: {
    kind: 'value',
    takes: [2, 2],
    usage: '(in list x)',
    typed: true,
    run: ({ args: [list, value] }) => isIn(list, value),
  },
  contains: {
    kind: 'value',
    takes: [2, 2],
    usage: '(contains "part" x)',
    order: 'subject-last',
    typed: true,
    run: ({ args: [value, list] }) => isIn(list, value),
  },
  containsAll: contained('containsAll', (found, all) => found === all),
  containsAny: contained('containsAny', (found) => found > 0),
  containsNone: contained('containsNone', (found) => found === 0),
  containsNotAll: contained('containsNotAll', (found, all) => found < all),
  parseBool: { kind: 'value', takes: [1, 1], usage: '(parseBool x)', run: (call) => parseBool(textArgument(call, 0)) },
};

function contained(name: string, holds: (found: number, all: number) => boolean): HelperDefinition {
  const run = (call: HelperCall) => {
    const values = listArgument(call, 0);
    return holds(values.filter((value) => isIn(call.args[1], value)).length, values.length);
  };
  return { kind: 'value', takes: [2, 2], usage: `(${name} (split "," "a,b") list)`, typed: true, run };
}

/** Two lists, or two objects, are never the same value. */
function refuseCollections(args: readonly unknown[]): void {
  const isCollection = (arg: unknown) => Array.isArray(arg) || isFields(arg);
  if (args.filter(isCollection).length > 1) throw templateFailure('it compares no lists and no objects.');
}

/** Whether a list has the value, or a text has the part. As in Go, no list has a boolean, and the integer 2 is not the number 2 of a JSON text. */
function isIn(list: unknown, value: unknown): boolean {
  if (typeof list === 'string' && typeof value === 'string') return list.includes(value);
  if (Array.isArray(list)) {
    return (
      typeof value !== 'boolean' &&
      list.some((one) => isFloat(one) === isFloat(value) && plainNumber(one) === plainNumber(value))
    );
  }
  throw templateFailure(`it takes a list or a text, not ${describeValue(list)} with ${describeValue(value)}.`);
}

function isFloat(value: unknown): boolean {
  return value instanceof Float || (typeof value === 'number' && !Number.isInteger(value));
}

export function fieldOf(item: unknown, name: unknown): unknown {
  const known = typeof item === 'object' && item !== null && Object.hasOwn(item, String(name));
  return known ? (item as Record<string, unknown>)[String(name)] : undefined;
}

/** A list has an element at each index; an object may lack a field. */
function elementOf(value: unknown, key: unknown): unknown {
  const place = plainNumber(key);
  if (Array.isArray(value)) {
    if (Number.isInteger(place) && Number(place) >= 0 && Number(place) < value.length) return value[Number(place)];
    throw templateFailure(`a list of ${value.length} has no element ${describeValue(key)}: the first has the index 0.`);
  }
  if (isFields(value) && typeof key === 'string') return fieldOf(value, key);
  if (isFields(value)) throw templateFailure(`the name of a field is a text, not ${describeValue(key)}.`);
  throw templateFailure(`it takes a list or an object, not ${describeValue(value)}.`);
}

/** The part of a text or of a list from one index to before another. */
function sliceOf(value: unknown, start: unknown, end: unknown): unknown {
  const whole = typeof value === 'string' ? Buffer.from(value) : value;
  if (!Buffer.isBuffer(whole) && !Array.isArray(whole)) {
    throw templateFailure(`it takes a text or a list, not ${describeValue(value)}.`);
  }
  const [from, to] = [start, end === undefined ? whole.length : end];
  if (!(isPlace(from) && isPlace(to) && from <= to && to <= whole.length)) {
    throw templateFailure(
      `${describeValue(start)} to ${describeValue(end ?? whole.length)} is not within ${whole.length}.`,
    );
  }
  const part = whole.slice(from, to);
  if (!Buffer.isBuffer(part)) return part;
  if (!isUtf8(part)) throw templateFailure('the part begins or ends within a character.');
  return part.toString();
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** Bytes of a text in UTF-8, elements of a list, fields of an object. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isFields(value)) return Object.keys(value).length;
  throw templateFailure(`it takes a text, a list or an object, not ${describeValue(value)}.`);
}

/** What Go takes for a boolean; an empty text is false. */
function parseBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['', '0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw templateFailure(`${JSON.stringify(text.slice(0, 40))} is neither true nor false.`);
}
