import { type InstanceKindRow, instanceKinds } from '../../lib/model/instance-kinds.ts';
import type { GeneratedPart } from './generated.ts';
import { table } from './markdown-table.ts';

/* The table of a node's own services in docs/reference/consul.md. */

const tags: Readonly<Record<InstanceKindRow['tags'], (row: InstanceKindRow) => string>> = {
  'name and role': ({ record }) =>
    `\`${record === 'cluster' ? 'C' : 'M'}\`, \`master\` or \`replica\` as the record has it, `,
  kind: () => 'the kind, ',
  none: () => '',
};

function writeServices(): string {
  const kinds = Object.entries(instanceKinds) as [string, InstanceKindRow][];
  const services = Map.groupBy(kinds, ([, { service }]) => service);
  const rows = [...services].map(([service, of]) => {
    const [first] = of;
    const written = first === undefined ? '' : tags[first[1].tags](first[1]);
    return [`\`${service}\``, of.map(([kind]) => `\`${kind}\``).join(', '), `${written}the environment`];
  });
  return table(['service', 'kind', 'tags'], rows);
}

export const consulParts: readonly GeneratedPart[] = [
  { name: 'services', page: 'docs/reference/consul.md', write: writeServices },
];
