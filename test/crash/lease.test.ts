import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { CrashEvidence, LastOrder, OrderClaim } from '../../lib/crash/evidence.ts';
import { CrashLease } from '../../lib/crash/lease.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { waitFor } from '../sandbox/condition.ts';

const none: LastOrder = { ageMs: undefined, by: undefined, index: 0 };

/** Consul has `orders.last`, and gives the lease after a call of `give`. */
function request(t: Test, orders: { last: LastOrder | Error }, unused?: OrderClaim) {
  const given = Promise.withResolvers<void>();
  const lastOrder = async () => {
    if (orders.last instanceof Error) throw orders.last;
    return orders.last;
  };
  const evidence = { lastOrder } as unknown as CrashEvidence;
  const enter = async () => {
    await given.promise;
    return { kind: 'inside', leave: async () => undefined } as const;
  };
  const lease = new CrashLease('shard1', { steering: { enter }, evidence, unused, onNews: () => undefined });
  t.teardown(() => lease.leave());
  return { lease, give: () => given.resolve() };
}

t.test(
  'a note that led to no order counts no more if another bridge replaced it before the lease was held',
  async (t) => {
    const orders = { last: { ageMs: 300_000, by: 'own', index: 7 } };
    const { lease, give } = request(t, orders, { before: none, index: 7 });
    await setImmediate();
    orders.last = { ageMs: 5, by: 'another', index: 9 };
    give();
    await waitFor('the lease', () => lease.state.kind === 'held');
    t.match(lease.state, { last: { by: 'another', index: 9 } });
    t.equal(lease.claimed, undefined);
  },
);

t.test('a note that led to no order still counts if nobody has replaced it', async (t) => {
  const { lease, give } = request(t, { last: { ageMs: 5, by: 'own', index: 7 } }, { before: none, index: 7 });
  give();
  await waitFor('the lease', () => lease.state.kind === 'held');
  t.match(lease.state, { last: none });
  t.match(lease.claimed, { index: 7 });
});

t.test('the last order is read again if Consul did not answer before the lease was held', async (t) => {
  const orders: { last: LastOrder | Error } = { last: new SwitchmasterError('consul-unreachable', 'no answer') };
  const { lease, give } = request(t, orders);
  await setImmediate();
  orders.last = none;
  give();
  await waitFor('an end', () => lease.state, {
    until: (state) => state.kind === 'held' || state.why.includes('no answer'),
  });
  t.match(lease.state, { kind: 'held', last: none });
});
