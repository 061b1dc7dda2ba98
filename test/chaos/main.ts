// Random faults on a running infrastructure: npm run test:chaos -- --seed S --faults N [--json].
// The same seed draws the same faults in the same order; what they meet depends on time.
import { parseArgs } from 'node:util';
import { Sandbox } from '../sandbox/sandbox.ts';
import { Random } from './random.ts';
import { type RoundResult, runRound } from './round.ts';
import { startStage } from './stage.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    faults: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
  },
});
const [seed, wanted] = [Number(values.seed), Number(values.faults)];
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(wanted) || wanted < 1) {
  console.error('usage: npm run test:chaos -- --seed WHOLE-NUMBER --faults WHOLE-NUMBER [--json]');
  process.exit(2);
}

function print(round: number, done: number, result: RoundResult): void {
  const sign = result.violations.length === 0 ? 'ok    ' : 'BROKEN';
  process.stdout.write(
    `${sign} round ${round} (${done}/${wanted} faults, ${result.tookMs} ms): ${result.faults.join('; ')}\n`,
  );
  if (result.violations.length === 0) return;
  for (const violation of result.violations) process.stdout.write(`  ! ${violation}\n`);
  for (const line of result.timeline) process.stdout.write(`  ${line}\n`);
}

const random = new Random(seed);
const sandbox = await Sandbox.open({ name: 'chaos' });
let [done, broken] = [0, 0];
try {
  process.stdout.write(`seed ${seed}\n`);
  const stage = await startStage(sandbox);
  for (let round = 1; done < wanted; round += 1) {
    const result = await runRound(stage, random, round);
    done += result.faults.length;
    if (result.violations.length > 0) broken += 1;
    if (values.json) process.stdout.write(`${JSON.stringify({ seed, round, ...result })}\n`);
    else print(round, done, result);
  }
} finally {
  if (broken > 0) process.stdout.write(sandbox.logTails({ lines: 40 }));
  await sandbox.close();
}
process.stdout.write(`seed ${seed}: ${done} faults, ${broken} rounds with a broken rule\n`);
process.exitCode = broken === 0 ? 0 : 1;
