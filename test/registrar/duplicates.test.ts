import { performance } from 'node:perf_hooks';
import t, { type Test } from 'tap';
import { InstanceSource } from '../../lib/registrar/observe/instance.ts';
import { Registrar, type RegistrarOptions } from '../../lib/registrar/reconciler.ts';
import { makeInstance } from '../integration/support/registering.ts';

/* Two addresses of this node, whose process can restart, and the registrar. The clock advances by a millisecond when it is read. */

const clock = { nowMs: 1_000 };
Object.defineProperty(performance, 'now', { configurable: true, value: () => (clock.nowMs += 1) });
t.teardown(() => Reflect.deleteProperty(performance, 'now'));

const answer = (runId: string) => ({
  kind: 'redis' as const,
  runId,
  version: '7.2.0',
  loading: false,
  role: 'master' as const,
  link: undefined,
  memoryFull: false,
  saveFailed: false,
  appendFailed: false,
  cluster: undefined,
});

function open(t: Test) {
  const world: { runIds: (string | undefined)[]; registered: string[] } = { runIds: ['r1', 'r1'], registered: [] };
  const registrar = new Registrar({
    naming: { environment: undefined },
    agent: {
      register: async ({ id }: { readonly id: string }) => void world.registered.push(id),
      report: async () => {},
    },
    registrations: { services: async () => [], records: [], cluster: () => undefined, forget: () => {} },
    nodeHosts: { read: () => [] },
    addresses: {},
  } as unknown as RegistrarOptions);
  const [first, second] = [1, 2].map((n, i) => {
    const { spec, access } = makeInstance({ kind: 'redis', address: { host: `10.0.0.${n}`, port: 6379 } });
    const probe = async () => {
      const runId = world.runIds[i];
      return runId === undefined ? ({ kind: 'unreachable', why: 'timeout' } as const) : answer(runId);
    };
    const profile = async () => {
      throw new Error('none');
    };
    const source = new InstanceSource({
      spec,
      access,
      onHint: () => {},
      open: () => ({ probe, profile, close: () => {} }),
    });
    registrar.instances.adopt(source);
    t.teardown(() => source.close());
    return source;
  });
  if (first === undefined || second === undefined) throw new Error('two were opened');
  const run = ({ spec: { id } }: InstanceSource) =>
    registrar.reconcile({ key: id } as unknown as Parameters<Registrar['reconcile']>[0]);
  const memory = registrar.instances.memory(second.spec.id);
  if (memory === undefined) throw new Error('the second is not adopted');
  return { world, first, second, run, memory };
}

t.test('a process that restarted since one of its addresses was read is registered once', async (t) => {
  const { world, first, second, run, memory } = open(t);
  await run(first);
  world.runIds = ['r2', 'r2'];
  t.match(await run(second), { kind: 'unchanged' });
  t.equal(memory.original, first.spec.id);
  t.strictSame(world.registered, [first.spec.id]);
});

t.test('an address whose process may be that of one that does not answer waits for 5 s', async (t) => {
  const { world, first, second, run } = open(t);
  await run(first);
  world.runIds = [undefined, 'r2'];
  t.match(await run(second), { kind: 'held', summary: /may be the same process/, retryAfterMs: 200 });
  clock.nowMs += 4_000;
  t.match(await run(second), { kind: 'held' });
  clock.nowMs += 1_000;
  t.match(await run(second), { kind: 'applied' });
  t.strictSame(world.registered, [first.spec.id, second.spec.id]);
});

t.test('a later wait begins from zero after the two addresses led to one process', async (t) => {
  const { world, first, second, run, memory } = open(t);
  await run(first);
  world.runIds = [undefined, 'r2'];
  t.match(await run(second), { kind: 'held', summary: /may be the same process/ });
  world.runIds = ['r2', 'r2'];
  await run(second);
  t.equal(memory.original, first.spec.id);
  t.equal(memory.uncomparedMs([first.spec.id], clock.nowMs + 60_000), 0);
});
