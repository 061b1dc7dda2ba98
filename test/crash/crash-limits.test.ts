import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { CrashLimits } from '../../lib/crash/crash-limits.ts';

const { signal } = new AbortController();

t.test('failovers do not begin together after judgements that took long', async (t) => {
  // One begins every 50 ms.
  const limits = new CrashLimits(() => 2_000);
  const permits = Array.from({ length: 21 }, () => limits.permit(() => 1));
  const entering = permits.map((permit) => permit.enter(signal));
  await Promise.all(entering.slice(0, 16));
  await delay(300);
  const startedMs = performance.now();
  for (const permit of permits.slice(0, 16)) permit.leave();
  await Promise.all(entering);
  // Four times, and Node's timers may fire a millisecond early.
  const tookMs = performance.now() - startedMs;
  t.ok(tookMs >= 196, `${tookMs} ms`);
});
