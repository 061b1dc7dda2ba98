import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { formatAddress } from '../../lib/model/address.ts';
import type { MasterRecord } from '../../lib/model/record.ts';
import { waitFor } from '../../test/sandbox/condition.ts';
import type { Daemon } from '../../test/sandbox/daemon.ts';
import { failOver } from '../failover.ts';
import { resetPeak, residentMib } from '../process-cost.ts';
import { quantile } from '../statistics.ts';
import { countOf } from './consul-count.ts';
import { type MastersWorld, readRecords } from './world.ts';

/** What a daemon reports of a change of master, in milliseconds since the message that woke it. */
interface Change {
  readonly name: string;
  readonly committedMs: number;
}

const applied = new Set(['failover', 'promotion']);

/** The changes of master that daemons have committed so far. */
function changesOf(daemons: readonly Daemon[]): readonly Change[] {
  return daemons.flatMap((daemon) =>
    daemon.logLines().flatMap((line) => {
      const { key, details } = line as {
        key?: string;
        details?: { cause?: string; stages?: { committedMs?: number } };
      };
      const committedMs = details?.stages?.committedMs;
      if (key === undefined || committedMs === undefined || !applied.has(details?.cause ?? '')) return [];
      return [{ name: key, committedMs }];
    }),
  );
}

/** From a failover's message to the committed transaction, at the median of a few failovers, one after the other. */
export async function timeSingleFailovers(
  { sentinels, shards }: MastersWorld,
  daemons: readonly Daemon[],
): Promise<number> {
  const [sentinel] = sentinels;
  if (sentinel === undefined) throw new Error('a world has Sentinels');
  const before = changesOf(daemons).length;
  const moved = shards.slice(0, 5);
  for (const shard of moved) await failOver(sentinel, shard);
  const changes = await waitFor('the failovers in the log', () => changesOf(daemons).slice(before), {
    until: ({ length }) => length >= moved.length,
  });
  return quantile(
    changes.map(({ committedMs }) => committedMs),
    0.5,
  );
}

export interface Storm {
  readonly masters: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** From the first kill to the last record that names the new master. */
  readonly lastRecordMs: number;
  /** From the first to the last of these records. */
  readonly spanMs: number;
  readonly transactions: number;
  /** A bare program in the same Consul, for as many transactions. */
  readonly bareMs: number;
  readonly peakMib: number;
  /** Records that name another master than a majority of the Sentinels does. */
  readonly wrong: number;
}

/** Kills a third of all masters within a second. */
export async function runStorm(world: MastersWorld, daemons: readonly Daemon[]): Promise<Storm> {
  const { consul, shards, stopAt } = world;
  const victims = shards.slice(-Math.ceil(shards.length / 3)).map(({ name }) => name);
  const before = byName(await readRecords(consul));
  const counted = (await countOf(consul)).transactions;
  const logged = changesOf(daemons).length;
  for (const { pid } of daemons) resetPeak(pid ?? 0);
  const killed = killAll();
  const { firstMs, lastMs, beganMs } = await untilMoved(world, { victims, before, killed });
  const changes = await waitFor('the storm in the log', () => changesOf(daemons).slice(logged), {
    until: ({ length }) => length >= victims.length,
  });
  const transactions = (await countOf(consul)).transactions - counted;
  const times = changes.map(({ committedMs }) => committedMs);
  return {
    masters: victims.length,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    lastRecordMs: lastMs - beganMs,
    spanMs: lastMs - firstMs,
    transactions,
    bareMs: await timeBare(world, transactions),
    peakMib: Math.max(...daemons.map(({ pid }) => residentMib(pid ?? 0).peak)),
    wrong: await countWrong(world, victims),
  };

  async function killAll(): Promise<void> {
    for (const name of victims) {
      const master = before.get(name)?.master;
      if (master !== undefined) void stopAt(master);
      await delay(1_000 / victims.length);
    }
  }
}

/** Polls: precise to some 50 ms. */
async function untilMoved(
  { consul }: MastersWorld,
  storm: {
    readonly victims: readonly string[];
    readonly before: ReadonlyMap<string, MasterRecord>;
    readonly killed: Promise<void>;
  },
): Promise<{ readonly beganMs: number; readonly firstMs: number; readonly lastMs: number }> {
  const { victims, before } = storm;
  const beganMs = performance.now();
  let [firstMs, lastMs] = [Number.NaN, Number.NaN];
  const moved = (record: MasterRecord | undefined) =>
    record !== undefined && addressOf(record) !== addressOf(before.get(record.name));
  const look = async () => {
    const records = byName(await readRecords(consul));
    const found = victims.map((name) => records.get(name)).filter(moved);
    if (found.length > 0 && Number.isNaN(firstMs)) firstMs = performance.now();
    if (found.length === victims.length && Number.isNaN(lastMs)) lastMs = performance.now();
    return found.filter((record) => record?.phase === 'confirmed').length;
  };
  await storm.killed;
  await waitFor('every record to follow', look, {
    until: (count) => count === victims.length,
    timeoutMs: 600_000,
    intervalMs: 50,
  });
  return { beganMs, firstMs, lastMs };
}

async function timeBare({ consul, sandbox }: MastersWorld, transactions: number): Promise<number> {
  const program = fileURLToPath(new URL('bare-storm.ts', import.meta.url));
  const job = JSON.stringify({ consul: consul.http, transactions });
  const { stdout } = await promisify(execFile)(process.execPath, [program, job], { env: sandbox.env });
  return (JSON.parse(stdout) as { totalMs: number }).totalMs;
}

async function countWrong({ consul, sentinels }: MastersWorld, names: readonly string[]): Promise<number> {
  const records = byName(await readRecords(consul));
  let wrong = 0;
  for (const name of names) {
    const views = await Promise.all(sentinels.map((sentinel) => sentinel.masterAddress(name)));
    const master = addressOf(records.get(name));
    const agreeing = views.filter((view) => formatAddress(view) === master);
    if (agreeing.length * 2 <= views.length) wrong += 1;
  }
  return wrong;
}

function byName(records: readonly MasterRecord[]): ReadonlyMap<string, MasterRecord> {
  return new Map(records.map((record) => [record.name, record]));
}

function addressOf(record: MasterRecord | undefined): string | undefined {
  return record === undefined ? undefined : formatAddress(record.master);
}
