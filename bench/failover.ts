import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../lib/model/address.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import type { Shard } from '../test/sandbox/redis.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';
import { round, type Summary, summarize } from './statistics.ts';

export interface FailoverBenchOptions {
  readonly rounds: number;
  /** Another checkout, which is measured in the same run. */
  readonly against?: string;
  readonly json?: boolean;
}

/** A shard's old master needs about 10 s to become its replica again: the same shard fails over every tenth round. */
export const shardsPerSide = 10;

/** The bare program waits for the announcement and does not fence the old master, so switchmaster must do the same. */
const announcementOnly = { follow: 'announcement', fence: 'none' };

/** One program under measurement, with shards of its own. */
interface Side {
  readonly label: string;
  readonly shards: readonly Shard[];
  /** The times of each failover so far, in milliseconds since the message's arrival. */
  readonly samples: () => readonly Times[];
}

/** `observedMs`: what must be read has been read. `committedMs`: Consul has answered. */
interface Times {
  readonly observedMs: number;
  readonly plannedMs?: number;
  readonly committedMs: number;
}

interface World {
  readonly sandbox: Sandbox;
  readonly consul: ConsulAgent;
  readonly sentinels: readonly SentinelServer[];
}

/**
 * Real failovers (SENTINEL FAILOVER) of shards that switchmaster, another checkout of it, and the bare program follow,
 * one after the other. Each program runs in a process of its own and measures with its own clock.
 */
export async function benchFailover(options: FailoverBenchOptions): Promise<void> {
  const { against } = options;
  if (against !== undefined) accessSync(path.join(against, 'cmd/switchmaster.ts'));
  const sandbox = await Sandbox.open({ name: 'bench-failover' });
  try {
    const sides = await startSides(sandbox, against === undefined ? undefined : path.resolve(against));
    await failOverInTurns(sides, options.rounds);
    report(options, await summarizeSides(sides, options.rounds));
  } finally {
    await sandbox.close();
  }
}

interface Sides {
  readonly leader: SentinelServer;
  readonly ours: Side;
  readonly against: Side | undefined;
  readonly bare: Side;
}

async function startSides(sandbox: Sandbox, checkout: string | undefined): Promise<Sides> {
  const names = checkout === undefined ? ['ours', 'bare'] : ['ours', 'against', 'bare'];
  log(`starting ${shardsPerSide * names.length} shards, 3 Sentinels and Consul`);
  const start = (side: string) =>
    Promise.all(Array.from({ length: shardsPerSide }, (_, i) => sandbox.redis({ name: `${side}${i}`, replicas: 1 })));
  const [consul, ...shards] = await Promise.all([sandbox.consul(), ...names.map(start)]);
  const sentinels = await sandbox.sentinels({ count: 3, masters: shards.flat(), downAfterMs: 5_000 });
  const [leader] = sentinels;
  if (leader === undefined) throw new Error('no Sentinel was started');
  const world = { sandbox, consul, sentinels };
  const [ours = [], ...others] = shards;
  return {
    leader,
    ours: await startSwitchmaster(world, { prefix: 'ours', label: 'switchmaster', shards: ours }),
    against:
      checkout === undefined
        ? undefined
        : await startSwitchmaster(world, { prefix: 'against', label: checkout, shards: others[0] ?? [], checkout }),
    bare: await startBare(world, others.at(-1) ?? []),
  };
}

async function startSwitchmaster(
  { sandbox, consul, sentinels }: World,
  side: Pick<Side, 'label' | 'shards'> & { readonly prefix: string; readonly checkout?: string },
): Promise<Side> {
  const { prefix, label, shards, checkout } = side;
  const addresses = sentinels.map(({ address }) => formatAddress(address));
  const daemon = await sandbox.switchmaster({
    name: `switchmaster-${prefix}`,
    ...(checkout === undefined ? {} : { checkout }),
    config: {
      consul: { address: consul.url },
      sentinel: { addresses, masters: [`${prefix}*`], ...announcementOnly },
    },
  });
  const samples = () =>
    daemon.logLines().flatMap((line) => {
      const details = line.details as { cause?: string; stages?: Times } | undefined;
      return details?.cause === 'failover' && details.stages !== undefined ? [details.stages] : [];
    });
  return { label, shards, samples };
}

async function startBare({ sandbox, consul, sentinels }: World, shards: readonly Shard[]): Promise<Side> {
  const program = fileURLToPath(new URL('./bare-bridge.ts', import.meta.url));
  const { host, port } = consul.http;
  const job = {
    sentinel: sentinels[0]?.address,
    consul: { host, port },
    shards: shards.map(({ name, servers }) => ({ name, servers: servers.map(({ address }) => address) })),
  };
  const child = spawn(process.execPath, [program, JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: sandbox.env,
  });
  let exitCode: number | null | undefined;
  child.on('exit', (code) => {
    exitCode = code;
  });
  const samples: Times[] = [];
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  lines.on('line', (line) => samples.push(JSON.parse(line) as Times));
  const readSamples = () => {
    if (exitCode !== undefined) throw new Error(`the bare program ended with ${exitCode}`);
    return samples;
  };
  return { label: 'the bare program', shards, samples: readSamples };
}

/** Each round begins with another side, so that the order of the sides changes. */
async function failOverInTurns({ leader, ...sides }: Sides, rounds: number): Promise<void> {
  const all = [sides.ours, sides.against, sides.bare].filter((side) => side !== undefined);
  for (let done = 1; done <= rounds; done += 1) {
    for (let i = 0; i < all.length; i += 1) {
      await failOver(leader, all[(done + i) % all.length]?.shards[done % shardsPerSide]);
    }
    if (done % 10 === 0) log(`${done} of ${rounds} rounds`);
  }
}

/** Orders a failover and waits until this Sentinel names another master. */
export async function failOver(sentinel: SentinelServer, shard: Pick<Shard, 'name'> | undefined): Promise<void> {
  if (shard === undefined) throw new Error('no such shard');
  const before = formatAddress(await sentinel.masterAddress(shard.name));
  const moved = async () => {
    if (formatAddress(await sentinel.masterAddress(shard.name)) !== before) return true;
    // Sentinel refuses while a failover is under way. A failover that it gave up needs another order.
    await sentinel.command('SENTINEL', 'FAILOVER', shard.name).catch(() => undefined);
    return false;
  };
  await waitFor(`${shard.name} to leave ${before}`, moved, {
    until: (done) => done,
    timeoutMs: 60_000,
    intervalMs: 100,
  });
}

interface Result {
  readonly ours: Summary;
  /** The stages of switchmaster before the commit. */
  readonly stages: { readonly observed: Summary; readonly planned: Summary };
  readonly against: { readonly label: string; readonly summary: Summary } | undefined;
  readonly bare: Summary;
  readonly bareObserved: Summary;
}

async function summarizeSides({ ours, against, bare }: Sides, rounds: number): Promise<Result> {
  const collect = ({ label, samples }: Side): Promise<readonly Times[]> =>
    waitFor(`samples of ${label}`, async () => samples(), { until: ({ length }) => length >= rounds });
  const committed = async (side: Side) => summarize((await collect(side)).map(({ committedMs }) => committedMs));
  const observed = async (side: Side) => summarize((await collect(side)).map(({ observedMs }) => observedMs));
  const times = await collect(ours);
  return {
    ours: await committed(ours),
    stages: {
      observed: await observed(ours),
      planned: summarize(times.map(({ plannedMs = Number.NaN }) => plannedMs)),
    },
    against: against === undefined ? undefined : { label: against.label, summary: await committed(against) },
    bare: await committed(bare),
    bareObserved: await observed(bare),
  };
}

function report({ json }: FailoverBenchOptions, { ours, stages, against, bare, bareObserved }: Result): void {
  const ratios = {
    recordVsLimit: divide(ours, bare),
    ...(against === undefined
      ? {}
      : { recordVsAgainst: divide(ours, against.summary), againstVsLimit: divide(against.summary, bare) }),
  };
  if (json === true) {
    const others = against === undefined ? {} : { against };
    const milliseconds = { switchmaster: ours, stages, limit: bare, limitObserved: bareObserved, ...others };
    process.stdout.write(`${JSON.stringify({ ratios, milliseconds })}\n`);
    return;
  }
  const other = against === undefined ? [] : [row(against.label, against.summary)];
  const compared =
    against === undefined
      ? []
      : [
          row('other / bare', divide(against.summary, bare)),
          row('switchmaster / other', divide(ours, against.summary)),
        ];
  const lines = [
    `from +switch-master to the committed transaction, ms, ${ours.count} failovers of each side`,
    ['', 'p50', 'p99', 'max'].map((word, i) => (i === 0 ? word.padEnd(width) : word.padStart(8))).join(''),
    row('switchmaster', ours),
    row('  the Sentinel and the target read', stages.observed),
    row('  the transaction planned', stages.planned),
    ...other,
    row('the bare program', bare),
    row('  the target read', bareObserved),
    row('switchmaster / bare', divide(ours, bare)),
    ...compared,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

const width = 36;

function row(label: string, { p50, p99, max }: Pick<Summary, 'p50' | 'p99'> & { readonly max?: number }): string {
  const cells = [p50, p99, max ?? ''].map((cell) => String(cell).padStart(8));
  // A path's end names the checkout.
  return `${label.slice(1 - width).padEnd(width)}${cells.join('')}`.trimEnd();
}

function divide(a: Summary, b: Summary): { readonly p50: number; readonly p99: number } {
  return { p50: round(a.p50 / b.p50), p99: round(a.p99 / b.p99) };
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
