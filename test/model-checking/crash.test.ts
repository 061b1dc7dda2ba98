import t from 'tap';
import { laterRejection, rejection, shortCrashes } from './crash-cases.ts';
import { exploreCrash } from './crash-exploration.ts';
import type { Guard } from './crash-moves.ts';
import { type CrashBudget, crashWorld } from './crash-world.ts';

// Every order in which several bridges can judge a crash, with a master that returns at any moment: docs/promotion.md, "The model".
// The larger sizes: npm run test:exhaustive -- crash.
for (const { name, world } of shortCrashes)
  t.test(`whatever the order of events: ${name}`, async (t) => {
    const { states, broken } = exploreCrash(crashWorld(world));
    t.strictSame(broken, undefined);
    t.comment(`${states} states`);
  });

const mutations: readonly (readonly [Guard, Partial<CrashBudget>, string])[] = [
  ['other bridges', rejection, 'an order about a process that lives'],
  ['check-and-set', { deaths: 1, leaseLosses: 1 }, 'two orders within failover-timeout'],
  ['last order', { deaths: 1 }, 'two orders within failover-timeout'],
  ['maintenance', { deaths: 1, maintenance: 1 }, 'an order in maintenance'],
  ['cancellation', { deaths: 1 }, 'a dead master, and no order'],
  ['withdrawal', laterRejection, 'an order about a process that lives'],
];
for (const [without, budget, what] of mutations)
  t.test(`the model notices the loss of a guard: ${without}`, async (t) => {
    const bridges = 'rejections' in budget ? 3 : 2;
    const unprivileged = without === 'cancellation' ? 1 : 0;
    t.match(exploreCrash(crashWorld({ bridges, budget, unprivileged }), { without }).broken, { what });
  });
