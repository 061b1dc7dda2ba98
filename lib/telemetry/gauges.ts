import { Counter, Gauge, type Registry } from 'prom-client';
import { type CheckStatus, checkStatuses } from '../model/catalog.ts';
import { countSlots } from '../model/cluster.ts';
import type { Reason } from '../model/health.ts';

/** What a scrape reads. The config and the Sentinels bound the number of labels. */
export interface MetricsView {
  readonly masters: readonly {
    readonly name: string;
    readonly record: { readonly epoch: number; readonly generation: number } | null;
    readonly check: { readonly status: CheckStatus } | null;
    readonly maintenance: object | null;
    readonly isolation: { readonly writes: 'accepted' | 'paused' | 'not-pausable' } | null;
    readonly sentinelsSeen: number;
    readonly sentinelsAgreeing: number;
    /** Replicas in the record, and those about which there is no problem. */
    readonly replicas: number;
    readonly replicasWell: number;
  }[];
  readonly clusters: readonly {
    readonly name: string;
    readonly record: {
      readonly state: 'ok' | 'fail';
      readonly epoch: number;
      /** Inclusive ranges. */
      readonly uncovered: readonly { readonly from: number; readonly to: number }[];
    } | null;
  }[];
  readonly instances: readonly { readonly id: string; readonly check: { readonly status: CheckStatus } | null }[];
  /** `outageMs`: for how long it could not be read, since the start. */
  readonly consul: { readonly reached: boolean; readonly outageMs: number };
  /** Whether the config in use is the one on disk. */
  readonly configCurrent: boolean;
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

type Sample = readonly [labels: Record<string, string>, value: number];

/** Gauges and counters that read the view. A label that is gone disappears with the next scrape. */
export function addGauges(registry: Registry, view: () => MetricsView): void {
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
  addClusterGauges(gauge);
  addCounters(registry, view);
  addProblemGauges(gauge);
  addRunGauges(gauge);
}

function addCounters(registry: Registry, view: () => MetricsView): void {
  const counter = (name: string, { help, read }: { help: string; read: (view: MetricsView) => number }) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read(view()));
      },
    });
  counter('switchmaster_log_lines_lost_total', {
    help: 'Log lines that standard error did not take: a full disk, a closed pipe, a reader that does not read.',
    read: ({ logLinesLost }) => logLinesLost,
  });
  counter('switchmaster_consul_unreachable_seconds_total', {
    help: 'How long Consul could not be read: it refused, did not answer, or had no leader.',
    read: ({ consul }) => consul.outageMs / 1_000,
  });
}

function addDaemonGauges(gauge: MakeGauge): void {
  gauge({ name: 'switchmaster_ready', help: '1 when /ready is 200.', labels: [] }, ({ ready }) => [
    [{}, ready ? 1 : 0],
  ]);
  gauge({ name: 'switchmaster_watches', help: 'Blocking queries at Consul.', labels: [] }, ({ watches }) => [
    [{}, watches],
  ]);
  gauge(
    { name: 'switchmaster_event_streams', help: 'Readers of the event stream.', labels: [] },
    ({ eventStreams }) => [[{}, eventStreams]],
  );
  gauge(
    { name: 'switchmaster_consul_reached', help: '1 when Consul can be read.', labels: [] },
    ({ consul: { reached } }) => [[{}, reached ? 1 : 0]],
  );
  gauge(
    { name: 'switchmaster_config_current', help: '1 when the config in use is the one on disk.', labels: [] },
    ({ configCurrent }) => [[{}, configCurrent ? 1 : 0]],
  );
}

function addProblemGauges(gauge: MakeGauge): void {
  gauge(
    {
      name: 'switchmaster_problem',
      help: '1 for each reason why something is not well. The subject is the kind, a slash and the name.',
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
      help: '1 for the current state of each template: held, refused, failed and so on.',
      labels: ['template', 'state'],
    },
    ({ templates }) => templates.map(({ name, state }) => [{ template: name, state }, 1]),
  );
}

function addRunGauges(gauge: MakeGauge): void {
  gauge(
    {
      name: 'switchmaster_failures_in_a_row',
      help: 'Failures since the last success.',
      labels: ['loop', 'key'],
    },
    ({ lastRuns }) => lastRuns.map(({ loop, key, failures }) => [{ loop, key }, failures]),
  );
  gauge(
    {
      name: 'switchmaster_last_success_timestamp_seconds',
      help: 'When a run of the key last succeeded (applied or unchanged).',
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
    { name: 'switchmaster_record_epoch', help: 'Epoch of the record.', labels },
    of(({ record }) => record?.epoch),
  );
  gauge(
    { name: 'switchmaster_record_generation', help: 'Generation of the record.', labels },
    of(({ record }) => record?.generation),
  );
  gauge(
    { name: 'switchmaster_master_check', help: "Sentinel's opinion: 0 passing, 1 warning, 2 critical.", labels },
    of(({ check }) => (check === null ? undefined : checkStatuses.indexOf(check.status))),
  );
  gauge(
    { name: 'switchmaster_maintenance', help: '1 while the master is in maintenance, else 0.', labels },
    of(({ maintenance }) => (maintenance === null ? 0 : 1)),
  );
  gauge(
    {
      name: 'switchmaster_isolated',
      help: '1 while a master of this node is isolated, so its writes are paused or should be; 0 while it hears somebody. Absent where this node has no Redis of the master that it may pause.',
      labels,
    },
    of(({ isolation }) => (isolation === null ? undefined : isolation.writes === 'accepted' ? 0 : 1)),
  );
  gauge(
    { name: 'switchmaster_sentinels_seen', help: 'Sentinels that answered about it.', labels },
    of(({ sentinelsSeen }) => sentinelsSeen),
  );
  gauge(
    { name: 'switchmaster_sentinels_agreeing', help: "Sentinels that name the record's master at its epoch.", labels },
    of(({ sentinelsAgreeing }) => sentinelsAgreeing),
  );
  gauge(
    { name: 'switchmaster_replicas', help: 'Replicas in the record.', labels },
    of(({ record, replicas }) => (record === null ? undefined : replicas)),
  );
  gauge(
    { name: 'switchmaster_replicas_well', help: 'Replicas in the record about which there is no problem.', labels },
    of(({ record, replicasWell }) => (record === null ? undefined : replicasWell)),
  );
}

function addClusterGauges(gauge: MakeGauge): void {
  const of =
    (read: (record: NonNullable<MetricsView['clusters'][number]['record']>) => number) => (view: MetricsView) =>
      view.clusters.flatMap(({ name, record }): Sample[] =>
        record === null ? [] : [[{ cluster: name }, read(record)]],
      );
  const labels = ['cluster'];
  gauge(
    { name: 'switchmaster_cluster_epoch', help: 'Epoch of the record.', labels },
    of(({ epoch }) => epoch),
  );
  gauge(
    { name: 'switchmaster_cluster_ok', help: '1 when the nodes report cluster_state:ok.', labels },
    of(({ state }) => (state === 'ok' ? 1 : 0)),
  );
  gauge(
    { name: 'switchmaster_cluster_slots_uncovered', help: 'Slots that no master serves.', labels },
    of(({ uncovered }) => countSlots(uncovered)),
  );
  gauge(
    {
      name: 'switchmaster_instance_check',
      help: 'Check of an instance of this node: 0 passing, 1 warning, 2 critical.',
      labels: ['instance'],
    },
    ({ instances }) =>
      instances.flatMap(({ id, check }): Sample[] =>
        check === null ? [] : [[{ instance: id }, checkStatuses.indexOf(check.status)]],
      ),
  );
}
