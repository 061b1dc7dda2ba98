// What isolation.test.ts examines, in a network of its own. Prints the results as JSON.
import { setTimeout as delay } from 'node:timers/promises';
import { NumberWriter, persistentClient } from '../integration/support/writing.ts';
import { nowMs } from '../sandbox/recorder.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { playPartition } from './partition.ts';
import { hostsOf, type IsolationStage, startStage, untilWhole } from './stage.ts';

/** Longer than the longest time from a cut to the pause. */
const observedMs = 3_600;

const sandbox = await Sandbox.open({ name: 'isolation' });
process.on('uncaughtException', (error) => {
  console.error(error, sandbox.logTails({ lines: 20 }));
  process.exit(1);
});
const stage = await startStage(sandbox, { downAfterMs: 5_000 });
const heardAlone = {
  replica: await hear(stage, 'replica'),
  sentinels: await hear(stage, 'sentinels'),
  consul: await hear(stage, 'consul'),
};
const partition = await playPartition(stage, 'pause');
const reports = stage.nodes.flatMap((node) => node.reports.map(({ state }) => state));
process.stdout.write(JSON.stringify({ heardAlone, partition, reports }));
for (const { child } of stage.nodes) child.kill('SIGKILL');
await sandbox.close();
process.exit();

/** Cuts the master's bridge off from the two others. Resolves with its reports, and the longest time without a write. */
async function hear(stage: IsolationStage, alone: 'replica' | 'sentinels' | 'consul') {
  const { master, replica } = await untilWhole(stage, 'pause');
  const { links, consul, nodes, thirdSentinel } = stage;
  const silenced = {
    replica: { from: hostsOf(master), to: [replica.redis.address.host] },
    sentinels: {
      from: [master.bridgeHost],
      to: [...nodes.map(({ sentinel }) => sentinel.address.host), thirdSentinel.address.host],
    },
    consul: { from: [master.bridgeHost], to: [consul.http.host] },
  };
  const client = persistentClient(() => master.redis.address);
  const writer = new NumberWriter({ name: 'client', key: `alone-${alone}`, client });
  const others = Object.entries(silenced).filter(([contact]) => contact !== alone);
  const sinceMs = nowMs();
  for (const [, cut] of others) await links.cut({ ...cut, direction: 'both', manner: 'drop' });
  // No condition shows that something never happens.
  await delay(observedMs);
  const text = master.state?.text;
  await links.healAll();
  await writer.stop();
  return { text, reports: master.reports.length, longestGapMs: Math.round(writer.longestGap(sinceMs)) };
}
