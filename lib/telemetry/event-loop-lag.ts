import { createHistogram, type EventLoopUtilization, performance, type RecordableHistogram } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';
import { ticks } from '../ticks.ts';

/** How often the lag is measured while the loop has work. A stall that takes longer shows in any case. */
const busyEveryMs = 200;
/** For how long it is measured so often after a second in which the loop worked for that long. */
const busySeconds = 10;
/** So long that the histogram of `prom-client` never measures: every 10 ms, which wakes an idle process a hundred times a second. */
const neverMs = 2 ** 31 - 1;

const precision = `Measured every second, and every ${busyEveryMs} ms while the loop has work, so a shorter stall may not show.`;

const prefix = 'nodejs_eventloop_lag_';
const ns = 1e9;

type Reading = readonly [name: string, help: string, read: (lag: RecordableHistogram) => number];

/** Those of `prom-client`, by name. */
const readings: readonly Reading[] = [
  ['min', 'The minimum recorded event loop delay.', ({ min }) => min],
  ['max', 'The maximum recorded event loop delay.', ({ max }) => max],
  ['mean', 'The mean of the recorded event loop delays.', ({ mean }) => mean],
  ['stddev', 'The standard deviation of the recorded event loop delays.', ({ stddev }) => stddev],
  ...[50, 90, 99].map(
    (n): Reading => [`p${n}`, `The ${n}th percentile of the recorded event loop delays.`, (lag) => lag.percentile(n)],
  ),
];

/** The metrics of a Node process, with an event loop that is watched less often. */
export function collectNodeMetrics(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: neverMs });
  const { histogram } = new LoopLag();
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
    for (const { gauge, read } of gauges) gauge.set(histogram.count === 0 ? 0 : read(histogram) / ns);
    histogram.reset();
  };
}

/** How late timers are, in nanoseconds. */
class LoopLag {
  readonly histogram: RecordableHistogram = createHistogram();
  #lastUse: EventLoopUtilization = performance.eventLoopUtilization();
  /** How many more seconds it is measured often. */
  #busy = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    ticks.every(1, (lateMs) => this.#tick(lateMs), { keepsProcess: false });
  }

  #tick(lateMs: number): void {
    const use = performance.eventLoopUtilization();
    const workedMs = use.active - this.#lastUse.active;
    this.#lastUse = use;
    this.#record(lateMs);
    if (workedMs < busyEveryMs) {
      this.#busy = Math.max(0, this.#busy - 1);
      return;
    }
    // Nothing has measured the longest stall of this second, which took all of this time at most.
    if (this.#busy === 0) this.#record(workedMs);
    this.#busy = busySeconds;
    this.#timer ??= this.#measureIn(busyEveryMs);
  }

  #measureIn(afterMs: number): NodeJS.Timeout {
    const dueMs = performance.now() + afterMs;
    return setTimeout(() => {
      this.#record(performance.now() - dueMs);
      this.#timer = this.#busy > 0 ? this.#measureIn(afterMs) : undefined;
    }, afterMs).unref();
  }

  #record(lateMs: number): void {
    this.histogram.record(Math.max(1, Math.round(lateMs * 1e6)));
  }
}
