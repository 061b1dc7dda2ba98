// What isolation.test.ts examines, in a network of its own. Prints the results as JSON. With ISOLATION=all it examines more.
import { setTimeout as delay } from 'node:timers/promises';
import { NumberWriter, persistentClient } from '../integration/support/writing.ts';
import { waitFor } from '../sandbox/condition.ts';
import { nowMs } from '../sandbox/recorder.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { playPartition } from './partition.ts';
import { cutOff, hostsOf, type IsolationStage, startStage, untilWhole } from './stage.ts';

/** Longer than the longest time from a cut to the pause. */
const observedMs = 5_500;

const sandbox = await Sandbox.open({ name: 'isolation' });
process.on('uncaughtException', (error) => {
  console.error(error, sandbox.logTails({ lines: 20 }));
  process.exit(1);
});
const stage = await startStage(sandbox, { downAfterMs: 5_000 });
const whole = process.env.ISOLATION === 'all';
const heardAlone = {
  ...(whole ? { replica: await hear(stage, 'replica') } : {}),
  sentinels: await hear(stage, 'sentinels'),
  consul: await hear(stage, 'consul'),
};
const partition = await playPartition(stage, 'pause');
const replaced = whole ? await replaceWhileConnected(stage) : undefined;
const reports = stage.nodes.flatMap((node) => node.reports.map(({ state }) => state));
process.stdout.write(JSON.stringify({ heardAlone, partition, replaced, reports }));
for (const { child } of stage.nodes) child.kill('SIGKILL');
await sandbox.close();
process.exit();

/**
 * Cuts the master's bridge off from the two others. Resolves with what it said of the master at the end, its reports, and the numbers
 * of writes in the first and in the second half of the time.
 */
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
  const writer = new NumberWriter({ name: 'client', key: `alone-${alone}`, client, pauseMs: 10 });
  const others = Object.entries(silenced).filter(([contact]) => contact !== alone);
  for (const [, cut] of others) await links.cut({ ...cut, direction: 'both', manner: 'drop' });
  const from = master.states.length;
  // No condition shows that something never happens.
  await delay(observedMs);
  const { text } = master.state ?? {};
  const states = [...new Set(master.states.slice(from))];
  const written = writer.acknowledged.size;
  await waitFor('another write', () => writer.acknowledged.size > written);
  await links.healAll();
  await writer.stop();
  return { text, states, reports: master.reports.length };
}

/** Cuts the machine off from everybody but Consul. Resolves with the writes that were acknowledged after its bridge paused it. */
async function replaceWhileConnected(stage: IsolationStage) {
  const { master } = await untilWhole(stage, 'pause');
  const before = master.reports.length;
  const client = persistentClient(() => master.redis.address);
  const writer = new NumberWriter({ name: 'client', key: 'connected', client, pauseMs: 10 });
  await waitFor('50 writes', () => writer.acknowledged.size >= 50);
  const heal = await cutOff(stage, { node: master, reaches: 'consul' });
  const report = await waitFor('the pause', () => master.reports[before], { timeoutMs: 60_000 });
  await heal();
  const isReplica = async () => ((await master.redis.command('ROLE')) as unknown[])[0] === 'slave';
  await waitFor('the old master to be a replica', isReplica, { timeoutMs: 60_000 });
  await writer.stop();
  const { state, summary, atMs = nowMs() } = report ?? {};
  const late = [...writer.acknowledged.keys()].filter((number) => (writer.asked.get(number) ?? 0) > atMs).length;
  return { state, summary, late };
}
