// The failures of a pair of load balancers, in a network of its own: started by main.ts. argv: a part of a case's name, or nothing.
import { pairCases } from './cases.ts';
import { playAll } from './failure.ts';
import { startStage } from './stage.ts';

/** Longer than the 10 s for which the other host must be the better one, with the failures that come before it. */
const observedMs = 17_000;

const [part = ''] = process.argv.slice(2);
const chosen = pairCases.filter(({ name }) => name.includes(part));
if (chosen.length === 0) {
  console.error(`no case has "${part}" in its name; there are:\n${pairCases.map(({ name }) => name).join('\n')}`);
  process.exit(2);
}
const stage = await startStage('guide');
const wrong = await playAll(
  stage,
  chosen.map((failure) => ({ failure, end: 'repair', observedMs })),
);
process.exit(wrong.length > 0 ? 1 : 0);
