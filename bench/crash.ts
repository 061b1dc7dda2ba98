import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { NumberWriter } from '../test/integration/support/writing.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import { nowMs } from '../test/sandbox/recorder.ts';
import type { RedisServer } from '../test/sandbox/redis.ts';
import { RespConnection } from '../test/sandbox/resp.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { type CrashPair, type CrashStage, openClusterStage, openSentinelStage } from './crash-stage.ts';
import { quantile, round } from './statistics.ts';

export interface CrashBenchOptions {
  readonly rounds: number;
  readonly pairs: number;
  readonly bridges: number;
  readonly kind?: keyof typeof stages;
  readonly json?: boolean;
}

const stages = { sentinel: openSentinelStage, cluster: openClusterStage } as const;

/** Milliseconds since the kill. */
interface Sample {
  /** The proof, and the order, by the daemon that ordered; undefined where none did. */
  readonly provenMs: number | undefined;
  readonly orderedMs: number | undefined;
  /** The first `ROLE` of the replica as a master. */
  readonly masterMs: number;
  /** The first acknowledged write that the new master has. */
  readonly writeMs: number;
  /** Acknowledged writes that the new master does not have. */
  readonly lost: number;
}

/** From `kill -9` to the first write that a client gets through, with the default time-outs of Sentinel and Redis Cluster. */
export async function benchCrash(options: CrashBenchOptions): Promise<void> {
  const kinds = options.kind === undefined ? (['sentinel', 'cluster'] as const) : [options.kind];
  for (const kind of kinds) {
    const sandbox = await Sandbox.open({ name: `bench-crash-${kind}` });
    try {
      const stage = await stages[kind](sandbox, options);
      report(options, { kind, through: stage.through, samples: await crashInTurns(stage, options.rounds) });
    } finally {
      await sandbox.close();
    }
  }
}

/** Each round crashes another pair, because a master that was just failed over is not failed over again for a while. */
async function crashInTurns(stage: CrashStage, rounds: number): Promise<readonly Sample[]> {
  const samples: Sample[] = [];
  const changedMs = new Map(stage.pairs.map((pair) => [pair, performance.now()]));
  for (let n = 1; n <= rounds; n += 1) {
    const pair = stage.pairs[(n - 1) % stage.pairs.length] as CrashPair;
    const master = await waitFor(`${pair.name} to be whole`, pair.findMaster, { timeoutMs: 120_000, intervalMs: 200 });
    if (master === undefined) throw new Error(`${pair.name} has no master`);
    await delay(Math.max(0, (changedMs.get(pair) ?? 0) + pair.settleMs - performance.now()));
    const sample = await crash({ stage, pair, master, number: n });
    samples.push(sample);
    changedMs.set(pair, performance.now());
    const { provenMs, orderedMs, masterMs, writeMs, lost } = sample;
    const times = [provenMs, orderedMs, masterMs, writeMs].map((ms) => (ms === undefined ? '-' : Math.round(ms)));
    log(`${n}: proof ${times[0]}, order ${times[1]}, ROLE master ${times[2]}, write ${times[3]} ms, ${lost} lost`);
  }
  return samples;
}

async function crash(round: {
  readonly stage: CrashStage;
  readonly pair: CrashPair;
  readonly master: RedisServer;
  readonly number: number;
}): Promise<Sample> {
  const { stage, pair, master, number } = round;
  const next = pair.servers.find((server) => server !== master) as RedisServer;
  const key = await pair.keyOf(number);
  const writer = new NumberWriter({ name: stage.through, key, client: pair.openClient(), pauseMs: 5 });
  try {
    await waitFor('writes', () => writer.acknowledged.size > 50, { timeoutMs: 30_000 });
    const before = stage.daemons.map((daemon) => daemon.logLines().length);
    const killedMs = nowMs();
    const promotion = promotedAt(next);
    await master.kill();
    const masterMs = (await promotion) - killedMs;
    const sinceMs = nowMs();
    await waitFor('a write after it', () => writer.firstAfter(sinceMs), { timeoutMs: 60_000 });
    await writer.stop();
    const lost = new Set((await writer.lostAt(next.address)).lost);
    const isKept = ([value, atMs]: readonly [number, number]) => atMs >= killedMs + masterMs && !lost.has(value);
    const writeMs = ([...writer.acknowledged].find(isKept)?.[1] ?? Number.NaN) - killedMs;
    const ordered = await orderOf(stage, before);
    await master.start();
    return { ...ordered, masterMs, writeMs, lost: lost.size };
  } finally {
    await writer.stop();
  }
}

/** The stages of the daemon that ordered, since the close of its connection: a moment after the kill. */
async function orderOf(
  { daemons, loop }: CrashStage,
  before: readonly number[],
): Promise<Pick<Sample, 'provenMs' | 'orderedMs'>> {
  const find = () =>
    daemons
      .flatMap((daemon, i) => daemon.logLines().slice(before[i]))
      .filter((line) => line.loop === loop)
      .map((line) => ((line.details ?? {}) as { stages?: Pick<Sample, 'provenMs' | 'orderedMs'> }).stages)
      .find((times) => times?.orderedMs !== undefined);
  const times = await waitFor('the order', find, { timeoutMs: 3_000 }).catch(() => undefined);
  return { provenMs: times?.provenMs, orderedMs: times?.orderedMs };
}

/** When the replica first answers ROLE as a master. Redis ends its connections when it is promoted by Sentinel. */
export async function promotedAt(server: RedisServer): Promise<number> {
  const endMs = nowMs() + 60_000;
  let connection: RespConnection | undefined;
  while (nowMs() < endMs) {
    try {
      connection ??= await RespConnection.open(server.address, { timeoutMs: 1_000 });
      const role = await connection.command('ROLE');
      if (Array.isArray(role) && role[0] === 'master') {
        connection.close();
        return nowMs();
      }
    } catch {
      connection?.close();
      connection = undefined;
    }
    await delay(2);
  }
  connection?.close();
  throw new Error('the replica was not promoted within 60 s');
}

function report(
  options: CrashBenchOptions,
  found: { readonly kind: string; readonly through: string; readonly samples: readonly Sample[] },
): void {
  const { kind, through, samples } = found;
  const summary = (name: keyof Sample) => {
    const times = samples.flatMap((sample) => sample[name] ?? []);
    return { median: round(quantile(times, 0.5)), longest: round(Math.max(...times)) };
  };
  const lost = samples.reduce((sum, sample) => sum + sample.lost, 0);
  const rows = {
    'proof, since the close': summary('provenMs'),
    'order, since the close': summary('orderedMs'),
    'first ROLE master': summary('masterMs'),
    [`first write through ${through}`]: summary('writeMs'),
  };
  const [load = 0] = loadavg();
  if (options.json === true) {
    process.stdout.write(
      `${JSON.stringify({ kind, crashes: samples.length, load: round(load), rows, lost, samples })}\n`,
    );
    return;
  }
  process.stdout.write(
    `\n${kind}: ${samples.length} crashes, ${lost} acknowledged writes lost, load ${round(load)}\n\n`,
  );
  process.stdout.write('| ms | median | longest |\n|---|---|---|\n');
  for (const [name, { median, longest }] of Object.entries(rows))
    process.stdout.write(`| ${name} | ${median} | ${longest} |\n`);
}

function log(text: string): void {
  process.stderr.write(`${text}\n`);
}
