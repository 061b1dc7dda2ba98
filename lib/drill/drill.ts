import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisAccess } from '../client/redis-connection.ts';
import type { Config } from '../config/model.ts';
import { revealAccess } from '../config/reveal.ts';
import { ConsulPart } from '../consul/part.ts';
import { SwitchmasterError } from '../errors.ts';
import type { PlannedAnswer } from '../http/views.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';
import {
  observeDns,
  observeEvent,
  observeFile,
  observeRecord,
  observeService,
  type StageObserver,
} from './observers.ts';
import { DrillWriter, drillKey, longestGap, settleWrites, writeToNewMaster } from './writer.ts';

export interface DrillOptions {
  readonly config: Config;
  readonly record: MasterRecord;
  /** Proxies that a client writes through during the failover. */
  readonly proxies: readonly Address[];
  /** Consul's DNS. */
  readonly dns: Address;
  /** Orders the failover, and resolves at its end. */
  readonly order: () => Promise<PlannedAnswer>;
  /** How long a stage may take after the failover has ended. */
  readonly timeoutMs: number;
  readonly onStage?: (stage: string, ms: number) => void;
}

export interface DrillReport {
  readonly at: string;
  readonly name: string;
  readonly from: Address;
  readonly to: Address;
  readonly generation: number;
  readonly epoch: number;
  /** Milliseconds since the order; null if it was not seen, with the reason in `notSeen`. */
  readonly stages: Readonly<Record<string, number | null>>;
  readonly notSeen: Readonly<Record<string, string>>;
  readonly withoutWritesMs: number;
  readonly writers: readonly WriterReport[];
}

interface WriterReport {
  readonly through: string;
  readonly acknowledged: number;
  /** Acknowledged writes that the new master does not have. */
  readonly lost: number;
  readonly longestGapMs: number | null;
}

interface Stopwatch {
  readonly startedMs: number;
  readonly stages: Record<string, number | null>;
  readonly notSeen: Record<string, string>;
}

/**
 * Runs a real failover, and measures when each kind of client follows it. Rejects if the failover fails, and reports no
 * measurement then.
 */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const { config, record, proxies } = options;
  const access = revealAccess(config.sentinel?.redis ?? {});
  const consul = new ConsulPart(config.consul);
  const stop = new AbortController();
  const key = drillKey(record.name);
  const mark = randomUUID().slice(0, 8);
  const writers = proxies.map((address) => ({ address, writer: new DrillWriter({ address, access, key, mark }) }));
  try {
    const observers = startObservers(options, { consul, access, key, mark, signal: stop.signal });
    return await measure(options, { observers, writers, access, key });
  } finally {
    stop.abort(new SwitchmasterError('stopping', 'no change was seen in time'));
    await Promise.all(writers.map(({ writer }) => writer.stop()));
    await consul.stop();
  }
}

interface Measurement {
  readonly observers: readonly StageObserver[];
  readonly writers: readonly { readonly address: Address; readonly writer: DrillWriter }[];
  readonly access: RedisAccess;
  readonly key: string;
}

async function measure(options: DrillOptions, measurement: Measurement): Promise<DrillReport> {
  const { observers, writers } = measurement;
  const before: Stopwatch = { startedMs: performance.now(), stages: {}, notSeen: {} };
  const present = await inPlace(before, observers, writers);
  const watch: Stopwatch = { ...before, startedMs: performance.now() };
  const noted = present.map((observer) => note(watch, observer, options));
  const report = await options.order();
  await Promise.race([Promise.all(noted), delay(options.timeoutMs, undefined, { ref: false })]);
  // The writers need a moment to write to the new master.
  await delay(200);
  for (const { stage } of observers) watch.stages[stage] ??= null;
  for (const { writer } of writers) await writer.stop();
  const settled = await settle(watch, { ...measurement, report });
  const { name, from, to, generation, epoch, withoutWritesMs } = report;
  const { stages, notSeen } = watch;
  const at = new Date().toISOString();
  return { at, name, from, to, generation, epoch, stages, notSeen, withoutWritesMs, writers: settled };
}

function startObservers(
  { config, record, dns }: DrillOptions,
  at: {
    readonly consul: ConsulPart;
    readonly access: RedisAccess;
    readonly key: string;
    readonly mark: string;
    readonly signal: AbortSignal;
  },
): readonly StageObserver[] {
  const { client } = at.consul;
  const { signal } = at;
  const naming = { environment: config.environment };
  const sentinels = config.sentinel?.addresses ?? [];
  const { access: sentinelAccess = {} } = config.sentinel ?? {};
  const written = writeToNewMaster(record.replicas, at).then(({ atMs }) => atMs);
  written.catch(() => {});
  return [
    { stage: 'write', inPlace: Promise.resolve(), reached: written },
    ...(sentinels.length === 0
      ? []
      : [observeEvent(record, { sentinels, access: revealAccess(sentinelAccess), signal })]),
    observeRecord(record, { client, naming, signal }),
    observeService(record, { client, naming, signal }),
    observeDns(record, { server: dns, naming, signal }),
    ...config.templates.map(({ name, destination }) => observeFile(`file ${name}`, { path: destination, signal })),
  ];
}

/** Returns the observers that are ready, and notes why the others are not. Throws if a proxy accepts no writes. */
async function inPlace(
  watch: Stopwatch,
  observers: readonly StageObserver[],
  writers: readonly { readonly address: Address; readonly writer: DrillWriter }[],
): Promise<readonly StageObserver[]> {
  for (const { address, writer } of writers) {
    try {
      await writer.inPlace;
    } catch (cause) {
      const message = `the drill did not begin: ${formatAddress(address)} accepts no writes`;
      throw new SwitchmasterError('failover-refused', message, { cause });
    }
  }
  const present = await Promise.all(
    observers.map(async (observer) => {
      const late = delay(3_000, 'late' as const, { ref: false });
      const state = await Promise.race([observer.inPlace.then(() => 'there' as const), late]).catch(
        (thrown: unknown) => {
          watch.notSeen[observer.stage] = SwitchmasterError.from(thrown).message;
          return 'failed' as const;
        },
      );
      if (state === 'late') watch.notSeen[observer.stage] = 'no answer within 3 s before the failover';
      return state === 'there' ? observer : undefined;
    }),
  );
  return present.filter((observer) => observer !== undefined);
}

async function note(watch: Stopwatch, { stage, reached }: StageObserver, { onStage }: DrillOptions): Promise<void> {
  try {
    const ms = round((await reached) - watch.startedMs);
    watch.stages[stage] = ms;
    onStage?.(stage, ms);
  } catch (thrown) {
    watch.notSeen[stage] ??= SwitchmasterError.from(thrown).message;
  }
}

async function settle(
  watch: Stopwatch,
  ended: {
    readonly writers: readonly { readonly address: Address; readonly writer: DrillWriter }[];
    readonly report: PlannedAnswer;
    readonly access: RedisAccess;
    readonly key: string;
  },
): Promise<readonly WriterReport[]> {
  const { writers, report, access, key } = ended;
  const lost = new Set(
    await settleWrites(
      writers.flatMap(({ writer }) => writer.accepted),
      { address: report.to, access, key },
    ),
  );
  return writers.map(({ address, writer: { accepted } }) => {
    const through = formatAddress(address);
    // No server accepts writes between the order and the promotion: later writes went to the new master.
    const orderedMs = watch.startedMs + (report.stages.ordered ?? 0);
    const first = accepted.find(({ atMs }) => atMs > orderedMs);
    watch.stages[`write through ${through}`] = first === undefined ? null : round(first.atMs - watch.startedMs);
    const gapMs = longestGap(accepted)?.gapMs;
    return {
      through,
      acknowledged: accepted.length,
      lost: accepted.filter(({ value }) => lost.has(value)).length,
      longestGapMs: gapMs === undefined ? null : round(gapMs),
    };
  });
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
