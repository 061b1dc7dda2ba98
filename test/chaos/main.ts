// Random faults on a running infrastructure: npm run test:chaos -- [--seed S] [--faults N] [--round R] [--json]. The same
// seed draws the same faults in the same order. Their effect depends on time.
import { parseArgs } from 'node:util';
import { Sandbox } from '../sandbox/sandbox.ts';
import { Random } from './random.ts';
import { type Drawn, drawFaults, runRound } from './round.ts';
import { startSettledStage } from './settling.ts';
import { formatRound, formatSummary, Tally } from './tally.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    faults: { type: 'string', default: '40' },
    round: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const [seed, wanted, only] = [Number(values.seed), Number(values.faults), Number(values.round ?? 0)];
if (![seed, wanted, only].every(Number.isSafeInteger) || wanted < 1 || only < 0) {
  console.error('usage: npm run test:chaos -- [--seed NUMBER] [--faults NUMBER] [--round NUMBER] [--json]');
  process.exit(2);
}

const write = (text: string) => process.stdout.write(`${text}\n`);
const random = new Random(seed);
const tally = new Tally(seed);
if (!values.json) write(`seed ${seed}: starting the servers`);
let scene = await open();

async function open() {
  const sandbox = await Sandbox.open({ name: 'chaos' });
  try {
    return { sandbox, stage: await startSettledStage(sandbox) };
  } catch (error) {
    await sandbox.close();
    throw error;
  }
}

async function play(drawn: readonly Drawn[], round: number): Promise<void> {
  const result = await runRound(scene.stage, drawn, round);
  tally.add(result);
  if (values.json) write(JSON.stringify({ seed, round, ...result }));
  else write(formatRound(result, { round, done: tally.faults, wanted, seed }));
  if (result.violations.length > 0 && !values.json) write(scene.sandbox.logTails({ lines: 40 }));
  if (result.end === 'whole') return;
  await scene.sandbox.close();
  scene = await open();
}

try {
  for (let round = 1; only === 0 ? tally.faults < wanted : round <= only; round += 1) {
    const drawn = drawFaults(scene.stage, random);
    if (round >= only) await play(drawn, round);
  }
} finally {
  await scene.sandbox.close();
}
write(values.json ? JSON.stringify(tally.summary) : formatSummary(tally.summary));
process.exitCode = tally.broken === 0 ? 0 : 1;
