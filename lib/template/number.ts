/*
 * Numbers as in Go, which consul-template has: integers of 64 bits and floating-point numbers, which it keeps apart. A safe
 * integer is a JavaScript number, any other integer is a bigint, and a number with a fraction is a JavaScript number.
 */

/** A floating-point number without a fraction, as from `5.0` or JSON: half of it is 2.5, and half of the integer 5 is 2. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }

  toJSON(): number {
    return this.value;
  }

  toString(): string {
    return String(this.value);
  }
}

export type Numeric = number | bigint | Float;

/** undefined if the value is no number. A text that is a number counts as one. */
export function toNumeric(value: unknown): Numeric | undefined {
  if (value instanceof Float || typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^[+-]?\d+$/.test(text)) return toInteger(BigInt(text.replace(/^\+/, '')));
  return isFloatText(text) ? toFloat(Number(text)) : undefined;
}

export function isFloatText(text: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text));
}

export function toInteger(value: bigint): Numeric {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function toFloat(value: number): Numeric {
  return Number.isInteger(value) ? new Float(value) : value;
}

export function isInteger(value: Numeric): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value);
}

/** The number itself, where Go's kind of it does not matter. */
export function plainNumber(value: unknown): unknown {
  return value instanceof Float ? value.value : value;
}

/** Without Go's kinds, in every depth. */
export function plainNumbers(value: unknown): unknown {
  if (value instanceof Float) return value.value;
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plainNumbers(inner)]));
}

export function floatOf(value: Numeric): number {
  return value instanceof Float ? value.value : Number(value);
}

interface Arithmetic {
  /** undefined where Go has no such operation. */
  readonly integers: (a: bigint, b: bigint) => bigint | undefined;
  readonly floats?: (a: number, b: number) => number;
}

/** Integers stay integers of 64 bits, which wrap around; with a floating-point number, the result is one. */
export function compute(operation: Arithmetic, a: Numeric, b: Numeric): Numeric | undefined {
  if (isInteger(a) && isInteger(b)) {
    const result = operation.integers(BigInt(a), BigInt(b));
    return result === undefined ? undefined : toInteger(BigInt.asIntN(64, result));
  }
  const result = operation.floats?.(floatOf(a), floatOf(b));
  return result === undefined || !Number.isFinite(result) ? undefined : toFloat(result);
}

export function compareNumbers(a: Numeric, b: Numeric): number {
  if (isInteger(a) && isInteger(b)) return a < b ? -1 : a > b ? 1 : 0;
  return floatOf(a) - floatOf(b);
}
