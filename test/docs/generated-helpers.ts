import type { HelperDefinition } from '../../lib/template/helper.ts';
import { helpers } from '../../lib/template/helpers.ts';
import type { GeneratedPart } from './generated.ts';
import { table } from './markdown-table.ts';

/* The list of all helpers in docs/reference/templates.md. The tables above it in the page have their meaning, by hand. */

function countOf([least, most]: HelperDefinition['takes']): string {
  if (least === most) return String(least);
  return Number.isFinite(most) ? `${least} to ${most}` : `${least} or more`;
}

function writeHelpers(): string {
  const rows = Object.entries(helpers)
    .toSorted(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1))
    .map(([name, { kind, takes, options = [], usage, order }]) => [
      `\`${kind === 'block' ? '#' : ''}${name}\``,
      `${countOf(takes)}${order === 'subject-last' ? ', the value last' : ''}`,
      options.map((option) => `\`${option}=\``).join(', '),
      `\`${usage}\``,
    ]);
  return table(['helper', 'arguments', 'options', 'example'], rows);
}

export const helperParts: readonly GeneratedPart[] = [
  { name: 'helpers', page: 'docs/reference/templates.md', write: writeHelpers },
];
