import { setTimeout as delay } from 'node:timers/promises';
import { Registry } from 'prom-client';
import t from 'tap';
import { collectNodeMetrics } from '../../lib/telemetry/event-loop-lag.ts';
import { waitFor } from '../sandbox/condition.ts';

const names = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'] as const;

type Name = (typeof names)[number];

async function scrape(registry: Registry): Promise<Readonly<Record<Name, number>>> {
  const text = await registry.metrics();
  const read = (name: Name) => Number(new RegExp(`^nodejs_eventloop_lag_${name}_seconds (.*)$`, 'm').exec(text)?.[1]);
  return Object.fromEntries(names.map((name) => [name, read(name)])) as Record<Name, number>;
}

function stallAndScrape(registry: Registry) {
  return async () => {
    await delay(500);
    const endMs = performance.now() + 600;
    while (performance.now() < endMs);
    await delay(1_500);
    return scrape(registry);
  };
}

t.test('the lag of the event loop is what its timers are late by, and a blocked loop shows', async (t) => {
  const registry = new Registry();
  collectNodeMetrics(registry);
  const before = await scrape(registry);
  t.same(Object.values(before), [0, 0, 0, 0, 0, 0, 0], 'nothing is measured yet');
  // On a busy machine, a scrape may come before the measurement.
  const lag = await waitFor('a stall to show', stallAndScrape(registry), { until: ({ max }) => max >= 0.3 });
  t.ok(lag.min < 0.05, `without the time between two measurements: ${lag.min}`);
  t.ok(lag.max < 10, `the loop stood still for 600 ms: ${lag.max}`);
  t.ok(lag.p99 <= lag.max + 0.001, `${lag.p99}`);
  const after = await scrape(registry);
  t.ok(after.max < lag.max || after.max === 0, 'each scrape begins again');
});

t.test('the other metrics of a Node process are there', async (t) => {
  const registry = new Registry();
  collectNodeMetrics(registry);
  const text = await registry.metrics();
  for (const name of ['nodejs_eventloop_lag_seconds', 'process_resident_memory_bytes', 'nodejs_heap_size_used_bytes'])
    t.match(text, new RegExp(`^${name} `, 'm'));
});
