// A fleet of real daemons that reload one after the other: `npm run test:fleet -- [daemons]`, 20 without a number. The test
// kills every daemon that reloads, so that the others wait until Consul ends the sessions of the dead ones.
import { Sandbox } from '../../sandbox/sandbox.ts';
import { runFleet } from '../support/fleet.ts';

const daemons = Number(process.argv[2] ?? 20);
const limit = 2;
const sandbox = await Sandbox.open({ name: 'fleet' });
try {
  const consul = await sandbox.consul();
  const story = await runFleet(sandbox, { consul, daemons, limit, kills: limit, slowMs: 1_000 });
  process.stdout.write(`${JSON.stringify({ daemons, limit, ...story }, undefined, 2)}\n`);
  const last = story.failoverMs.at(-1) ?? Infinity;
  if (story.mostAtOnce > limit || last >= story.queueMs / 2) process.exitCode = 1;
} finally {
  await sandbox.close();
}
