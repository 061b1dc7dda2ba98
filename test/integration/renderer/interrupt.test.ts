import t, { type Test } from 'tap';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { type LongStep, measureMoves, openDrain, openHaproxySteps } from '../support/interrupted-steps.ts';
import type { Sample } from '../support/observers.ts';

/*
 * A change of master never waits for a step of its template. Every long step takes up to 20 s. Times are compared with
 * those of a bare program in the same run, because other programs use the machine as well.
 */

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'interrupt' });
const consul = await sandbox.consul({ config: { session_ttl_min: '1s' } });

/** How much longer than a bare program the renderer may take. */
const marginMs = 100;
/** A step that delays a change does so each time. A busy machine does not, so the best of several changes counts. */
const rounds = { least: 2, most: 15 };

t.test("the long steps of HAProxy's template do not hold up a change of master", async (t) => {
  t.setTimeout(180_000);
  const [idle, ...steps] = await openHaproxySteps(t, { sandbox, consul });
  if (idle === undefined) throw new Error('no idle template');
  const usualMs = await follow(t, idle);
  for (const step of steps) {
    await t.test(step.name, async (t) => {
      t.setTimeout(120_000);
      const bestMs = await follow(t, step);
      t.ok(bestMs < 3 * usualMs + marginMs, `${bestMs} ms, ${usualMs} ms while idle`);
    });
  }
});

t.test('a drain does not hold up a change of master, and its servers are ready again', async (t) => {
  const { idle, drain, front } = await openDrain(t, { sandbox, consul });
  const usual = await measureMoves(idle, { isEnough: ({ length }) => length >= rounds.least });
  // The command of the reload takes time that a bare program does not need.
  await follow(t, drain, 3 * Math.min(...usual.map(({ movedMs }) => movedMs)));
  const state = await front.send(['show servers state'], new AbortController().signal);
  t.match(state, / one \S+ 2 0 /, 'running, without drain or maintenance');
});

/**
 * Changes masters while the step is under way. Returns the shortest time that one took, in milliseconds. The default of
 * `usualMs` is the time of the bare program at each change.
 */
async function follow(t: Test, step: LongStep, usualMs?: number): Promise<number> {
  const leastBeyond = (samples: readonly Sample[]) =>
    Math.round(Math.min(...samples.map(({ movedMs, bareMs }) => movedMs - (usualMs ?? bareMs))));
  const isEnough = (samples: readonly Sample[]) =>
    samples.length >= rounds.most || (samples.length >= rounds.least && leastBeyond(samples) < marginMs);
  const onMove = (isUnderWay: boolean) => t.ok(isUnderWay, `${step.name} is under way`);
  const samples = await measureMoves(step, { isEnough, onMove });
  await step.leave();
  const times = samples.map(({ movedMs, bareMs }) => `${Math.round(movedMs)} (${Math.round(bareMs)})`);
  t.comment(`${step.name}, and the bare program: ${times.join(', ')} ms`);
  t.ok(leastBeyond(samples) < marginMs, `${leastBeyond(samples)} ms beyond the usual time`);
  return Math.round(Math.min(...samples.map(({ movedMs }) => movedMs)));
}
