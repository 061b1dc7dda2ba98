import Handlebars from 'handlebars';
import { describeValue, type HelperDefinition, templateFailure } from './helper.ts';
import { plainNumber } from './number.ts';
import { entriesOf, isFields } from './ordered.ts';

/** Handlebars' own blocks, but strict: a template may test a missing value, but not iterate over it. */
export const blockHelpers = {
  if: {
    kind: 'block',
    takes: [1, 1],
    usage: '{{#if x}}',
    run: ({ args: [value], block }) => (isTrue(value) ? block.render(block.outer) : block.renderElse(block.outer)),
  },
  unless: {
    kind: 'block',
    takes: [1, 1],
    usage: '{{#unless x}}',
    run: ({ args: [value], block }) => (isTrue(value) ? block.renderElse(block.outer) : block.render(block.outer)),
  },
  with: {
    kind: 'block',
    takes: [1, 1],
    usage: '{{#with x as |name|}}',
    run: ({ args: [value], block }) =>
      isTrue(value) ? block.render(value, { data: {}, blockParams: [value] }) : block.renderElse(block.outer),
  },
  each: {
    kind: 'block',
    takes: [1, 1],
    usage: '{{#each list as |item index|}}',
    run({ args: [value], block }) {
      const entries = elementsOf(value);
      if (entries.length === 0) return block.renderElse(block.outer);
      const last = entries.length - 1;
      const pass = ([key, item]: readonly [unknown, unknown], index: number) =>
        block.render(item, {
          data: { key, index, first: index === 0, last: index === last },
          blockParams: [item, key],
        });
      return block.loop((within) => entries.map((entry, index) => within(entry[1], () => pass(entry, index))).join(''));
    },
  },
} satisfies Record<string, HelperDefinition>;

/** As in Go: false, 0, '', null, undefined, the empty list and the empty object are not true. */
export function isTrue(value: unknown): boolean {
  const plain = plainNumber(value);
  if (isFields(plain)) return Object.keys(plain).length > 0;
  return plain !== 0 && plain !== 0n && !Handlebars.Utils.isEmpty(plain);
}

function elementsOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
  if (typeof value === 'object' && value !== null) return entriesOf(value);
  throw templateFailure(`#each needs a list or a map: the value is ${describeValue(value)}.`);
}
