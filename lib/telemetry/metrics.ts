import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RunReport } from '../loop/outcome.ts';
import type { RequestTime } from '../model/request.ts';
import { collectNodeMetrics } from './event-loop-lag.ts';
import { addGauges, type MetricsView } from './gauges.ts';

export type { MetricsView } from './gauges.ts';

const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** `details.prepared` of a run of the renderer. */
const preparedResults = ['used', 'unused'] as const;

/** The metrics of one daemon, in Prometheus' conventions: base units, counters that end in `_total`. */
export class Metrics {
  readonly registry = new Registry();
  readonly #view: () => MetricsView;
  /** One reading for all the gauges of a scrape. */
  #scraped: MetricsView | undefined;
  readonly #runs: Counter<'loop' | 'result'>;
  readonly #durations: Histogram<'loop' | 'result'>;
  readonly #stages: Histogram<'loop' | 'cause' | 'stage'>;
  readonly #requests: Histogram<'server' | 'operation' | 'result'>;
  readonly #prepared: Counter<'result'>;

  constructor(options: { readonly version: string; readonly view: () => MetricsView }) {
    const registers = [this.registry];
    collectNodeMetrics(this.registry);
    this.#runs = new Counter({
      name: 'switchmaster_reconciles_total',
      help: 'Runs of one key of one loop, by result.',
      labelNames: ['loop', 'result'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'switchmaster_reconcile_duration_seconds',
      help: 'How long a run took.',
      labelNames: ['loop', 'result'],
      buckets: durationBuckets,
      registers,
    });
    this.#stages = new Histogram({
      name: 'switchmaster_stage_seconds',
      help: 'Time from the hint that woke a key to each stage of an applied change.',
      labelNames: ['loop', 'cause', 'stage'],
      buckets: durationBuckets,
      registers,
    });
    this.#requests = new Histogram({
      name: 'switchmaster_request_duration_seconds',
      help: 'How long Consul, Redis and Sentinels took to answer, without blocking queries.',
      labelNames: ['server', 'operation', 'result'],
      buckets: durationBuckets,
      registers,
    });
    this.#prepared = new Counter({
      name: 'switchmaster_prepared_files_total',
      help: 'Files that were prepared for a failover, by whether its change of master used them.',
      labelNames: ['result'],
      registers,
    });
    for (const result of preparedResults) this.#prepared.inc({ result }, 0);
    new Gauge({
      name: 'switchmaster_build_info',
      help: 'Always 1; the labels have the versions of switchmaster and Node.',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version: options.version, node: process.version }, 1);
    this.#view = options.view;
    addGauges(this.registry, () => this.#scraped ?? options.view());
  }

  observe(report: RunReport): void {
    const labels = { loop: report.loop, result: report.outcome.kind };
    this.#runs.inc(labels);
    this.#durations.observe(labels, report.durationMs / 1_000);
    const result = preparedResults.find((known) => known === report.outcome.details?.prepared);
    if (result !== undefined) this.#prepared.inc({ result });
    if (report.outcome.kind !== 'applied') return;
    const { cause } = report.outcome.details ?? {};
    const change = { loop: report.loop, cause: typeof cause === 'string' ? cause : '' };
    for (const [stage, ms] of stagesOf(report)) this.#stages.observe({ ...change, stage }, ms / 1_000);
  }

  observeRequest({ server, operation, result, durationMs }: RequestTime): void {
    this.#requests.observe({ server, operation, result }, durationMs / 1_000);
  }

  /** Prometheus' text format. */
  async text(): Promise<{ readonly contentType: string; readonly body: string }> {
    this.#scraped = this.#view();
    try {
      return { contentType: this.registry.contentType, body: await this.registry.metrics() };
    } finally {
      this.#scraped = undefined;
    }
  }
}

/** `details.stages` of a reconciler: milliseconds since the key was woken. */
function stagesOf({ outcome }: RunReport): readonly (readonly [string, number])[] {
  const stages = outcome.details?.stages;
  if (typeof stages !== 'object' || stages === null) return [];
  return Object.entries(stages).flatMap(([stage, ms]) =>
    typeof ms === 'number' && Number.isFinite(ms) ? [[stage.replace(/Ms$/, ''), ms] as const] : [],
  );
}
