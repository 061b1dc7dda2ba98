import { Markup } from './format.ts';
import { type HelperDefinition, numberArgument, templateFailure, textArgument } from './helper.ts';
import { isTrue } from './helpers-blocks.ts';

/** Helpers that make values of values. */
export const textHelpers = {
  default: {
    kind: 'value',
    takes: [2, 2],
    usage: '(default vars.x "text")',
    run: ({ args: [value, fallback] }) => (value === undefined || value === null ? fallback : value),
  },
  raw: {
    kind: 'value',
    takes: [1, 1],
    usage: '{{raw x}}',
    run(call) {
      const text = textArgument(call, 0);
      if (text.includes('\u0000')) throw templateFailure('the text holds NUL.');
      return new Markup('raw', text);
    },
  },
  lookup: {
    kind: 'value',
    takes: [2, 2],
    usage: '(lookup object name)',
    run({ args: [object, name] }) {
      const known = typeof object === 'object' && object !== null && Object.hasOwn(object, String(name));
      return known ? (object as Record<string, unknown>)[String(name)] : undefined;
    },
  },
  add: {
    kind: 'value',
    takes: [2, 2],
    usage: '(add a b)',
    run: (call) => numberArgument(call, 0) + numberArgument(call, 1),
  },
  envName: {
    kind: 'value',
    takes: [1, 1],
    usage: '{{envName name}}',
    run: (call) =>
      textArgument(call, 0)
        .toUpperCase()
        .replace(/[^A-Z0-9]/g, '_'),
  },
  eq: { kind: 'value', takes: [2, 2], usage: '(eq a b)', run: ({ args: [a, b] }) => a === b },
  ne: { kind: 'value', takes: [2, 2], usage: '(ne a b)', run: ({ args: [a, b] }) => a !== b },
  and: {
    kind: 'value',
    takes: [1, Number.POSITIVE_INFINITY],
    usage: '(and a b)',
    run: ({ args }) => args.find((arg) => !isTrue(arg)) ?? args.at(-1),
  },
  or: {
    kind: 'value',
    takes: [1, Number.POSITIVE_INFINITY],
    usage: '(or a b)',
    run: ({ args }) => args.find((arg) => isTrue(arg)) ?? args.at(-1),
  },
  not: { kind: 'value', takes: [1, 1], usage: '(not x)', run: ({ args: [value] }) => !isTrue(value) },
} satisfies Record<string, HelperDefinition>;
