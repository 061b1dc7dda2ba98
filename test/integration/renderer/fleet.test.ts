import t from 'tap';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { runFleet } from '../support/fleet.ts';

// With twenty, and with all that reload killed: `npm run test:fleet`.
t.test('two real daemons reload at once, a killed one delays no other, and a failover is not delayed', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'fleet' });
  const consul = await sandbox.consul();
  const story = await runFleet(sandbox, { consul, daemons: 5, limit: 2, kills: 1, slowMs: 1_500 });
  t.comment(JSON.stringify(story));
  t.equal(story.mostAtOnce, 2);
  const last = story.failoverMs.at(-1) ?? Infinity;
  t.ok(last < story.queueMs, `${last} ms until the last reload for the new master; the queue had ${story.queueMs}`);
});
