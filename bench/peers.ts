import { watch } from 'node:fs';
import { formatAddress } from '../lib/model/address.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import { nowMs } from '../test/sandbox/recorder.ts';
import type { Shard } from '../test/sandbox/redis.ts';
import { RespConnection } from '../test/sandbox/resp.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';
import { promotedAt } from './crash.ts';
import { failOver } from './failover.ts';
import type { Consumer } from './peers/consumer.ts';
import type { GivenPrograms } from './peers/given.ts';
import { type PeersFollow, startPeers } from './peers/start.ts';
import { round, type Summary, summarize } from './statistics.ts';

interface PeersBenchOptions extends GivenPrograms {
  readonly rounds: number;
  readonly follow: PeersFollow;
  readonly json?: boolean;
}

/** A shard's old master needs about 10 s to become its replica again. */
const shardCount = 10;
/** A consumer that has not followed by then has missed the failover. */
const missedMs = 30_000;

/** Milliseconds to the end of the reload, by consumer. */
type Samples = ReadonlyMap<Consumer, number[]>;

const beginnings: Readonly<Record<PeersFollow, string>> = {
  announcement: '+switch-master',
  promotion: 'the first ROLE master',
};

/**
 * The same failovers, followed by switchmaster and by other programs in one run. The time begins when the first Sentinel's
 * `+switch-master` arrives at the bench, or when the selected replica first answers it as a master. It ends when the consumer's file names
 * the new master and its reload command has run.
 */
export async function benchPeers(options: PeersBenchOptions): Promise<void> {
  const logLine = (line: string) => process.stderr.write(`${line}\n`);
  const sandbox = await Sandbox.open({ name: 'bench-peers' });
  try {
    const { consumers, sentinels, shards, leader } = await startPeers(sandbox, {
      shardCount,
      follow: options.follow,
      programs: options,
      logLine,
    });
    const announcements = await subscribe(sentinels);
    const samples: Samples = new Map(consumers.map((consumer) => [consumer, []]));
    for (let done = 1; done <= options.rounds; done += 1) {
      const shard = shards[done % shards.length];
      if (shard === undefined) throw new Error('no such shard');
      await measure({ shard, leader, announcements, samples, follow: options.follow });
      if (done % 10 === 0) logLine(`${done} of ${options.rounds} rounds`);
    }
    report(options, samples);
  } finally {
    await sandbox.close();
  }
}

interface Announcement {
  readonly name: string;
  /** `host:port` of the new master. */
  readonly master: string;
  readonly atMs: number;
}

/** Collects what the Sentinels announce, from now on. */
async function subscribe(sentinels: readonly SentinelServer[]): Promise<readonly Announcement[]> {
  const announcements: Announcement[] = [];
  for (const { address } of sentinels) {
    const connection = await RespConnection.open(address);
    connection.onMessage = (channel, payload) => {
      const [name = '', , , host = '', port = ''] = payload.split(' ');
      if (channel === '+switch-master') announcements.push({ name, master: `${host}:${port}`, atMs: nowMs() });
    };
    await connection.command('PSUBSCRIBE', '+switch-master');
  }
  return announcements;
}

async function measure(round: {
  readonly shard: Shard;
  readonly leader: SentinelServer;
  readonly announcements: readonly Announcement[];
  readonly samples: Samples;
  readonly follow: PeersFollow;
}): Promise<void> {
  const { shard, leader, announcements, samples, follow } = round;
  const first = announcements.length;
  const reloads = [...samples.keys()].map((consumer) => ({ consumer, ...recordReloads(consumer) }));
  const old = formatAddress(await leader.masterAddress(shard.name));
  const next = shard.servers.find(({ address }) => formatAddress(address) !== old);
  if (next === undefined) throw new Error(`${shard.name} has no replica`);
  try {
    const promotion = follow === 'promotion' ? promotedAt(next) : undefined;
    await failOver(leader, shard);
    const announced = await waitFor('+switch-master', () =>
      announcements.slice(first).find(({ name }) => name === shard.name),
    );
    if (announced === undefined) throw new Error(`no Sentinel announced a new master of ${shard.name}`);
    const beganMs = (await promotion) ?? announced.atMs;
    for (const { consumer, atMs } of reloads) {
      // A former master's address in the file is another server's.
      const ended = await waitFor(`${consumer.label} to follow`, () => atMs(announced), { timeoutMs: missedMs }).catch(
        () => undefined,
      );
      if (ended !== undefined) samples.get(consumer)?.push(ended - beganMs);
    }
  } finally {
    for (const { stop } of reloads) stop();
  }
}

/** Notes when the consumer reloads, and with which text in its file. */
function recordReloads({ marker, readText }: Consumer) {
  const reloads: { readonly atMs: number; readonly text: string }[] = [];
  const watcher = watch(marker, () => reloads.push({ atMs: nowMs(), text: readText() }));
  const atMs = ({ master }: Announcement) => reloads.find(({ text }) => text.includes(master))?.atMs;
  return { atMs, stop: () => watcher.close() };
}

interface Row {
  readonly label: string;
  readonly times: Summary;
  /** Of its median and its p99 to those of switchmaster. */
  readonly ratio: { readonly p50: number; readonly p99: number };
  readonly missed: number;
}

function report({ json, rounds, follow }: PeersBenchOptions, samples: Samples): void {
  const all = [...samples].map(([{ label }, times]) => ({ label, times: summarize(times) }));
  const [ours] = all;
  const rows: Row[] = all.map(({ label, times }) => ({
    label,
    times,
    ratio: { p50: round(times.p50 / (ours?.times.p50 ?? 1)), p99: round(times.p99 / (ours?.times.p99 ?? 1)) },
    missed: rounds - times.count,
  }));
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ follow, rows })}\n`);
    return;
  }
  const line = (label: string, cells: readonly (string | number)[]) =>
    `${label.padEnd(68)}${cells.map((cell) => String(cell).padStart(9)).join('')}`;
  const lines = [
    `from ${beginnings[follow]} to the reload done, ms, ${rounds} failovers`,
    line('', ['p50', 'p99', 'max', 'ratio', 'of p99', 'missed']),
    ...rows.map(({ label, times, ratio, missed }) =>
      line(label, [times.p50, times.p99, times.max, ratio.p50, ratio.p99, missed]),
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
