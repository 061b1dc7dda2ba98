import t from 'tap';
import { RecordWriter } from '../../../lib/bridge/apply/writer.ts';
import type { Finding } from '../../../lib/bridge/finding.ts';
import { rememberMasters } from '../../../lib/bridge/memories.ts';
import { planPublication } from '../../../lib/bridge/plan/catalog.ts';
import type { ConsulClient } from '../../../lib/client/consul.ts';
import type { CatalogContents, CatalogOperation } from '../../../lib/model/catalog.ts';
import { masterChecks } from '../../../lib/model/master-check.ts';
import { nodeMetaKeys } from '../../../lib/model/naming.ts';
import { holdingsAfter, nothing, wanted } from '../plan/catalog-world.ts';
import { at, record, role, view } from '../plan/world.ts';

const content = record('A');
const naming = { environment: undefined };

/** A writer to a Consul in which `node` is what a read of any node returns. */
function open(node?: object) {
  const world = { nowMs: 0, written: [] as CatalogOperation[] };
  const client = {
    read: async () => ({ value: node, index: 1n }),
    transact: async (steps: readonly CatalogOperation[]) => {
      world.written.push(...steps.filter(({ kind }) => kind !== 'kv-check-index'));
      return { kind: 'applied', indexes: new Map() };
    },
  } as unknown as ConsulClient;
  const nowMs = () => world.nowMs;
  const writer = new RecordWriter({ client, naming, bridgeId: 'bridge', memory: rememberMasters(), nowMs });
  return { world, writer };
}

function contents(master: keyof typeof masterChecks): CatalogContents {
  const { status, output } = masterChecks.up;
  const replicas = content.replicas.map((address) => ({ address, opinion: { status, output } }));
  const own = wanted(content, { master: masterChecks[master], replicas });
  const { first, rest } = planPublication(own, { index: 0, catalogContents: nothing });
  return holdingsAfter([...first, ...rest]);
}

function find(catalogContents: CatalogContents, changes: Partial<Finding>): Finding {
  const held = { kind: 'present', record: content, modifyIndex: 1 } as const;
  return {
    name: 'm',
    reading: { held, catalogContents, index: 1n, resets: 0 },
    held,
    past: {} as Finding['past'],
    views: [],
    complete: true,
    role: undefined,
    wokenMs: 0,
    observedMs: 0,
    ...changes,
  };
}

t.test('while no Sentinel answers, the loop runs again when the check of the master changes by itself', async (t) => {
  const { world, writer } = open();
  const waiting = { kind: 'held', summary: 'no Sentinel answers' } as const;
  const outage = { master: at('A'), stage: 'given-up' } as const;
  const expire = (master: keyof typeof masterChecks, observedMs: number) =>
    writer.expire(find(contents(master), { outage, role: role('A', 'unreachable'), observedMs }), waiting);
  t.match(await expire('down', 0), { kind: 'applied', retryAfterMs: 5_001 }, 'the question');
  t.strictSame(await expire('answeringDoubted', 10), { ...waiting, retryAfterMs: 4_991 });
  const written = world.written.length;
  t.match(await expire('answeringDoubted', 5_011), { kind: 'applied' });
  t.match(world.written.slice(written), [{ kind: 'check-set', check: { notes: 'given-up' } }]);
  t.strictSame(await expire('givenUp', 5_021), waiting);
});

t.test(
  'the decision of a failover leaves the transaction time to be sent, and does not wait for its answer',
  async (t) => {
    const seen: string[] = [];
    const answered = Promise.withResolvers<void>();
    const client = {
      transact: async () => {
        // As Node's HTTP client does with an open connection.
        process.nextTick(() => seen.push('sent'));
        await answered.promise;
        seen.push('answered');
        return { kind: 'applied', indexes: new Map() };
      },
    } as unknown as ConsulClient;
    const onDecision = () => {
      seen.push('decided');
      answered.resolve();
    };
    const writer = new RecordWriter({ client, naming, bridgeId: 'bridge', memory: rememberMasters(), onDecision });
    const draft = { ...record('B', { epoch: 6 }), previous: at('A') };
    const outcome = await writer.publish(find(nothing, {}), { kind: 'publish', cause: 'failover', draft });
    t.strictSame(seen, ['sent', 'decided', 'answered']);
    t.match(outcome, { kind: 'applied' });
  },
);

const ours = { [nodeMetaKeys.master]: 'm', [nodeMetaKeys.environment]: '' };
const services = [{ id: 'redis-master', name: 'redis-master' }];
const other = { id: 'x', name: 'x' };
for (const [what, node, expected] of [
  ['its own', { meta: ours, services }, ['service-delete', 'node-delete']],
  ['its own with a service of somebody else', { meta: ours, services: [...services, other] }, ['service-delete']],
  ["another environment's by now", { meta: { ...ours, [nodeMetaKeys.environment]: 'prod' }, services }, []],
  ["another master's by now", { meta: { ...ours, [nodeMetaKeys.master]: 'n' }, services }, []],
] as const) {
  t.test(`a former node of the master that is ${what}`, async (t) => {
    const { world, writer } = open(node);
    const held = contents('up');
    const [instance] = held.instances;
    if (instance === undefined) throw new Error('nothing is registered');
    const catalogContents = { ...held, former: [{ ...instance, node: 'redis-former' }] };
    const finding = find(catalogContents, { views: [1, 2, 3].map((n) => view(n, 'A', 5)) });
    t.match(await writer.repair(finding, content), { kind: 'held' }, 'another bridge may be first');
    world.nowMs = 10_000;
    t.equal((await writer.repair(finding, content)).kind, expected.length === 0 ? 'unchanged' : 'applied');
    t.strictSame(
      world.written.map(({ kind }) => kind),
      expected,
    );
  });
}
