import { once } from 'node:events';
import type { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { everyMs } from '../../lib/crash/pace.ts';
import { waitFor } from '../sandbox/condition.ts';
import { listen, startCase } from './case-world.ts';

type Started = Awaited<ReturnType<typeof startCase>> & { readonly server: Server };

async function startEmptied(t: Test, prepare: (world: Started['world']) => void): Promise<Started> {
  const started = await startCase(t);
  started.world.isLoading = false;
  prepare(started.world);
  await waitFor('an answer', () => started.world.answers.length > 0);
  const server = await listen(started.port);
  t.teardown(() => server.close());
  return { ...started, server };
}

/** What happens to a master that came back empty while the bridge waits. */
const events = {
  'it got its keys back': ({ world }: Started) => {
    world.info.keys = 100;
  },
  'the former process answers': ({ world }: Started) => {
    world.info.runId = 'before';
  },
} as const;

for (const [what, happen] of Object.entries(events)) {
  t.test(`no order follows a slow claim about a master that came back empty, if ${what}`, async (t) => {
    const claiming = Promise.withResolvers<void>();
    const started = await startEmptied(t, (world) => {
      world.onClaim = async () => {
        await claiming.promise;
        happen(started);
        await delay(2 * everyMs);
      };
    });
    claiming.resolve();
    t.equal(await started.judged, 'not-crashed');
    t.match(started.ends, [{ kind: 'back', sign: { kind: 'emptied', keys: 0 }, target: undefined }]);
    t.equal(started.world.orders, 0);
    t.strictSame(started.world.cancelled, [1]);
  });

  t.test(`no order follows a wait for others about a master that came back empty, if ${what}`, async (t) => {
    const started = await startEmptied(t, (world) => {
      world.emptied = { kind: 'wait', end: 'others-may-act', why: 'an election may be under way' };
    });
    const { world } = started;
    await waitFor('a decision', () => world.losses > 0);
    happen(started);
    world.emptied = { kind: 'order', target: 'replica' };
    t.equal(await started.judged, 'not-crashed');
    t.match(started.ends, [{ kind: 'back', sign: { kind: 'emptied', keys: 0 }, target: undefined }]);
    t.match(world, { orders: 0, claims: 0 });
  });
}

t.test('a master that came back empty and ends during a slow claim is judged by its refusals', async (t) => {
  const claiming = Promise.withResolvers<void>();
  const started = await startEmptied(t, (world) => {
    world.onClaim = async () => {
      await claiming.promise;
      started.server.close();
      await once(started.server, 'close');
      world.decision = { kind: 'order', target: 'replica' };
      await delay(2 * everyMs);
    };
  });
  const { world, ends, judged } = started;
  claiming.resolve();
  t.equal(await judged, 'judged');
  t.match(ends, [{ kind: 'ordered', target: 'replica', sign: { kind: 'refused' } }]);
  t.match(world, { orders: 1, claims: 1, steps: ['withdraw'] }, 'with a proof that the other bridges have seen');
});

t.test('an order follows a slow claim about a master that is still empty, after it was asked again', async (t) => {
  let infos = 0;
  const { world, ends, judged } = await startEmptied(t, (world) => {
    world.onClaim = async () => {
      await delay(2 * everyMs);
      infos = world.infos;
    };
  });
  t.equal(await judged, 'judged');
  t.match(ends, [{ kind: 'ordered', target: 'replica', sign: { kind: 'emptied' } }]);
  t.match(world, { orders: 1, claims: 1, cancelled: [] });
  t.ok(world.infos > infos);
});

t.test('a master that came back empty is connected to once for each question about its keys', async (t) => {
  const { world, server } = await startEmptied(t, (world) => {
    world.emptied = { kind: 'wait', end: 'others-may-act', why: 'an election may be under way' };
  });
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await waitFor('a decision', () => world.losses > 0);
  const before = { connections, infos: world.infos };
  await waitFor('ten questions', () => world.infos >= before.infos + 10);
  const perQuestion = (connections - before.connections) / (world.infos - before.infos);
  // An accepted connection may be counted a moment later or sooner than the question that follows it.
  t.ok(perQuestion <= 1.2, `${perQuestion} connections for each question`);
});
