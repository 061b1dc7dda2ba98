import t from 'tap';
import { foreignNode, nodeMeta, nodeOwner, ownershipOf } from '../../../lib/bridge/plan/node-ownership.ts';
import type { CatalogNode, ServiceInstance } from '../../../lib/model/catalog.ts';
import { collisions, dnsSafe, externalNode, keyPrefix, plainKey, recordKey } from '../../../lib/model/naming.ts';

const claim = { naming: { environment: undefined }, name: 'm' };
const inProd = { naming: { environment: 'prod' }, name: 'm' };

function instance(meta: Readonly<Record<string, string>>): ServiceInstance {
  const place = { node: 'redis-m', nodeAddress: '10.0.0.1', nodeMeta: meta, datacenter: 'dc1' };
  return {
    ...place,
    id: 'redis-master',
    name: 'redis-master',
    address: '10.0.0.1',
    port: 1,
    tags: [],
    meta: {},
    checks: [],
  };
}

function node(changes: Partial<CatalogNode> = {}): CatalogNode {
  return { id: '', node: 'redis-m', address: '10.0.0.1', datacenter: 'dc1', meta: {}, ...changes };
}

t.test('a service on a marked node proves who owns it, without a request', async (t) => {
  const by = (meta: Readonly<Record<string, string>>) =>
    ownershipOf(claim, { keys: new Map(), instances: [instance(meta)] });
  t.strictSame(by(nodeMeta(claim)), { kind: 'proven' });
  t.strictSame(by(nodeMeta(inProd)), { kind: 'foreign', owner: 'master m of environment prod' });
  t.strictSame(by(nodeMeta({ ...claim, name: 'M' })), { kind: 'foreign', owner: 'master M' });
  t.strictSame(by({}), { kind: 'unproven' });
  t.strictSame(ownershipOf(claim, { keys: new Map(), instances: [] }), { kind: 'unproven' });
});

const owners: readonly (readonly [string, CatalogNode | undefined, 'recorded' | 'new', RegExp | undefined])[] = [
  ['there is none', undefined, 'new', undefined],
  ['it has our marks', node({ meta: nodeMeta(claim) }), 'new', undefined],
  ["it has another environment's marks", node({ meta: nodeMeta(inProd) }), 'recorded', /master m of environment prod/],
  [
    'it is an agent',
    node({ id: '1b1c1d1e-0000-0000-0000-000000000000' }),
    'recorded',
    /Consul agent of that name \(10\.0\.0\.1\)/,
  ],
  ['it is an agent with our marks', node({ id: 'x', meta: nodeMeta(claim) }), 'recorded', /Consul agent/],
  ['somebody registered it before there was a record', node(), 'new', /somebody else \(10\.0\.0\.1;/],
  ['somebody removed our marks', node(), 'recorded', undefined],
];
for (const [when, found, recorded, expected] of owners) {
  t.test(`whose a node is: ${when}`, async (t) => {
    const owner = nodeOwner(claim, { node: found, recorded: recorded === 'recorded' });
    if (expected === undefined) t.equal(owner, undefined);
    else t.match(owner, expected);
  });
}

t.test('a refusal names the node and the fix', async (t) => {
  t.equal(
    foreignNode('redis-m', 'master M'),
    "cannot write to Consul's node redis-m: it belongs to master M; rename one of them",
  );
});

t.test('names become labels of DNS', async (t) => {
  t.equal(dnsSafe('my_shard.1/'), 'my-shard-1-');
  t.match(dnsSafe('my_shard.1/é'), /^my-shard-1-[0-9a-f]{8}$/, 'names that are not ASCII get a hash');
  t.equal(dnsSafe('x'.repeat(80)).length, 63);
  t.equal(externalNode({ environment: undefined }, 'a.b'), 'redis-a-b');
});

t.test('names that are the same in DNS are found', async (t) => {
  t.strictSame(collisions(['a.b', 'a-b', 'c']), [['a-b', 'a.b']]);
  t.strictSame(collisions(['Shard', 'shard']), [['Shard', 'shard']]);
  t.strictSame(collisions([`${'x'.repeat(63)}1`, `${'x'.repeat(63)}2`]).length, 1);
  t.strictSame(collisions(['a', 'b', 'ab']), []);
});

t.test('keys are those of the contract', async (t) => {
  t.equal(keyPrefix({ environment: undefined }), 'redis/');
  t.equal(recordKey({ environment: 'e' }, 'm'), 'redis/e/record/m');
  t.equal(plainKey({ environment: undefined }, 'm'), 'redis/master/m');
});
