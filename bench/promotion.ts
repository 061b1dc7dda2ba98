import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { NumberWriter, persistentClient } from '../test/integration/support/writing.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import { nowMs } from '../test/sandbox/recorder.ts';
import type { RedisServer, Shard } from '../test/sandbox/redis.ts';
import { RespConnection } from '../test/sandbox/resp.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { askSocket } from '../test/sandbox/socket.ts';
import { promotedAt } from './crash.ts';
import { failOver } from './failover.ts';
import { openPromotionStage, type PromotionSide, type PromotionStage } from './promotion-stage.ts';
import { round, type Summary, summarize } from './statistics.ts';

export interface PromotionBenchOptions {
  readonly rounds: number;
  readonly json?: boolean;
}

const stages = {
  committed: 'the record in Consul',
  haproxy: "HAProxy's socket shows the new master",
  file: "twemproxy's file renamed",
  twemproxy: 'twemproxy serves: a write through it',
  write: 'the first write through HAProxy',
} as const;
type Stage = keyof typeof stages;

/** Milliseconds since the selected replica first answered ROLE as a master. */
type Times = Readonly<Record<Stage, number>>;

/**
 * Failovers (SENTINEL FAILOVER) that switchmaster follows by promotion, its default, and a bare program beside it. This process
 * observes every stage of both from outside, so that all times are of one clock.
 */
export async function benchPromotion({ rounds, json }: PromotionBenchOptions): Promise<void> {
  const sandbox = await Sandbox.open({ name: 'bench-promotion' });
  try {
    const stage = await openPromotionStage(sandbox);
    const [ours, bare] = stage.sides;
    if (ours === undefined || bare === undefined) throw new Error('a side is missing');
    const samples = new Map<PromotionSide, Times[]>([
      [ours, []],
      [bare, []],
    ]);
    for (let done = 1; done <= rounds; done += 1) {
      for (const side of done % 2 === 0 ? [ours, bare] : [bare, ours]) {
        samples.get(side)?.push(await follow(stage, { side, index: done % side.shards.length }));
      }
      if (done % 10 === 0) process.stderr.write(`${done} of ${rounds} rounds\n`);
    }
    report(samples, { rounds, ...(json === undefined ? {} : { json }) });
  } finally {
    await sandbox.close();
  }
}

async function follow(
  { consul, leader }: PromotionStage,
  { side, index }: { readonly side: PromotionSide; readonly index: number },
): Promise<Times> {
  const shard = side.shards[index] as Shard;
  const old = await leader.masterAddress(shard.name);
  const next = shard.servers.find(({ address }) => address.host !== old.host) as RedisServer;
  const { host } = next.address;
  const listen = side.listen.haproxy[index];
  if (listen === undefined) throw new Error('a shard has no listener');
  const through = persistentClient(() => listen);
  const writer = new NumberWriter({ name: 'HAProxy', key: `bench:${nowMs()}`, client: through });
  const key = await keyOn(side, shard.servers.find((server) => server !== next) as RedisServer);
  const client = persistentClient(() => side.listen.twemproxy);
  const shared = new NumberWriter({ name: 'twemproxy', key, client });
  try {
    await waitFor('writes', () => [writer, shared].every(({ acknowledged }) => acknowledged.size > 20));
    const promotion = promotedAt(next);
    const names = { record: `"host":"${host}"`, server: ` ${host} `, file: `${host}:` };
    const seen = Promise.all([
      timeOf('the record', async () =>
        (await consul.key(`${side.records}/${shard.name}`))?.includes(`"master":{${names.record}`),
      ),
      timeOf('HAProxy', async () => (await serversOf(side)).includes(names.server)),
      timeOf('the file', async () => (await readFile(side.twemproxyFile, 'utf8')).includes(names.file)),
    ]);
    await failOver(leader, shard);
    const [masterMs, [committedMs, haproxyMs, fileMs]] = await Promise.all([promotion, seen]);
    const [writeMs, servedMs] = [await firstKept(writer, next, masterMs), await firstKept(shared, next, masterMs)];
    const since = (ms: number) => round(ms - masterMs);
    return {
      committed: since(committedMs),
      haproxy: since(haproxyMs),
      file: since(fileMs),
      twemproxy: since(servedMs),
      write: since(writeMs),
    };
  } finally {
    await Promise.all([writer.stop(), shared.stop()]);
  }
}

function serversOf({ haproxySocket }: PromotionSide): Promise<string> {
  return askSocket({ path: haproxySocket }, 'show servers state');
}

/** A key that twemproxy keeps on this server, which has no members yet. */
async function keyOn({ listen }: PromotionSide, server: RedisServer): Promise<string> {
  const connection = await waitFor('twemproxy', () => RespConnection.open(listen.twemproxy).catch(() => undefined));
  if (connection === undefined) throw new Error('twemproxy does not answer');
  try {
    for (let n = 0; n < 1_000; n += 1) {
      const key = `bench:twemproxy:${nowMs()}:${n}`;
      await connection.command('SADD', key, 0).catch(() => undefined);
      if ((await server.command('EXISTS', key)) === 1) return key;
    }
  } finally {
    connection.close();
  }
  throw new Error(`twemproxy sends nothing to ${server.name}`);
}

async function timeOf(what: string, reached: () => Promise<boolean | undefined>): Promise<number> {
  const options = { until: (yes: boolean | undefined) => yes === true, timeoutMs: 60_000, intervalMs: 2 };
  await waitFor(what, () => reached().catch(() => false), options);
  return nowMs();
}

/** The first acknowledged write since `sinceMs` that the new master has. */
async function firstKept(writer: NumberWriter, { address }: RedisServer, sinceMs: number): Promise<number> {
  const kept = async () => {
    if (writer.firstAfter(sinceMs) === undefined) return undefined;
    const lost = new Set((await writer.lostAt(address)).lost);
    return [...writer.acknowledged].find(([value, atMs]) => atMs >= sinceMs && !lost.has(value))?.[1];
  };
  return (await waitFor(`a write through ${writer.name}`, kept, { timeoutMs: 30_000, intervalMs: 20 })) ?? Number.NaN;
}

function report(samples: ReadonlyMap<PromotionSide, readonly Times[]>, { rounds, json }: PromotionBenchOptions): void {
  const [ours = [], bare = []] = [...samples.values()];
  const rows = (Object.keys(stages) as Stage[]).map((stage) => {
    const of = (all: readonly Times[]): Summary => summarize(all.map((times) => times[stage]));
    const [mine, limit] = [of(ours), of(bare)];
    const ratios = { p50: round(mine.p50 / limit.p50), p99: round(mine.p99 / limit.p99) };
    return { stage, switchmaster: mine, limit, ratios };
  });
  if (json === true) {
    process.stdout.write(`${JSON.stringify({ follow: 'promotion', load: round(loadavg()[0] ?? 0), rows })}\n`);
    return;
  }
  const cells = (...values: readonly number[]) => values.map((value) => String(value).padStart(9)).join('');
  const lines = [
    `from the first ROLE master, ms, ${rounds} failovers of each side (p50 and p99 of switchmaster, of the bare program, ratios)`,
    ...rows.map(
      ({ stage, switchmaster, limit, ratios }) =>
        stages[stage].padEnd(40) +
        cells(switchmaster.p50, switchmaster.p99, limit.p50, limit.p99, ratios.p50, ratios.p99),
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
