import t from 'tap';
import { short } from './budgets.ts';
import { explore } from './exploration.ts';

// Every order in which Sentinels, nodes, Consul and bridges can act, for small sizes: docs/promotion.md, "The model".
// The larger sizes take minutes: npm run test:exhaustive.
for (const { name, start, follow, settleEvery } of short) {
  t.test(`whatever the order of events: ${name}`, async (t) => {
    const { states, moves, settled, complete, broken } = explore(start, { follow, settleEvery });
    t.strictSame(broken, undefined);
    t.ok(complete);
    t.comment(`${states} states, ${moves} moves, ${settled} of them followed to their end`);
  });
}
