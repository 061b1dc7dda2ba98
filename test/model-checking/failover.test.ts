import t from 'tap';
import { short } from './budgets.ts';
import { explore } from './exploration.ts';
import { calm } from './scenarios.ts';

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

for (const [without, what] of [
  ['check-and-set', /older|one version, two masters|unconfirmed| and /],
  ['evidence', /^REPLICAOF|pointed at/],
] as const)
  t.test(`the model notices the loss of a guard: ${without}`, async (t) => {
    const start = calm({ nodes: ['A', 'B'], bridges: 2, budget: { elections: 1, aborts: 1 } });
    const { broken, states } = explore(start, { follow: 'promotion', settleEvery: 1_000_000, without });
    t.match(broken, { what });
    t.comment(`${broken?.what} after ${broken?.path.length} steps, ${states} states`);
  });
