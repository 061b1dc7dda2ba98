import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/**
 * How often the lag is measured. `prom-client` measures it every 10 ms, which wakes an idle process a hundred times a second. All else
 * wakes it some ten times a second, with a hundred masters. A stall that is shorter may not show, and a longer one is late by so much less.
 */
const everyMs = 200;
/** So long that the histogram of `prom-client` never measures. */
const neverMs = 2 ** 31 - 1;

const precision = `Measured every ${everyMs} ms, so a shorter stall may not show.`;

const prefix = 'nodejs_eventloop_lag_';
const ns = 1e9;

type Reading = readonly [name: string, help: string, read: (lag: IntervalHistogram) => number];

/** Those of `prom-client`, by name. */
const readings: readonly Reading[] = [
  ['min', 'The minimum recorded event loop delay.', ({ min }) => lateBy(min)],
  ['max', 'The maximum recorded event loop delay.', ({ max }) => lateBy(max)],
  ['mean', 'The mean of the recorded event loop delays.', ({ mean }) => lateBy(mean)],
  ['stddev', 'The standard deviation of the recorded event loop delays.', ({ stddev }) => stddev / ns],
  ...[50, 90, 99].map(
    (n): Reading => [
      `p${n}`,
      `The ${n}th percentile of the recorded event loop delays.`,
      (lag) => lateBy(lag.percentile(n)),
    ],
  ),
];

/** The metrics of a Node process, with an event loop that is watched less often. */
export function collectNodeMetrics(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: neverMs });
  const lag = monitorEventLoopDelay({ resolution: everyMs });
  lag.enable();
  const gauges = readings.map(([name, help, read], place) => {
    register.removeSingleMetric(`${prefix}${name}_seconds`);
    // The first gauge that a scrape reads sets them all: then the measurement begins again.
    const collect = place === 0 ? () => readAll() : undefined;
    const gauge = new Gauge({
      name: `${prefix}${name}_seconds`,
      help: `${help} ${precision}`,
      registers: [register],
      ...(collect && { collect }),
    });
    return { gauge, read };
  });
  const readAll = (): void => {
    for (const { gauge, read } of gauges) gauge.set(lag.count === 0 ? 0 : read(lag));
    lag.reset();
  };
}

/** The histogram has the time between two measurements, which includes their usual distance. Answers seconds. */
function lateBy(betweenNs: number): number {
  return Math.max(0, betweenNs / ns - everyMs / 1_000);
}
