import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisAccess } from '../client/redis-connection.ts';
import { revealAccess } from '../config/reveal.ts';
import { ConsulPart } from '../consul/part.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { StageObserver } from './observers.ts';
import type { DrillOptions, DrillOrder } from './options.ts';
import { firstAfter, PromotionWatch } from './promotion.ts';
import { checkRights } from './rights.ts';
import { startObservers } from './stages.ts';
import { DrillWriter, drillKey, longestGap, settleWrites } from './writer.ts';

export interface DrillReport {
  readonly at: string;
  readonly name: string;
  readonly way: DrillOptions['way'];
  readonly from: Address;
  readonly to: Address;
  readonly generation: number;
  readonly epoch: number;
  /** Milliseconds since the order, or since the kill; null if it was not seen, with the reason in `notSeen`. */
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
  startedMs: number;
  readonly stages: Record<string, number | null>;
  readonly notSeen: Record<string, string>;
}

/**
 * Runs a real failover, and measures when each kind of client follows it. Rejects if the failover fails, and reports no
 * measurement then.
 */
export async function drill(options: DrillOptions): Promise<DrillReport> {
  const { config, record, proxies } = options;
  const { shard } = options;
  const access = shard?.access ?? revealAccess(config.sentinel?.redis ?? {});
  const consul = new ConsulPart(config.consul);
  const key = shard?.key ?? drillKey(record.name);
  await checkRights(record, { access, key });
  const stop = new AbortController();
  const mark = randomUUID().slice(0, 8);
  const writers = proxies.map((address) => ({ address, writer: new DrillWriter({ address, access, key, mark }) }));
  try {
    const promotion = new PromotionWatch(record.replicas, { access, key, mark, signal: stop.signal });
    const observers = startObservers(options, { consul, promotion, signal: stop.signal });
    return await measure(options, { observers, writers, promotion, access, key });
  } finally {
    stop.abort(new SwitchmasterError('stopping', 'no change was seen in time'));
    await Promise.all(writers.map(({ writer }) => writer.stop()));
    await consul.stop();
  }
}

interface Measurement {
  readonly observers: readonly StageObserver[];
  readonly writers: readonly { readonly address: Address; readonly writer: DrillWriter }[];
  readonly promotion: PromotionWatch;
  readonly access: RedisAccess;
  readonly key: string;
}

async function measure(options: DrillOptions, measurement: Measurement): Promise<DrillReport> {
  const { observers, writers } = measurement;
  const before: Stopwatch = { startedMs: performance.now(), stages: {}, notSeen: {} };
  const ready = await awaitReady(before, { observers, writers });
  const watch: Stopwatch = { ...before, startedMs: performance.now() };
  const noted = ready.map((observer) => note(watch, observer, options));
  const report = await options.order(() => {
    watch.startedMs = performance.now();
  });
  await Promise.race([Promise.all(noted), delay(options.timeoutMs, undefined, { ref: false })]);
  // The writers need a moment to write to the new master.
  await delay(200);
  for (const { stage } of observers) watch.stages[stage] ??= null;
  for (const { writer } of writers) await writer.stop();
  const settled = await settle(watch, { ...measurement, report });
  const { name, from, to, generation, epoch } = report;
  const { stages, notSeen } = watch;
  const withoutWritesMs = report.withoutWritesMs ?? stages.write ?? round(performance.now() - watch.startedMs);
  const at = new Date().toISOString();
  return {
    at,
    name,
    way: options.way,
    from,
    to,
    generation,
    epoch,
    stages,
    notSeen,
    withoutWritesMs,
    writers: settled,
  };
}

/** Returns the observers that are ready, and notes why the others are not. Throws if a proxy accepts no writes. */
async function awaitReady(
  watch: Stopwatch,
  { observers, writers }: Pick<Measurement, 'observers' | 'writers'>,
): Promise<readonly StageObserver[]> {
  for (const { address, writer } of writers) {
    try {
      await writer.ready;
    } catch (cause) {
      const message = `the drill did not begin: ${formatAddress(address)} accepts no writes`;
      throw new SwitchmasterError('failover-refused', message, { cause });
    }
  }
  const found = await Promise.all(
    observers.map(async (observer) => {
      const late = delay(3_000, 'late' as const, { ref: false });
      const state = await Promise.race([observer.ready.then(() => 'ready' as const), late]).catch((thrown: unknown) => {
        watch.notSeen[observer.stage] = SwitchmasterError.from(thrown).message;
        return 'failed' as const;
      });
      if (state === 'late') watch.notSeen[observer.stage] = 'no answer within 3 s before the failover';
      return state === 'ready' ? observer : undefined;
    }),
  );
  return found.filter((observer) => observer !== undefined);
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
  ended: Measurement & { readonly report: DrillOrder },
): Promise<readonly WriterReport[]> {
  const { writers, report, promotion, access, key } = ended;
  const lost = new Set(
    await settleWrites(
      writers.flatMap(({ writer }) => writer.accepted),
      { address: report.to, access, key },
    ),
  );
  // Where nobody saw the promotion, nothing separates its writes from those before it.
  const direct = watch.stages.write == null ? undefined : await promotion.written;
  const first = writers.map(({ writer }) => firstAfter(writer.accepted, direct));
  const earliest = first.flatMap((write) => write?.atMs ?? []).concat(direct?.atMs ?? []);
  if (direct !== undefined) watch.stages.write = round(Math.min(...earliest) - watch.startedMs);
  return writers.map(({ address, writer: { accepted } }, i) => {
    const through = formatAddress(address);
    const atMs = first[i]?.atMs;
    watch.stages[`write through ${through}`] = atMs === undefined ? null : round(atMs - watch.startedMs);
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
