import { formatAddress } from '../lib/model/address.ts';
import type { NumberWriter } from '../test/integration/support/writing.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import { nowMs } from '../test/sandbox/recorder.ts';
import type { RedisServer } from '../test/sandbox/redis.ts';
import { RespConnection } from '../test/sandbox/resp.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { calmMaster, type OutageMode, type OutageStack, startOutageStack } from './outage-stack.ts';
import { type Fault, faults, printTable, rowsOf, type Sample } from './outage-table.ts';

const modes: readonly OutageMode[] = [
  { follow: 'promotion', fence: 'demote' },
  { follow: 'promotion', fence: 'none' },
  { follow: 'announcement', fence: 'demote' },
  { follow: 'announcement', fence: 'none' },
];

export interface OutageOptions {
  readonly rounds: number;
  readonly json?: boolean;
  readonly fault?: string;
  /** How many modes are measured at a time, each with servers of its own. Default 1. */
  readonly sideBySide?: number;
}

/** The time without writes and the acknowledged writes that were lost, for each fault, mode and kind of client. */
export async function benchOutage(options: OutageOptions): Promise<void> {
  const samples: Sample[] = [];
  const wanted = faults.filter((fault) => options.fault === undefined || fault.includes(options.fault));
  const left = [...modes];
  const measure = async () => {
    for (let mode = left.shift(); mode !== undefined; mode = left.shift())
      samples.push(...(await measureMode(mode, { rounds: options.rounds, faults: wanted })));
  };
  await Promise.all(Array.from({ length: options.sideBySide ?? 1 }, measure));
  if (options.json === true) process.stdout.write(`${JSON.stringify({ rows: rowsOf(samples) })}\n`);
  else printTable(samples);
}

async function measureMode(
  mode: OutageMode,
  plan: { readonly rounds: number; readonly faults: readonly Fault[] },
): Promise<readonly Sample[]> {
  const sandbox = await Sandbox.open({ name: 'bench-outage' });
  const samples: Sample[] = [];
  try {
    const stack = await startOutageStack(sandbox, mode);
    for (const fault of plan.faults) {
      for (let n = 1; n <= plan.rounds; n += 1) {
        const name = `${fault}, follow: ${mode.follow}, fence: ${mode.fence}, round ${n} of ${plan.rounds}`;
        const found = await measurePatiently(stack, { fault, mode, prefix: `${faults.indexOf(fault)}-${n}` });
        samples.push(...found);
        const results = found.map(
          ({ writer, withoutMs, lost }) => `${writer} ${Math.round(withoutMs)} ms, ${lost} lost`,
        );
        process.stderr.write(`${name}: ${results.join('; ')}\n`);
      }
    }
  } finally {
    await sandbox.close();
  }
  return samples;
}

/** On a busy machine a second failover may follow. Such a round is repeated. */
async function measurePatiently(
  stack: OutageStack,
  round: { readonly fault: Fault; readonly mode: OutageMode; readonly prefix: string },
): Promise<readonly Sample[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await measureRound(stack, { ...round, prefix: `${round.prefix}-${attempt}` });
    } catch (error) {
      if (attempt === 5) throw error;
      process.stderr.write(`repeats a round: ${String(error).split('\n')[0]}\n`);
    }
  }
}

async function measureRound(
  stack: OutageStack,
  round: { readonly fault: Fault; readonly mode: OutageMode; readonly prefix: string },
): Promise<readonly Sample[]> {
  const { fault, mode, prefix } = round;
  const old = await calmMaster(stack);
  const next = stack.shard.servers.find((server) => server !== old);
  if (next === undefined) throw new Error('there is no replica');
  const writers = stack.startWriters(prefix);
  try {
    await Promise.all(writers.map((writer) => warm(writer)));
    const sinceMs = nowMs();
    const promotion = promotedAt(next);
    await strike(stack, { fault, old });
    const promotedMs = await promotion;
    await Promise.all(writers.map((writer) => accepted(writer, promotedMs)));
    // A client that stays on the old master loses what it writes until that is made a replica: some 11 s, by Sentinel.
    await waitFor('the old master to be a replica', async () => !old.running || (await old.role()) === 'replica', {
      timeoutMs: 30_000,
    });
    if ((await next.role()) !== 'master') throw new Error('another failover came after this one');
    const after = nowMs();
    await Promise.all(writers.map((writer) => accepted(writer, after)));
    await Promise.all(writers.map((writer) => writer.stop()));
    return await Promise.all(
      writers.map(async (writer) => {
        const { lost, of } = await writer.lostAt(next.address, sinceMs);
        const first = await firstOnNew(writer, { next, sinceMs, promotedMs });
        return {
          fault,
          mode,
          writer: writer.name,
          withoutMs: writer.longestGap(sinceMs),
          lost: lost.length,
          acknowledged: of,
          overPromotion: (first - sinceMs) / (promotedMs - sinceMs),
        };
      }),
    );
  } finally {
    await Promise.all(writers.map((writer) => writer.stop()));
  }
}

async function strike(
  stack: OutageStack,
  { fault, old }: { readonly fault: Fault; readonly old: RedisServer },
): Promise<void> {
  const { shard, sentinels, daemon, token } = stack;
  switch (fault) {
    case 'kill -9':
      return old.kill();
    case 'SIGSTOP 5 s':
      old.pause();
      setTimeout(() => old.resume(), 5_000);
      return;
    case 'SENTINEL FAILOVER':
      await waitFor('Sentinel to take the order', () => sentinels[0]?.command('SENTINEL', 'FAILOVER', shard.name), {
        until: (answer) => answer === 'OK',
        timeoutMs: 60_000,
      });
      return;
    case 'switchmaster failover': {
      const response = await fetch(`http://${formatAddress(daemon.api)}/v1/masters/${shard.name}/failover`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
        signal: AbortSignal.timeout(60_000),
      });
      if (response.status !== 200)
        throw new Error(`the failover was answered ${response.status}: ${await response.text()}`);
      return;
    }
  }
}

/** When the replica first answers ROLE as a master. Sentinel ends its connections when it promotes it. */
async function promotedAt(server: RedisServer): Promise<number> {
  let connection: RespConnection | undefined;
  const deadlineMs = nowMs() + 60_000;
  while (nowMs() < deadlineMs) {
    try {
      connection ??= await RespConnection.open(server.address, { timeoutMs: 500 });
      const reply = await connection.command('ROLE');
      if (Array.isArray(reply) && reply[0] === 'master') break;
    } catch {
      connection?.close();
      connection = undefined;
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  connection?.close();
  return nowMs();
}

async function warm(writer: NumberWriter): Promise<void> {
  await waitFor(`writes through ${writer.name}`, () => writer.acknowledged.size, {
    until: (size) => size > 100,
    timeoutMs: 30_000,
  });
}

async function accepted(writer: NumberWriter, sinceMs: number): Promise<void> {
  await waitFor(`a write through ${writer.name}`, () => writer.firstAfter(sinceMs), { timeoutMs: 60_000 });
}

/** The first write since the promotion that the new master has. A write before it may have gone to the old master. */
async function firstOnNew(
  writer: NumberWriter,
  { next, sinceMs, promotedMs }: { readonly next: RedisServer; readonly sinceMs: number; readonly promotedMs: number },
): Promise<number> {
  const lost = new Set((await writer.lostAt(next.address, sinceMs)).lost);
  const found = [...writer.acknowledged].find(([number, atMs]) => atMs >= promotedMs && !lost.has(number));
  return found?.[1] ?? Number.NaN;
}
