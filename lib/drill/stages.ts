import { revealAccess } from '../config/reveal.ts';
import type { ConsulPart } from '../consul/part.ts';
import {
  observeCrashOrder,
  observeDns,
  observeEvent,
  observeFile,
  observeRecord,
  observeService,
  observeShard,
  type StageObserver,
} from './observers.ts';
import type { DrillOptions } from './options.ts';
import type { PromotionWatch } from './promotion.ts';

interface Observing {
  readonly consul: ConsulPart;
  readonly promotion: PromotionWatch;
  readonly signal: AbortSignal;
}

/** What a drill observes: the first write, what Consul shows, and the files of this node. */
export function startObservers(options: DrillOptions, at: Observing): readonly StageObserver[] {
  const { config } = options;
  const { promotion, signal } = at;
  const written = promotion.written.then(({ atMs }) => atMs);
  written.catch(() => {});
  return [
    { stage: 'write', ready: Promise.resolve(), reached: written },
    ...(options.shard === undefined ? ofMaster(options, at) : ofShard(options, at)),
    ...config.templates.map(({ name, destination }) =>
      observeFile(`file ${name}`, { path: destination, promotion, signal }),
    ),
  ];
}

function ofMaster(
  { config, record, dns, way }: DrillOptions,
  { consul, promotion, signal }: Observing,
): readonly StageObserver[] {
  const { client } = consul;
  const naming = { environment: config.environment };
  const sentinels = config.sentinel?.addresses ?? [];
  const { access: sentinelAccess = {} } = config.sentinel ?? {};
  return [
    ...(sentinels.length === 0
      ? []
      : [observeEvent(record, { sentinels, access: revealAccess(sentinelAccess), signal })]),
    ...(way === 'kill' && config.sentinel?.onCrash === 'failover'
      ? [observeCrashOrder(record, { of: 'sentinel', client, naming, signal })]
      : []),
    observeRecord(record, { client, naming, signal }),
    observeService(record, { client, naming, signal }),
    observeDns(record, { server: dns, client, naming, promotion, signal }),
  ];
}

function ofShard({ config, record, shard }: DrillOptions, { consul, signal }: Observing): readonly StageObserver[] {
  const { client } = consul;
  const naming = { environment: config.environment };
  if (shard === undefined) return [];
  return [
    ...(shard.onCrash === 'failover' ? [observeCrashOrder(record, { of: 'cluster', client, naming, signal })] : []),
    observeShard({ ...record, slot: shard.slot }, { client, naming, signal }),
  ];
}
