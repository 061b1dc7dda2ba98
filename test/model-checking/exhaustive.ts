// Explores the larger sizes in their order: `npm run test:exhaustive -- [word of a name]`. Some take minutes and two
// gigabytes. Fails with the shortest path to a broken invariant.
import { full, short } from './budgets.ts';
import { fullCrashes, shortCrashes } from './crash-cases.ts';
import { exploreCrash } from './crash-exploration.ts';
import { crashWorld } from './crash-world.ts';
import { explore } from './exploration.ts';

const word = process.argv[2] ?? '';
const cases = [...short, ...full].filter((one) => one.name.includes(word));
const crashes = [...shortCrashes, ...fullCrashes].filter((one) => one.name.includes(word));
if (cases.length + crashes.length === 0) throw new Error(`no case is named like ${word}`);
let broken = 0;
for (const { name, start, follow, settleEvery } of cases)
  report(name, () => {
    const found = explore(start, { follow, settleEvery });
    return { ...found, counts: `${found.states} states, ${found.moves} moves, ${found.settled} ends` };
  });
for (const { name, world } of crashes)
  report(name, () => {
    const found = exploreCrash(crashWorld(world));
    return { ...found, counts: `${found.states} states` };
  });

function report(
  name: string,
  run: () => { readonly counts: string; readonly broken?: { readonly what: string; readonly path: readonly string[] } },
): void {
  const startedMs = performance.now();
  const { counts, broken: found } = run();
  const took = `${Math.round((performance.now() - startedMs) / 100) / 10} s`;
  process.stdout.write(`${name}: ${counts}, ${took}\n`);
  if (found === undefined) return;
  broken += 1;
  process.stdout.write(`  BROKEN: ${found.what}\n${found.path.map((step) => `    ${step}\n`).join('')}`);
}

process.stdout.write(broken === 0 ? 'every invariant holds\n' : `${broken} broken\n`);
process.exitCode = broken === 0 ? 0 : 1;
