import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../lib/model/address.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { Shard } from '../test/sandbox/redis.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';
import { failOver } from './failover.ts';
import { round, type Summary, summarize } from './statistics.ts';

export interface PauseBenchOptions {
  readonly rounds: number;
  readonly masters: number;
  /** Processes that only use the processor. */
  readonly spinning: number;
  readonly json?: boolean;
}

/** Something that happened to a master: milliseconds since 1970. */
interface Moment {
  readonly master: string;
  readonly atMs: number;
}

/**
 * From the selection of a replica, by the Sentinel's own log, to the answer to CLIENT PAUSE, while the machine is busy. A
 * bare program answers the same selection with one command, so each failover measures both.
 */
export async function benchPause(options: PauseBenchOptions): Promise<void> {
  const sandbox = await Sandbox.open({ name: 'bench-pause' });
  const children: ChildProcess[] = [];
  try {
    const names = Array.from({ length: options.masters }, (_, n) => `shard${n}`);
    const [consul, ...shards] = await Promise.all([
      sandbox.consul(),
      ...names.map((name) => sandbox.redis({ name, replicas: 1 })),
    ]);
    const sentinels = await sandbox.sentinels({ count: 3, masters: shards, downAfterMs: 10_000 });
    const addresses = sentinels.map(({ address }) => formatAddress(address));
    const daemon = await sandbox.switchmaster({ config: { consul: { address: consul.url }, sentinel: { addresses } } });
    const bare = await startBare(sandbox, { shards, sentinels, children });
    for (let n = 0; n < options.spinning; n += 1) children.push(spawn(process.execPath, ['-e', 'for (;;);']));
    const [leader] = sentinels;
    if (leader === undefined) throw new Error('no Sentinel was started');
    for (let n = 0; n < options.rounds; n += 1) await failOver(leader, shards[n % shards.length]);
    const selections = sentinels.flatMap((sentinel) => readSelections(sentinel.log()));
    const pauses = () => daemon.logLines().flatMap(toPause);
    await waitFor('the pauses', pauses, { until: ({ length }) => length >= options.rounds }).catch(() => undefined);
    report(options, { ours: delays(selections, pauses()), bare: delays(selections, bare) });
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await sandbox.close();
  }
}

async function startBare(
  sandbox: Sandbox,
  world: {
    readonly shards: readonly Shard[];
    readonly sentinels: readonly SentinelServer[];
    readonly children: ChildProcess[];
  },
): Promise<readonly Moment[]> {
  const program = fileURLToPath(new URL('./bare-pause.ts', import.meta.url));
  const servers = world.shards.flatMap((shard) => shard.servers.map(({ address }) => address));
  const job = JSON.stringify({ sentinels: world.sentinels.map(({ address }) => address), servers });
  const child = spawn(process.execPath, [program, job], { stdio: ['ignore', 'pipe', 'inherit'], env: sandbox.env });
  world.children.push(child);
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  const moments: Moment[] = [];
  lines.on('line', (line) => moments.push(JSON.parse(line) as Moment));
  return moments;
}

/** `123:X 29 Nov 2026 02:26:34.910 # +selected-slave slave A:1 A 1 @ shard1 B 2`. */
function readSelections(log: string): readonly Moment[] {
  const line = /^\d+:X (\d+ \w+ \d+ [\d:.]+) \S \+selected-slave .* @ (\S+) \S+ \d+$/gm;
  return [...log.matchAll(line)].map(([, at = '', master = '']) => ({ master, atMs: Date.parse(at) }));
}

function toPause({ key, time, details }: Record<string, unknown>): readonly Moment[] {
  const { action } = (details ?? {}) as { action?: string };
  return action === 'pause-before-promotion' ? [{ master: String(key), atMs: Date.parse(String(time)) }] : [];
}

/** From each selection to the first answer after it, within the time of a failover. */
function delays(selections: readonly Moment[], answers: readonly Moment[]): readonly number[] {
  return selections.flatMap(({ master, atMs }) => {
    const answer = answers.find((one) => one.master === master && one.atMs >= atMs && one.atMs < atMs + 2_000);
    return answer === undefined ? [] : [answer.atMs - atMs];
  });
}

function report(
  { json, rounds, masters, spinning }: PauseBenchOptions,
  delays: { readonly ours: readonly number[]; readonly bare: readonly number[] },
): void {
  const [switchmaster, limit] = [summarize(delays.ours), summarize(delays.bare)];
  const ratios = { p50: round(switchmaster.p50 / limit.p50), p99: round(switchmaster.p99 / limit.p99) };
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ ratios, milliseconds: { switchmaster, limit } })}\n`);
    return;
  }
  const row = (label: string, { count, p50, p99, max }: Partial<Summary>) =>
    label.padEnd(24) + [count ?? '', p50, p99, max ?? ''].map((cell) => String(cell).padStart(8)).join('');
  const lines = [
    `from +selected-slave to the pause, ms, ${rounds} failovers, ${masters} masters, ${spinning} spinning processes`,
    ['', 'count', 'p50', 'p99', 'max'].map((word, i) => (i === 0 ? word.padEnd(24) : word.padStart(8))).join(''),
    row('switchmaster', switchmaster),
    row('one command, bare', limit),
    row('switchmaster / bare', ratios),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
