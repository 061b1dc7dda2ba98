import { judgeReadiness } from '../../lib/daemon/health/daemon.ts';
import { judge } from '../../lib/daemon/health/health.ts';
import type {
  ClusterControls,
  ClusterState,
  InstanceState,
  JournalView,
  MaintenanceControls,
  MaintenanceState,
  MasterControls,
  MasterState,
  MastersView,
  OutcomesView,
  ReadinessView,
  SentinelState,
  TemplateControls,
  TemplateState,
  Views,
} from '../../lib/http/views.ts';
import type { Health } from '../../lib/model/health.ts';
import { Journal } from '../../lib/telemetry/journal.ts';

export const exampleMaster: MasterState = {
  name: 'shard1',
  record: {
    version: 1,
    name: 'shard1',
    generation: 1,
    epoch: 7,
    phase: 'confirmed',
    master: { host: '10.0.0.5', port: 6379 },
    replicas: [{ host: '10.0.0.6', port: 6379 }],
    previous: null,
    reason: 'first seen',
    changedAt: '2026-01-01T00:00:00.000Z',
    changedBy: 'bridge-1',
  },
  modifyIndex: 12,
  sentinels: [
    {
      address: { host: '10.0.0.5', port: 26379 },
      id: 'abc',
      state: 'connected',
      epoch: 7,
      master: { host: '10.0.0.5', port: 6379 },
      agrees: true,
      tiltSince: null,
      flags: ['master'],
      quorum: 2,
      replicas: [{ address: { host: '10.0.0.6', port: 6379 }, condition: 'up', priority: 100 }],
      lastReadAt: '2026-01-01T00:00:00.000Z',
      error: null,
    },
  ],
  check: { status: 'passing', output: 'up' },
  problems: [],
  secondMasters: [],
  maintenance: null,
  crash: null,
  isolation: null,
  replicas: [{ address: { host: '10.0.0.6', port: 6379 }, lag: null }],
};

export const exampleMaintenance: MaintenanceState = {
  master: 'shard1',
  state: 'on',
  by: 'ops@db1',
  at: '2026-01-31T12:00:00.000Z',
  until: null,
  endsAt: null,
  reason: 'kernel',
  problem: null,
  text: 'shard1 is in maintenance: by ops@db1, since 2026-01-31T12:00:00.000Z, without an end (kernel)',
};

export const exampleTemplate: TemplateState = {
  name: 'haproxy.cfg',
  source: '/t/haproxy.cfg.hbs',
  destination: '/etc/haproxy/haproxy.cfg',
  state: 'written',
  held: null,
  missing: [],
  warnings: [],
  dependencies: ['service(redis-master)'],
  access: 'open',
  renderedAt: '2026-01-01T00:00:00.000Z',
  writtenAt: null,
  stages: { rendered: 1.5 },
};

export interface ExampleContents {
  readonly masters?: readonly MasterState[];
  readonly sentinels?: readonly SentinelState[];
  readonly templates?: readonly TemplateState[];
  readonly rendered?: string;
  readonly clusters?: readonly ClusterState[];
  readonly instances?: readonly InstanceState[];
  readonly desired?: readonly string[];
  readonly maintenance?: readonly MaintenanceState[];
  readonly maintenanceControls?: MaintenanceControls;
  readonly present?: string;
  readonly lag?: MastersView['lag'];
  readonly readiness?: ReadinessView;
  readonly outcomes?: OutcomesView;
  readonly journal?: JournalView;
  /** Instead of the judgement on the contents. */
  readonly health?: Health;
  readonly masterControls?: MasterControls;
  readonly clusterControls?: ClusterControls;
  readonly templateControls?: TemplateControls;
}

const refuse = async () => Promise.reject(new Error('not expected'));

/** Views of fixed contents. */
export function exampleViews(contents: ExampleContents = {}): Views {
  const { masters = [], templates = [], rendered } = contents;
  const views: Omit<Views, 'health'> = {
    masters: {
      list: () => masters,
      get: (name) => masters.find((master) => master.name === name),
      sentinels: () => contents.sentinels ?? [],
      records: () => masters.flatMap(({ record }) => record ?? []),
      lag: contents.lag ?? (() => undefined),
    },
    clusters: { list: () => contents.clusters ?? [] },
    desired: { list: () => contents.desired ?? [] },
    instances: { list: () => contents.instances ?? [] },
    maintenance: { list: () => contents.maintenance ?? [] },
    maintenanceControls: contents.maintenanceControls ?? { order: refuse },
    masterControls: contents.masterControls ?? { failOver: refuse, previewFailover: refuse, rebase: refuse },
    clusterControls: contents.clusterControls ?? { failOver: refuse, previewFailover: refuse },
    templates: {
      list: () => templates,
      get: (name) => templates.find((template) => template.name === name),
      rendered: async () => rendered,
      present: async () => contents.present,
    },
    templateControls: contents.templateControls ?? { render: () => {}, approve: () => {} },
    node: { name: 'web-1', parts: () => ['consul', 'bridge', 'renderer', 'api'] },
    readiness: contents.readiness ?? { missing: () => [] },
    outcomes: contents.outcomes ?? { last: () => undefined },
    journal: contents.journal ?? new Journal({ capacity: 100 }),
    metrics: { text: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }) },
  };
  const well = {
    consul: { kind: 'reached' },
    config: { kind: 'current' },
    interfaces: { kind: 'read' },
    journal: { kind: 'kept' },
    denied: [],
  } as const;
  return {
    ...views,
    health: {
      read: () => contents.health ?? judge({ views, ...well, ignoredKeys: [], nowMs: Date.now() }),
      notReady: () =>
        contents.health?.reasons.filter(({ code }) => code === 'not-ready') ??
        judgeReadiness(views.readiness.missing()),
    },
  };
}
