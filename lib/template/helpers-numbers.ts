import { describeValue, type HelperCall, type HelperDefinition, templateFailure, textArgument } from './helper.ts';
import {
  compareNumbers,
  compute,
  isFloatText,
  isInteger,
  type Numeric,
  toFloat,
  toInteger,
  toNumeric,
} from './number.ts';
import { compareText } from './ordered.ts';

const maxLoop = 1_000_000;
const int64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };
const uint64 = { least: 0n, most: 2n ** 64n - 1n };

/** Helpers that compute numbers. The second argument comes first: `(subtract 1 x)` is x - 1, as in consul-template. */
export const numberHelpers: Readonly<Record<string, HelperDefinition>> = {
  add: math('(add 1 x)', { integers: (a, b) => a + b, floats: (a, b) => a + b }),
  subtract: ordered(math('(subtract 1 x)', { integers: (a, b) => a - b, floats: (a, b) => a - b })),
  multiply: math('(multiply 2 x)', { integers: (a, b) => a * b, floats: (a, b) => a * b }),
  divide: ordered(
    math('(divide 2 x)', { integers: (a, b) => (b === 0n ? undefined : a / b), floats: (a, b) => a / b }),
  ),
  modulo: ordered(math('(modulo 2 x)', { integers: (a, b) => (b === 0n ? undefined : a % b) })),
  minimum: chooser('(minimum a b)', (order) => order < 0),
  maximum: chooser('(maximum a b)', (order) => order > 0),
  lt: comparison('(lt a b)', (order) => order < 0),
  le: comparison('(le a b)', (order) => order <= 0),
  gt: comparison('(gt a b)', (order) => order > 0),
  ge: comparison('(ge a b)', (order) => order >= 0),
  parseInt: {
    kind: 'value',
    takes: [1, 1],
    usage: '(parseInt x)',
    run: (call) => parseInteger(textArgument(call, 0), { form: /^[+-]?\d+$/, ...int64 }),
  },
  parseUint: {
    kind: 'value',
    takes: [1, 1],
    usage: '(parseUint x)',
    run: (call) => parseInteger(textArgument(call, 0), { form: /^\d+$/, ...uint64 }),
  },
  parseFloat: {
    kind: 'value',
    takes: [1, 1],
    usage: '(parseFloat x)',
    run(call) {
      const text = textArgument(call, 0).trim();
      if (text === '') return toFloat(0);
      if (!isFloatText(text)) throw notNumber(text);
      return toFloat(Number(text));
    },
  },
  loop: {
    kind: 'value',
    takes: [1, 2],
    usage: '(loop 5)',
    typed: true,
    run(call) {
      const [start, stop] = call.args.length === 1 ? [0, loopEnd(call, 0)] : [loopEnd(call, 0), loopEnd(call, 1)];
      if (stop - start > maxLoop) throw templateFailure(`a loop has at most ${maxLoop} passes.`);
      return Array.from({ length: Math.max(0, stop - start) }, (_, i) => start + i);
    },
  },
};

function math(usage: string, operation: Parameters<typeof compute>[0]): HelperDefinition {
  return {
    kind: 'value',
    takes: [2, 2],
    usage,
    typed: true,
    run(call) {
      const result = compute(operation, numericArgument(call, 1), numericArgument(call, 0));
      if (result === undefined) throw templateFailure('the result is not a number.');
      return result;
    },
  };
}

function ordered(definition: HelperDefinition): HelperDefinition {
  return { ...definition, order: 'subject-last' };
}

function chooser(usage: string, takesFirst: (order: number) => boolean): HelperDefinition {
  const run = (call: HelperCall) => {
    const [second, first] = [numericArgument(call, 0), numericArgument(call, 1)];
    return takesFirst(compareNumbers(first, second)) ? first : second;
  };
  return { kind: 'value', takes: [2, 2], usage, typed: true, run };
}

function comparison(usage: string, holds: (order: number) => boolean): HelperDefinition {
  const run = ({ args: [a, b] }: HelperCall) => {
    if (typeof a === 'string' && typeof b === 'string') return holds(compareText(a, b));
    const [first, second] = [a, b].map((value) => (typeof value === 'string' ? undefined : toNumeric(value)));
    if (first === undefined || second === undefined) {
      throw templateFailure(`it compares two numbers or two texts, not ${describeValue(a)} with ${describeValue(b)}.`);
    }
    return holds(compareNumbers(first, second));
  };
  return { kind: 'value', takes: [2, 2], usage, typed: true, run };
}

function numericArgument({ args }: HelperCall, position: number): Numeric {
  const value = toNumeric(args[position]);
  if (value !== undefined) return value;
  throw templateFailure(`argument ${position + 1} must be a number, not ${describeValue(args[position])}.`);
}

function loopEnd(call: HelperCall, position: number): number {
  const value = call.args[position] === '' ? 0 : numericArgument(call, position);
  if (typeof value === 'number' && isInteger(value)) return value;
  throw templateFailure(`argument ${position + 1} must be a whole number, not ${describeValue(call.args[position])}.`);
}

/** An empty text is 0. */
function parseInteger(
  written: string,
  { form, least, most }: { readonly form: RegExp; readonly least: bigint; readonly most: bigint },
): Numeric {
  const text = written.trim();
  if (text === '') return 0;
  if (!form.test(text)) throw notNumber(text);
  const value = BigInt(text.replace(/^\+/, ''));
  if (value < least || value > most) throw templateFailure(`${text} is not between ${least} and ${most}.`);
  return toInteger(value);
}

function notNumber(text: string) {
  return templateFailure(`${JSON.stringify(text.slice(0, 40))} is not a number.`);
}
