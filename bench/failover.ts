import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../lib/model/address.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { Daemon } from '../test/sandbox/daemon.ts';
import type { Shard } from '../test/sandbox/redis.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';
import { round, type Summary, summarize } from './statistics.ts';

/** So many shards a side that a shard's old master has become its replica again (some 10 s) before its next turn. */
const shardsPerSide = 10;

/** The bare program waits for the announcement, and leaves the old master alone: so must the other side. */
const announcementOnly = { follow: 'announcement', fence: 'none' };

interface Sample {
  readonly name: string;
  readonly committedMs: number;
}

/**
 * Real failovers (SENTINEL FAILOVER), in turn of a shard that switchmaster bridges and of one that the bare program does.
 * Each side is measured in its own process by its own clock: from the message's arrival to Consul's answer.
 */
export async function benchFailover(options: { readonly rounds: number; readonly json?: boolean }): Promise<void> {
  const tell = (line: string) => process.stderr.write(`${line}\n`);
  const sandbox = await Sandbox.open({ name: 'bench-failover' });
  try {
    report(options, await measure(sandbox, { rounds: options.rounds, tell }));
  } finally {
    await sandbox.close();
  }
}

async function measure(
  sandbox: Sandbox,
  { rounds, tell }: { readonly rounds: number; readonly tell: (line: string) => void },
): Promise<{ readonly ours: Summary; readonly limit: Summary }> {
  tell(`starting ${shardsPerSide * 2} shards, 3 Sentinels and Consul`);
  const names = (side: string) => Array.from({ length: shardsPerSide }, (_, i) => `${side}${i}`);
  const start = (side: string) => Promise.all(names(side).map((name) => sandbox.redis({ name, replicas: 1 })));
  const [consul, ours, bare] = await Promise.all([sandbox.consul(), start('ours'), start('bare')]);
  const sentinels = await sandbox.sentinels({ count: 3, masters: [...ours, ...bare], downAfterMs: 5_000 });
  const [leader] = sentinels;
  if (leader === undefined) throw new Error('no Sentinel was started');
  const daemon = await sandbox.switchmaster({
    config: {
      consul: { address: consul.url },
      sentinel: {
        addresses: sentinels.map(({ address }) => formatAddress(address)),
        masters: ['ours*'],
        ...announcementOnly,
      },
    },
  });
  const bareSamples = await startBare(sandbox, { sentinel: leader.address, consul: consul.http, shards: bare });
  for (let done = 1; done <= rounds; done += 1) {
    await failOver(leader, ours[done % shardsPerSide]);
    await failOver(leader, bare[done % shardsPerSide]);
    if (done % 10 === 0) tell(`${done} of ${rounds} rounds`);
  }
  const oursSamples = await waitFor('all samples', () => readSamples(daemon), {
    until: (samples) => samples.length >= rounds && bareSamples.length >= rounds,
  });
  return { ours: summarize(oursSamples), limit: summarize(bareSamples.map(({ committedMs }) => committedMs)) };
}

async function failOver(sentinel: SentinelServer, shard: Shard | undefined): Promise<void> {
  if (shard === undefined) throw new Error('no such shard');
  const before = formatAddress(await sentinel.masterAddress(shard.name));
  const moved = async () => {
    if (formatAddress(await sentinel.masterAddress(shard.name)) !== before) return true;
    // Refused while one is under way; ordered anew where Sentinel gave one up.
    await sentinel.command('SENTINEL', 'FAILOVER', shard.name).catch(() => undefined);
    return false;
  };
  await waitFor(`${shard.name} to leave ${before}`, moved, {
    until: (done) => done,
    timeoutMs: 60_000,
    intervalMs: 100,
  });
}

/** What the daemon's log says of each failover that it wrote. */
function readSamples(daemon: Daemon): number[] {
  return daemon.logLines().flatMap((line) => {
    const details = line.details as { cause?: string; stages?: { committedMs: number } } | undefined;
    return details?.cause === 'failover' && details.stages !== undefined ? [details.stages.committedMs] : [];
  });
}

async function startBare(
  sandbox: Sandbox,
  job: { sentinel: object; consul: { host: string; port: number }; shards: readonly Shard[] },
): Promise<Sample[]> {
  const program = fileURLToPath(new URL('./bare-bridge.ts', import.meta.url));
  const shards = job.shards.map(({ name, servers }) => ({ name, servers: servers.map(({ address }) => address) }));
  const { host, port } = job.consul;
  const argument = JSON.stringify({ sentinel: job.sentinel, consul: { host, port }, shards });
  const child = spawn(process.execPath, [program, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: sandbox.env,
  });
  const samples: Sample[] = [];
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  lines.on('line', (line) => samples.push(JSON.parse(line) as Sample));
  return samples;
}

function report(
  options: { readonly json?: boolean },
  sides: { readonly ours: Summary; readonly limit: Summary },
): void {
  const { ours, limit } = sides;
  const ratios = { recordVsLimit: { p50: round(ours.p50 / limit.p50), p99: round(ours.p99 / limit.p99) } };
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ ratios, milliseconds: { switchmaster: ours, limit } })}\n`);
    return;
  }
  const row = (name: string, side: Summary) =>
    `${name.padEnd(24)}${String(side.p50).padStart(8)}${String(side.p99).padStart(8)}${String(side.max).padStart(8)}`;
  process.stdout.write(
    [
      `from +switch-master to the committed transaction, ms, ${ours.count} failovers each`,
      `${''.padEnd(24)}${'p50'.padStart(8)}${'p99'.padStart(8)}${'max'.padStart(8)}`,
      row('switchmaster', ours),
      row('the least that could do', limit),
      `${'ratio'.padEnd(24)}${String(ratios.recordVsLimit.p50).padStart(8)}${String(ratios.recordVsLimit.p99).padStart(8)}`,
      '',
    ].join('\n'),
  );
}
