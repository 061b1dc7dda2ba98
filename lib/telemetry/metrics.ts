import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { RunReport } from '../loop/outcome.ts';
import { checkStatuses } from '../model/catalog.ts';
import type { Reason } from '../model/health.ts';
import type { RequestTime } from '../model/request.ts';

/** What a scrape reads. The config and the Sentinels bound the number of labels. */
export interface MetricsView {
  readonly masters: readonly {
    readonly name: string;
    readonly record: { readonly epoch: number; readonly generation: number } | null;
    readonly check: { readonly status: 'passing' | 'warning' | 'critical' } | null;
    readonly sentinelsSeen: number;
    readonly sentinelsAgreeing: number;
  }[];
  readonly templates: readonly { readonly name: string; readonly state: string }[];
  readonly problems: readonly Reason[];
  readonly watches: number;
  readonly ready: boolean;
  readonly eventStreams: number;
  /** Since the start. */
  readonly logLinesLost: number;
  readonly lastRuns: readonly {
    readonly loop: string;
    readonly key: string;
    readonly failures: number;
    /** Seconds since 1970; undefined before the first success. */
    readonly succeededAtSeconds: number | undefined;
  }[];
}

const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

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

  constructor(options: { readonly version: string; readonly view: () => MetricsView }) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#runs = new Counter({
      name: 'switchmaster_reconciles_total',
      help: 'Runs of a loop, by result.',
      labelNames: ['loop', 'result'],
      registers,
    });
    this.#durations = new Histogram({
      name: 'switchmaster_reconcile_duration_seconds',
      help: 'How long a run of a loop took.',
      labelNames: ['loop', 'result'],
      buckets: durationBuckets,
      registers,
    });
    this.#stages = new Histogram({
      name: 'switchmaster_stage_seconds',
      help: 'From the hint that woke a key to each stage of an applied change.',
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
    new Gauge({
      name: 'switchmaster_build_info',
      help: 'Always 1; the labels have the versions.',
      labelNames: ['version', 'node'],
      registers,
    }).set({ version: options.version, node: process.version }, 1);
    this.#view = options.view;
    const lost = () => (this.#scraped ?? options.view()).logLinesLost;
    new Counter({
      name: 'switchmaster_log_lines_lost_total',
      help: 'Log lines that standard error did not take: a full disk, a closed pipe, a reader that does not read.',
      registers,
      collect() {
        this.reset();
        this.inc(lost());
      },
    });
    addViewMetrics(this.registry, () => this.#scraped ?? options.view());
  }

  observe(report: RunReport): void {
    const labels = { loop: report.loop, result: report.outcome.kind };
    this.#runs.inc(labels);
    this.#durations.observe(labels, report.durationMs / 1_000);
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

type Sample = readonly [labels: Record<string, string>, value: number];

/** Gauges that read the view. A label that is gone disappears with the next scrape. */
function addViewMetrics(registry: Registry, view: () => MetricsView): void {
  const gauge = (
    spec: { name: string; help: string; labels: readonly string[] },
    read: (view: MetricsView) => Sample[],
  ) =>
    new Gauge({
      name: spec.name,
      help: spec.help,
      labelNames: spec.labels,
      registers: [registry],
      collect() {
        this.reset();
        for (const [labels, value] of read(view())) this.set(labels, value);
      },
    });
  addDaemonGauges(gauge);
  addMasterGauges(gauge);
  addProblemGauges(gauge);
  addRunGauges(gauge);
}

function addDaemonGauges(gauge: MakeGauge): void {
  gauge({ name: 'switchmaster_ready', help: '1 when the first full observation is done.', labels: [] }, ({ ready }) => [
    [{}, ready ? 1 : 0],
  ]);
  gauge({ name: 'switchmaster_watches', help: 'Blocking queries at Consul.', labels: [] }, ({ watches }) => [
    [{}, watches],
  ]);
  gauge(
    { name: 'switchmaster_event_streams', help: 'Readers of the event stream.', labels: [] },
    ({ eventStreams }) => [[{}, eventStreams]],
  );
}

function addProblemGauges(gauge: MakeGauge): void {
  gauge(
    {
      name: 'switchmaster_problem',
      help: '1 for each reason why something is not well, by its code; level is unknown, warning or critical.',
      labels: ['code', 'subject', 'level'],
    },
    ({ problems }) =>
      problems
        .filter(({ level }) => level !== 'well')
        .map(({ code, subject: { kind, name }, level }) => [{ code, subject: `${kind}/${name}`, level }, 1]),
  );
  gauge(
    {
      name: 'switchmaster_templates',
      help: 'Always 1; the label says which state a template is in.',
      labels: ['template', 'state'],
    },
    ({ templates }) => templates.map(({ name, state }) => [{ template: name, state }, 1]),
  );
}

function addRunGauges(gauge: MakeGauge): void {
  gauge(
    {
      name: 'switchmaster_failures_in_a_row',
      help: 'Failures of a key since its last success.',
      labels: ['loop', 'key'],
    },
    ({ lastRuns }) => lastRuns.map(({ loop, key, failures }) => [{ loop, key }, failures]),
  );
  gauge(
    {
      name: 'switchmaster_last_success_timestamp_seconds',
      help: 'When a key was last found right or repaired.',
      labels: ['loop', 'key'],
    },
    ({ lastRuns }) =>
      lastRuns.flatMap(({ loop, key, succeededAtSeconds }): Sample[] =>
        succeededAtSeconds === undefined ? [] : [[{ loop, key }, succeededAtSeconds]],
      ),
  );
}

type MakeGauge = (
  spec: { name: string; help: string; labels: readonly string[] },
  read: (view: MetricsView) => Sample[],
) => unknown;

function addMasterGauges(gauge: MakeGauge): void {
  const of = (read: (master: MetricsView['masters'][number]) => number | undefined) => (view: MetricsView) =>
    view.masters.flatMap((master): Sample[] => {
      const value = read(master);
      return value === undefined ? [] : [[{ master: master.name }, value]];
    });
  const labels = ['master'];
  gauge(
    { name: 'switchmaster_record_epoch', help: "Epoch of a master's record.", labels },
    of(({ record }) => record?.epoch),
  );
  gauge(
    { name: 'switchmaster_record_generation', help: "Generation of a master's record.", labels },
    of(({ record }) => record?.generation),
  );
  gauge(
    { name: 'switchmaster_master_check', help: "Sentinel's opinion: 0 passing, 1 warning, 2 critical.", labels },
    of(({ check }) => (check === null ? undefined : checkStatuses.indexOf(check.status))),
  );
  gauge(
    { name: 'switchmaster_sentinels_seen', help: 'Sentinels that answered about a master.', labels },
    of(({ sentinelsSeen }) => sentinelsSeen),
  );
  gauge(
    { name: 'switchmaster_sentinels_agreeing', help: "Sentinels that name the record's master at its epoch.", labels },
    of(({ sentinelsAgreeing }) => sentinelsAgreeing),
  );
}
