// Explores the larger sizes in their order: `npm run test:exhaustive -- [word of a name]`. Some take minutes and two
// gigabytes. Fails with the shortest path to a broken invariant.
import { full, short } from './budgets.ts';
import { explore } from './exploration.ts';

const word = process.argv[2] ?? '';
const cases = [...short, ...full].filter((one) => one.name.includes(word));
if (cases.length === 0) throw new Error(`no case is named like ${word}`);
let broken = 0;
for (const { name, start, follow, settleEvery } of cases) {
  const startedMs = performance.now();
  const found = explore(start, { follow, settleEvery });
  const took = `${Math.round((performance.now() - startedMs) / 100) / 10} s`;
  process.stdout.write(`${name}: ${found.states} states, ${found.moves} moves, ${found.settled} ends, ${took}\n`);
  if (found.broken === undefined) continue;
  broken += 1;
  process.stdout.write(`  BROKEN: ${found.broken.what}\n${found.broken.path.map((step) => `    ${step}\n`).join('')}`);
}
process.stdout.write(broken === 0 ? 'every invariant holds\n' : `${broken} broken\n`);
process.exitCode = broken === 0 ? 0 : 1;
