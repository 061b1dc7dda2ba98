import fc from 'fast-check';
import t from 'tap';
import { chooseNode, distinctNode, ownLabel } from '../../lib/model/master-node.ts';
import { externalNode, nodeMetaKeys } from '../../lib/model/naming.ts';

interface Owner {
  readonly environment: string | undefined;
  readonly name: string;
}

/** Nodes with an instance each, which Consul finds whatever the case of their names. */
type Catalog = Map<string, Owner>;

const instancesIn = (catalog: Catalog) => (node: string) => {
  const owner = catalog.get(node.toLowerCase());
  if (owner === undefined) return [];
  const nodeMeta = { [nodeMetaKeys.master]: owner.name, [nodeMetaKeys.environment]: owner.environment ?? '' };
  return [{ nodeMeta }];
};

/** Registers the masters one after another, and returns their nodes in that order. */
function register(owners: readonly Owner[], catalog: Catalog): readonly string[] {
  return owners.map((owner) => {
    const node = chooseNode({ naming: owner, name: owner.name }, instancesIn(catalog));
    catalog.set(node.toLowerCase(), owner);
    return node;
  });
}

const prodEu: Owner = { environment: 'prod', name: 'eu-cache' };
const prodEuCache: Owner = { environment: 'prod-eu', name: 'cache' };
const alone: Owner = { environment: undefined, name: 'prod-eu-cache' };
const usual = 'redis-prod-eu-cache';

const arrivals: readonly (readonly [string, readonly Owner[]])[] = [
  ['a hyphen in the master first', [prodEu, prodEuCache, alone]],
  ['a hyphen in the environment first', [prodEuCache, alone, prodEu]],
  ['no environment first', [alone, prodEu, prodEuCache]],
  [
    'environments that differ in case',
    [
      { environment: 'Prod', name: 'm' },
      { environment: 'prod', name: 'm' },
    ],
  ],
];
for (const [what, owners] of arrivals) {
  t.test(`the first master has the usual node, every other one its own: ${what}`, async (t) => {
    const [first, ...others] = register(owners, new Map());
    t.equal(first, owners[0] && externalNode(owners[0], owners[0].name));
    for (const node of others) t.match(node, /^redis-[\w-]+-[0-9a-f]{8}$/);
  });
}

t.test('a master that has its distinct node keeps it when the usual one is free', async (t) => {
  const catalog: Catalog = new Map();
  register([prodEu], catalog);
  const distinct = register([prodEuCache], catalog);
  catalog.delete(usual);
  t.strictSame(register([prodEuCache], catalog), distinct);
});

t.test('masters keep their nodes after a loss of the catalog, in whatever order their bridges come back', async (t) => {
  const owners = [prodEu, prodEuCache, alone];
  const before = register(owners, new Map());
  for (const order of [owners, owners.toReversed()]) {
    const catalog: Catalog = new Map();
    for (const owner of order) {
      const last = before[owners.indexOf(owner)];
      const node = chooseNode({ naming: owner, name: owner.name, last }, instancesIn(catalog));
      t.equal(node, last);
      catalog.set(node.toLowerCase(), owner);
    }
  }
});

t.test('a node of the same environment is not left: its other master is an error', async (t) => {
  const catalog: Catalog = new Map([['redis-a-b', { environment: undefined, name: 'a.b' }]]);
  t.strictSame(register([{ environment: undefined, name: 'a-b' }], catalog), ['redis-a-b']);
});

t.test('every distinct node is one label of DNS behind its prefix', async (t) => {
  for (const name of ['m', 'x'.repeat(200), 'кэш', 'a/b'])
    for (const environment of [undefined, 'prod', 'e'.repeat(63)])
      t.match(ownLabel(distinctNode({ environment }, name)), /^[A-Za-z0-9-]{1,54}-[0-9a-f]{8}$/);
});

const label = fc.array(fc.constantFrom('a', 'b', 'A', '-b', '-a'), { minLength: 1, maxLength: 4 }).map((parts) => {
  const text = parts.join('');
  return text.startsWith('-') ? `a${text}` : text;
});
const owner = fc.record({ environment: fc.option(label, { nil: undefined }), name: label });
const distinctOwners = fc.uniqueArray(owner, {
  maxLength: 12,
  // Names that are the same in DNS in one environment are an error of the config.
  selector: ({ environment, name }) => JSON.stringify([environment, name.toLowerCase()]),
});

t.test('no two masters of several environments share a node, in whatever order they come', async (t) => {
  const property = fc.property(distinctOwners, (owners) => {
    const catalog: Catalog = new Map();
    const nodes = register(owners, catalog);
    const later = register(owners.toReversed(), catalog).toReversed();
    const lower = nodes.map((node) => node.toLowerCase());
    if (new Set(lower).size !== nodes.length) throw new Error(`shared: ${nodes.join(', ')}`);
    if (JSON.stringify(later) !== JSON.stringify(nodes)) throw new Error(`moved: ${nodes} to ${later}`);
    for (const [index, one] of owners.entries()) {
      const usualNode = externalNode(one, one.name);
      const isFree = !lower.slice(0, index).includes(usualNode.toLowerCase());
      if (isFree !== (nodes[index] === usualNode)) throw new Error(`${nodes[index]} in place of ${usualNode}`);
    }
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }));
});
