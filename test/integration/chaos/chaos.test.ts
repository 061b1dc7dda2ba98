import t from 'tap';
import { Random } from '../../chaos/random.ts';
import { drawFaults, runRound } from '../../chaos/round.ts';
import { startSettledStage } from '../../chaos/settling.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

/* The short form of `npm run test:chaos`: two rounds whose faults a fixed seed draws. */
// A busy machine takes its time.
t.setTimeout(480_000);
const sandbox = await Sandbox.openFor(t, { name: 'chaos' });

t.test('random faults break no rule, and everything points at the masters afterwards', async (t) => {
  const stage = await startSettledStage(sandbox);
  const random = new Random(42);
  for (const round of [1, 2]) {
    const { faults, violations, losses, timeline } = await runRound(stage, drawFaults(stage, random), round);
    t.strictSame(violations, [], faults.join('; '));
    if (violations.length > 0) t.comment(timeline.join('\n'));
    const acknowledged = Object.values(losses).flatMap((lost) => lost.map((loss) => loss.acknowledged));
    t.equal(acknowledged.length, 12, 'six writers of each shard were counted');
    t.ok(acknowledged.every((count) => count > 10));
  }
});
