// What pair.test.ts examines, in a network of its own. Prints the results as JSON. argv: for how many milliseconds it may wait.

import { nowMs } from '../sandbox/recorder.ts';
import { pairCases } from './cases.ts';
import { playCase } from './failure.ts';
import { startStage } from './stage.ts';

/** Longer than the 1 s after which a preferred host would take the address back. */
const observedMs = 2_000;

const stage = await startStage('files', { endMs: nowMs() + Number(process.argv[2]) });
const results = [];
for (const name of ['HAProxy is killed', 'the host loses its power']) {
  const failure = pairCases.find((candidate) => candidate.name === name);
  if (failure === undefined) throw new Error(`there is no case ${name}`);
  // The host that died stays away: to boot it again takes long.
  const end = name === 'HAProxy is killed' ? 'repair' : 'leave';
  results.push(await playCase(stage, { failure, end, observedMs }));
}
process.stdout.write(JSON.stringify(results));
await stage.sandbox.close();
process.exit();
