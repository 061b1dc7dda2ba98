import { formatAddress } from '../../lib/model/address.ts';
import type { LedgerWriter } from '../integration/support/writing.ts';
import { waitFor } from '../sandbox/condition.ts';
import { type DrawnFault, type Fault, faults } from './faults.ts';
import { MasterObservers, whereItPoints } from './observers.ts';
import type { Random } from './random.ts';
import { judgeDestinations, judgeDns, judgeKeys, judgeLosses, judgeRecords, type Loss } from './rules.ts';
import { hastenSentinel, type Stage, startWriters } from './stage.ts';

export interface RoundResult {
  readonly faults: readonly string[];
  /** Broken rules. */
  readonly violations: readonly string[];
  readonly losses: Readonly<Record<string, readonly Loss[]>>;
  /** Every fault and everything that the observers saw, in order of time. */
  readonly timeline: readonly string[];
  readonly tookMs: number;
}

/** Between an edit by hand and its repair: other bridges wait for each other, and a dead Consul takes its time. */
const repairMs = 15_000;
/** From the last fault until everything points at the one master again. */
const settleMs = 60_000;
/** What two clients of a dying master may differ by. */
const allowances = { none: 0, unreplicated: 60 } as const;

/** One to three faults, in part at once; then everything is made whole, and judged. */
export async function runRound(stage: Stage, random: Random, round: number): Promise<RoundResult> {
  const startedMs = Date.now();
  const drawn = drawFaults(stage, random);
  const observers = stage.shards.map((shard) => new MasterObservers(stage, shard));
  const writers = startWriters(stage, `round-${round}`);
  const moments: Moment[] = [];
  await untilWriting(writers);
  await Promise.all(drawn.map((fault) => carryOut(fault, moments)));
  const unsettled = await settle(stage);
  for (const writer of [...writers.values()].flat()) await writer.stop();
  const losses = await countLosses(stage, writers);
  await Promise.all(observers.map((observer) => observer.close()));
  const allowance = allowances[drawn.some(({ fault }) => fault.hazard === 'unreplicated') ? 'unreplicated' : 'none'];
  const untilMs = Date.now();
  const violations = [
    ...unsettled,
    ...findEnded(stage),
    ...observers.flatMap((observer) => judgeObserved(observer, untilMs)),
    ...Object.values(losses).flatMap((lost) => judgeLosses(lost, allowance)),
  ];
  return {
    faults: drawn.map(({ fault, plan }) => `${fault.name} ${plan.target}`),
    violations,
    losses,
    timeline: tellTimeline(startedMs, [...moments, ...observers.flatMap(momentsOf)]),
    tookMs: untilMs - startedMs,
  };
}

interface Moment {
  readonly atMs: number;
  readonly text: string;
}

interface Drawn {
  readonly fault: Fault;
  readonly plan: DrawnFault;
  readonly afterMs: number;
}

function drawFaults(stage: Stage, random: Random): readonly Drawn[] {
  const count = random.between(1, 3);
  return Array.from({ length: count }, (_, i) => {
    const fault = random.pick(faults);
    return { fault, plan: fault.draw(stage, random), afterMs: i === 0 ? 0 : random.between(0, 3_000) };
  });
}

async function carryOut({ fault, plan, afterMs }: Drawn, moments: Moment[]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  moments.push({ atMs: Date.now(), text: `fault: ${fault.name} ${plan.target}` });
  try {
    await plan.run();
    moments.push({ atMs: Date.now(), text: `over: ${fault.name}` });
  } catch (error) {
    moments.push({ atMs: Date.now(), text: `could not be carried out: ${fault.name}: ${String(error)}` });
  }
}

async function untilWriting(writers: ReadonlyMap<string, readonly LedgerWriter[]>): Promise<void> {
  for (const writer of [...writers.values()].flat())
    await waitFor(`${writer.name} to write`, () => writer.acknowledged.size > 10, { timeoutMs: settleMs });
}

/** Starts what is down, and waits until every place names the one master. Answers what does not in time. */
async function settle(stage: Stage): Promise<readonly string[]> {
  const servers = [stage.consul, ...stage.shards.flatMap((shard) => shard.servers), ...stage.sentinels];
  for (const server of [...servers, stage.haproxy, stage.twemproxy]) if (!server.running) await server.start();
  for (const sentinel of stage.sentinels) await hastenSentinel(sentinel);
  for (const daemon of [...stage.bridges, stage.renderer]) if (!daemon.running) await daemon.start();
  const judge = async () => {
    const judged = await Promise.all(
      stage.shards.map(async (shard) => judgeDestinations(shard.name, await whereItPoints(stage, shard))),
    );
    return judged.flat();
  };
  let last: readonly string[] = ['nothing was read'];
  const whole = async () => {
    last = await judge();
    return last.length === 0;
  };
  const replicating = async () => (await Promise.all(stage.shards.map(hasReplicas))).every(Boolean);
  try {
    await waitFor('everything to point at the masters', whole, { timeoutMs: settleMs, intervalMs: 100 });
    await waitFor('the replicas to be in step', replicating, { timeoutMs: settleMs, intervalMs: 100 });
    return [];
  } catch {
    return last.length > 0 ? last : ['the replicas of a master were not in step in time'];
  }
}

async function hasReplicas(shard: Stage['shards'][number]): Promise<boolean> {
  const roles = await Promise.all(shard.servers.map((server) => server.command('ROLE')));
  return roles.filter((role) => Array.isArray(role) && role[3] === 'connected').length === shard.servers.length - 1;
}

/** A daemon that ended by itself; one that was killed runs again by now. */
function findEnded(stage: Stage): readonly string[] {
  return [...stage.bridges, stage.renderer]
    .filter((daemon) => !daemon.running || (daemon.exit !== undefined && daemon.exit.signal !== 'SIGKILL'))
    .map((daemon) => `${daemon.name} ended by itself: ${JSON.stringify(daemon.exit)}`);
}

async function countLosses(
  stage: Stage,
  writers: ReadonlyMap<string, readonly LedgerWriter[]>,
): Promise<Readonly<Record<string, readonly Loss[]>>> {
  const entries = stage.shards.map(async (shard) => {
    const roles = await Promise.all(shard.servers.map(async (server) => [server, await server.role()] as const));
    const master = roles.find(([, role]) => role === 'master')?.[0];
    if (master === undefined) return [shard.name, []] as const;
    const losses = await Promise.all(
      (writers.get(shard.name) ?? []).map(async (writer) => {
        const { lost, of } = await writer.lostAt(master.address);
        return { writer: writer.name, lost: lost.length, acknowledged: of };
      }),
    );
    return [shard.name, losses] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

function judgeObserved({ shard, records, keys, dns }: MasterObservers, untilMs: number): readonly string[] {
  const members = shard.servers.map(({ address }) => formatAddress(address));
  const hosts = shard.servers.map(({ address }) => address.host);
  return [
    ...judgeRecords(records, members),
    ...judgeKeys(keys, { differMs: repairMs, untilMs }),
    ...judgeDns(dns, hosts),
  ];
}

function momentsOf({ shard: { name }, records, keys, dns, majority }: MasterObservers): readonly Moment[] {
  return [
    ...majority.named.map(({ atMs, master }) => ({ atMs, text: `${name}: most Sentinels name ${master}` })),
    ...records.map(({ atMs, record: { generation, epoch, phase, master, changedBy } }) => ({
      atMs,
      text: `${name}: record ${generation}/${epoch} ${phase} ${formatAddress(master)} by ${changedBy}`,
    })),
    ...keys.map(({ atMs, isWhole, plain }) => ({
      atMs,
      text: `${name}: keys ${isWhole ? 'agree' : `differ (${plain ?? 'none'})`}`,
    })),
    ...dns.map(({ atMs, addresses }) => ({ atMs, text: `${name}: DNS ${addresses.join(' ') || 'empty'}` })),
  ];
}

function tellTimeline(startedMs: number, moments: readonly Moment[]): readonly string[] {
  return moments
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text }) => `${String(atMs - startedMs).padStart(7)} ms  ${text}`);
}
