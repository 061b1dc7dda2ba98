// The failures of a pair of load balancers, in a network of its own: started by main.ts. argv: a part of a case's name, or nothing.
import { judgeResult, type PairResult, pairCases, playCase } from './cases.ts';
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
const wrong: string[] = [];
for (const pairCase of chosen) {
  const result = await playCase(stage, { pairCase, end: 'repair', observedMs });
  process.stdout.write(`${describe(result)}\n`);
  wrong.push(...judgeResult(pairCase, result).map((what) => `${pairCase.name}: ${what}`));
}
for (const what of wrong) process.stdout.write(`WRONG ${what}\n`);
process.exit(wrong.length > 0 ? 1 : 0);

function describe(result: PairResult): string {
  const { name, movedMs, outageMs, errors, backOutageMs, backErrors, movedBack, lost, acknowledged } = result;
  const moved = movedMs === null ? 'the address stayed' : `the address moved after ${movedMs} ms`;
  const back = `then ${backOutageMs} ms (${backErrors} errors)${movedBack ? ', and it moved back' : ''}`;
  return `${name}: ${moved}; no write for ${outageMs} ms (${errors} errors); ${back}; ${lost} of ${acknowledged} writes lost`;
}
