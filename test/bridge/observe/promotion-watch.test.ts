import t, { type Test } from 'tap';
import type { FreshAnswers } from '../../../lib/bridge/hint.ts';
import { PromotionSource, type PromotionWatch } from '../../../lib/bridge/observe/promotion-watch.ts';
import type { Address } from '../../../lib/model/address.ts';
import type { RoleAnswer } from '../../../lib/model/sentinel.ts';
import { waitFor } from '../../sandbox/condition.ts';

const selected: Address = { host: '127.0.0.1', port: 6380 };
const watch: PromotionWatch = { sentinel: { host: '127.0.0.1', port: 26379 }, epoch: 6, selected };

/**
 * A replica that answers with these roles, one after the other, and closes its connection after so many first answers.
 * `ofClosed`: what the question over a connection that it closes gets instead.
 */
function stage(
  t: Test,
  roles: readonly RoleAnswer['role'][],
  { closures = 0, ofClosed }: { readonly closures?: number; readonly ofClosed?: Promise<RoleAnswer> } = {},
) {
  const left = [...roles];
  const seen: string[] = [];
  const promoted: FreshAnswers[] = [];
  let close = (): void => undefined;
  let asked = 0;
  const source = new PromotionSource({
    redis: {
      role: async (address) => {
        const role = left.length > 1 ? left.shift() : left[0];
        seen.push(`${role}`);
        asked += 1;
        if (asked <= closures) {
          close();
          if (ofClosed !== undefined) return ofClosed;
        }
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
  return { seen, promoted };
}

t.test('the leader is asked when the replica closes the connection, and not again', async (t) => {
  const { seen, promoted } = stage(t, ['replica', 'master'], { closures: 1 });
  await waitFor('the promotion', () => promoted.length === 1);
  t.strictSame(seen, ['replica', 'm: leader', 'master']);
  t.match(promoted, [{ role: { address: selected, role: 'master' }, readings: Promise }]);
});

t.test('the leader is asked after the answer of a replica that closed no connection', async (t) => {
  const { seen, promoted } = stage(t, ['replica', 'master']);
  await waitFor('the promotion', () => promoted.length === 1);
  t.strictSame(seen, ['replica', 'master', 'm: leader']);
});

t.test('a closed connection is noticed before the question over it has failed', async (t) => {
  const never = new Promise<RoleAnswer>(() => undefined);
  const { seen, promoted } = stage(t, ['replica', 'master'], { closures: 1, ofClosed: never });
  await waitFor('the promotion', () => promoted.length === 1);
  t.strictSame(seen, ['replica', 'm: leader', 'master']);
});

t.test('a replica that closes every connection does not have the leader asked each time', async (t) => {
  const { seen } = stage(t, ['unreachable'], { closures: 12 });
  const count = (what: string) => seen.filter((one) => one === what).length;
  await waitFor('more questions than closures', () => count('unreachable') > 12);
  t.equal(count('m: leader'), 5);
});
