import t, { type Test } from 'tap';
import type { FreshAnswers } from '../../../lib/bridge/hint.ts';
import { PromotionSource, type PromotionWatch } from '../../../lib/bridge/observe/promotion-watch.ts';
import type { Address } from '../../../lib/model/address.ts';
import type { RoleAnswer } from '../../../lib/model/sentinel.ts';
import { waitFor } from '../../sandbox/condition.ts';

const selected: Address = { host: '127.0.0.1', port: 6380 };
const watch: PromotionWatch = { sentinel: { host: '127.0.0.1', port: 26379 }, epoch: 6, selected };

/** A replica that answers with these roles, one after the other, and closes its connection when the test calls `close`. */
function stage(t: Test, roles: readonly RoleAnswer['role'][]) {
  const left = [...roles];
  const seen: string[] = [];
  const promoted: FreshAnswers[] = [];
  let close = (): void => undefined;
  const source = new PromotionSource({
    redis: {
      role: async (address) => {
        const role = left.length > 1 ? left.shift() : left[0];
        seen.push(`${role}`);
        return { address, role: role ?? 'unreachable' };
      },
      ended: (_, signal) =>
        new Promise((resolve, reject) => {
          close = resolve;
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    },
    readLeader: async (name) => {
      seen.push(`${name}: leader`);
      return [];
    },
    onPromoted: (_, __, answers) => promoted.push(answers),
  });
  t.teardown(() => source.close());
  source.start('m', watch, async () => undefined);
  return { seen, promoted, close: () => close() };
}

t.test('the leader is asked when the replica closes the connection, and not again', async (t) => {
  const { seen, promoted, close } = stage(t, ['replica', 'master']);
  await waitFor('the first question', () => seen.length === 1);
  close();
  await waitFor('the promotion', () => promoted.length === 1);
  t.strictSame(seen, ['replica', 'm: leader', 'master']);
  t.match(promoted, [{ role: { address: selected, role: 'master' }, readings: Promise }]);
});

t.test('the leader is asked after the answer of a replica that closed no connection', async (t) => {
  const { seen, promoted } = stage(t, ['replica', 'master']);
  await waitFor('the promotion', () => promoted.length === 1);
  t.strictSame(seen, ['replica', 'master', 'm: leader']);
});

t.test('a replica that closes every connection does not have the leader asked each time', async (t) => {
  const { seen, close } = stage(t, ['unreachable']);
  for (let closures = 1; closures <= 12; closures += 1) {
    const before = seen.filter((what) => what === 'unreachable').length;
    close();
    await waitFor('another question', () => seen.filter((what) => what === 'unreachable').length > before);
  }
  t.equal(seen.filter((what) => what === 'm: leader').length, 5);
});
