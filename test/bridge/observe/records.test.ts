import t from 'tap';
import { RecordSource } from '../../../lib/bridge/observe/records.ts';
import type { CatalogWatches } from '../../../lib/consul/watches.ts';
import type { ServiceInstance } from '../../../lib/model/catalog.ts';
import { distinctNode } from '../../../lib/model/master-node.ts';
import { externalNode, masterService, type Naming, nodeMetaKeys } from '../../../lib/model/naming.ts';

/** A source, and a catalog that shows it these instances of masters. `shown`: those that it has from the start. */
function open(naming: Naming, shown: readonly ServiceInstance[] = []) {
  const world = { instances: shown, index: 1n, resets: 0 };
  const listeners: ((event: 'value') => void)[] = [];
  const changes: string[] = [];
  const watches = {
    follow: (query: { readonly kind: string; readonly service?: string }, listen: (event: 'value') => void) => {
      listeners.push(listen);
      return {
        get state() {
          const value = query.service === masterService ? world.instances : [];
          const { index, resets } = world;
          return { kind: 'current', value, index, resets };
        },
        release: () => {},
      };
    },
  } as unknown as CatalogWatches;
  const source = new RecordSource({
    watches,
    naming,
    onChange: (changed) => changes.push(...(changed === 'all' ? ['all'] : changed)),
  });
  const show = (...instances: readonly ServiceInstance[]): readonly string[] => {
    world.instances = instances;
    changes.length = 0;
    for (const listen of listeners) listen('value');
    return [...new Set(changes)];
  };
  return { world, show, node: (name: string) => source.read(name)?.catalogContents.node, source };
}

function instance(node: string, owner: { readonly environment: string; readonly name: string }): ServiceInstance {
  const nodeMeta = { [nodeMetaKeys.master]: owner.name, [nodeMetaKeys.environment]: owner.environment };
  return { node, nodeMeta, id: 'm', name: masterService, tags: [], meta: {}, checks: [] } as unknown as ServiceInstance;
}

t.test('a node that another environment has in another case of its name is taken', async (t) => {
  const naming = { environment: 'prod' };
  const { show, node } = open(naming);
  t.equal(node('m'), 'redis-prod-m');
  t.strictSame(show(instance('redis-Prod-m', { environment: 'Prod', name: 'm' })), ['redis-prod-m', 'm']);
  t.equal(node('m'), distinctNode(naming, 'm'));
});

t.test('a source begins with what the watches that others follow have read already', async (t) => {
  const naming = { environment: undefined };
  const { source } = open(naming, [instance('redis-m', { environment: '', name: 'm' })]);
  t.equal(source.read('m')?.catalogContents.instances.length, 1);
});

t.test('what is read of a master is computed once between two changes that concern it', async (t) => {
  const naming = { environment: undefined };
  const { show, source } = open(naming);
  const read = () => source.read('m');
  const own = instance('redis-m', { environment: '', name: 'm' });
  const other = instance('redis-n', { environment: '', name: 'n' });
  show(own);
  const first = read();
  t.equal(read(), first);
  t.strictSame(show(own, other), ['redis-n']);
  t.equal(read(), first, 'another master changed');
  const tagged = { ...own, tags: ['x'] };
  t.strictSame(show(tagged, other), ['redis-m']);
  t.strictSame(read()?.catalogContents.instances, [tagged]);
  const elsewhere = instance('redis-former', { environment: '', name: 'm' });
  t.strictSame(show(tagged, other, elsewhere), ['redis-former', 'm']);
  t.strictSame(read()?.catalogContents.former, [elsewhere]);
});

t.test(
  'a master whose usual node another environment leaves keeps its distinct node, and reads what changes there',
  async (t) => {
    const naming = { environment: 'prod-eu' };
    const distinct = distinctNode(naming, 'cache');
    const { show, source } = open(naming);
    const taken = instance('redis-prod-eu-cache', { environment: 'prod', name: 'eu-cache' });
    const own = instance(distinct, { environment: 'prod-eu', name: 'cache' });
    const instances = () => source.read('cache')?.catalogContents.instances;
    show(taken, own);
    t.strictSame(instances(), [own]);
    const guest = instance(distinct, { environment: 'another', name: 'm' });
    show(taken, own, guest);
    t.strictSame(instances(), [own, guest], 'what is not ours on its node');
    const left = instance('redis-prod-eu-cache', { environment: 'prod-eu', name: 'cache' });
    t.strictSame(show(taken, own, guest, left), ['redis-prod-eu-cache']);
    t.strictSame(source.read('cache')?.catalogContents.former, [left], 'what is ours on the usual node');
    show(own);
    t.strictSame(instances(), [own]);
    show({ ...own, tags: ['x'] });
    t.strictSame(instances(), [{ ...own, tags: ['x'] }]);
    show();
    t.strictSame(instances(), []);
  },
);

t.test('an index that rose or fell without another value is in the next reading', async (t) => {
  const { world, source } = open({ environment: undefined });
  const first = source.read('m');
  world.index = 5n;
  t.match(source.read('m'), { index: 5n, resets: 0 });
  t.equal(source.read('m')?.catalogContents, first?.catalogContents, 'only the index is new');
  Object.assign(world, { index: 2n, resets: 1 });
  t.match(source.read('m'), { index: 2n, resets: 1 });
});

t.test(
  'a bridge keeps the distinct node of its master after a loss of the catalog, until the master is removed',
  async (t) => {
    const naming = { environment: 'prod-eu' };
    const distinct = distinctNode(naming, 'cache');
    const { show, node, source } = open(naming);
    show(
      instance('redis-prod-eu-cache', { environment: 'prod', name: 'eu-cache' }),
      instance(distinct, { environment: 'prod-eu', name: 'cache' }),
    );
    t.equal(node('cache'), distinct);
    show();
    t.equal(node('cache'), distinct);
    source.forget('cache');
    t.equal(node('cache'), externalNode(naming, 'cache'));
  },
);
