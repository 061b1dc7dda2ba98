import { setTimeout as delay } from 'node:timers/promises';
import { formatAddress } from '../../lib/model/address.ts';
import type { Daemon } from '../../test/sandbox/daemon.ts';
import { openFiles } from '../../test/sandbox/process-files.ts';
import { Sandbox } from '../../test/sandbox/sandbox.ts';
import { cpuMs, residentMib, wakeUps } from '../process-cost.ts';
import { round } from '../statistics.ts';
import { countOf } from './consul-count.ts';
import { runStorm, timeSingleFailovers } from './storm.ts';
import type { Row } from './table.ts';
import { type MastersWorld, openMastersWorld, sentinelPeriods, startDaemons, untilWell } from './world.ts';

export interface MastersSizes {
  readonly masters: readonly number[];
  readonly daemons: readonly number[];
  /** With more masters than this, one process stands for all Redis servers. */
  readonly realMasters: number;
  /** How long idling is measured. */
  readonly idleSeconds: number;
}

/** Of several daemons: the mean, but the sum of their requests, and the highest peak. */
export async function measureMasters(options: MastersSizes, progress: (line: string) => void): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const daemons of options.daemons)
    for (const masters of options.masters) {
      const sandbox = await Sandbox.open({ name: `growth-${masters}` });
      try {
        const say = (line: string) => progress(`${masters} masters, daemons: ${daemons}: ${line}`);
        rows.push(await measureSize(sandbox, { masters, daemons, options, say }));
      } finally {
        await sandbox.close();
      }
    }
  return rows;
}

interface Size {
  readonly masters: number;
  readonly daemons: number;
  readonly options: MastersSizes;
  readonly say: (line: string) => void;
}

async function measureSize(sandbox: Sandbox, { masters, daemons: count, options, say }: Size): Promise<Row> {
  say('starting Redis, Sentinels and Consul');
  const world = await openMastersWorld(sandbox, { masters, realMasters: options.realMasters });
  const { daemons, startedMs } = await startDaemons(world, count);
  say(`ready after ${Math.round(startedMs)} ms; waiting until all is well`);
  await untilWell(daemons);
  say('idling');
  const idle = await measureIdle(world, { daemons, seconds: options.idleSeconds });
  say(`${JSON.stringify(idle)}; single failovers`);
  const failoverMs = await timeSingleFailovers(world, daemons);
  await untilWell(daemons);
  // Few masters: the same ones fail over again, which Sentinel and the bridge refuse within failover-timeout.
  if (masters < 10) await delay(sentinelPeriods.failoverTimeoutMs);
  say(`a failover takes ${Math.round(failoverMs)} ms; a third is killed within a second`);
  const storm = await runStorm(world, daemons);
  say(JSON.stringify(storm));
  return {
    masters,
    daemons: count,
    redis: world.redis,
    startedMs: Math.round(startedMs),
    ...idle,
    failoverMs: round(failoverMs),
    stormMasters: storm.masters,
    stormP50Ms: round(storm.p50Ms),
    stormP99Ms: round(storm.p99Ms),
    stormLastRecordMs: Math.round(storm.lastRecordMs),
    stormSpanMs: Math.round(storm.spanMs),
    stormTransactions: storm.transactions,
    bareMs: Math.round(storm.bareMs),
    peakMib: Math.round(storm.peakMib),
    wrongRecords: storm.wrong,
  };
}

/** What a daemon holds and costs while nothing happens. */
export interface Idle {
  /** Of one core. */
  readonly cpuPercent: number;
  /** How often the main thread stops waiting. */
  readonly wakeUpsPerSecond: number;
  readonly residentMib: number;
  readonly descriptors: number;
  readonly redisConnections: number;
  readonly sentinelConnections: number;
  readonly consulConnections: number;
  /** Of all daemons. */
  readonly consulRequestsPerSecond: number;
}

export async function measureIdle(
  world: Pick<MastersWorld, 'consul' | 'sentinels'>,
  { daemons, seconds }: { readonly daemons: readonly Pick<Daemon, 'pid'>[]; readonly seconds: number },
): Promise<Idle> {
  const pids = daemons.map(({ pid }) => pid ?? 0);
  const mean = <T>(all: readonly T[], read: (one: T) => number) =>
    round(all.reduce((sum, one) => sum + read(one), 0) / all.length);
  const [cpuBefore, wokenBefore, countBefore] = [mean(pids, cpuMs), mean(pids, wakeUps), await countOf(world.consul)];
  await delay(seconds * 1_000);
  const [cpuAfter, wokenAfter, countAfter] = [mean(pids, cpuMs), mean(pids, wakeUps), await countOf(world.consul)];
  const consulAddress = formatAddress(world.consul.http);
  const sentinelAddresses = new Set(world.sentinels.map(({ address }) => formatAddress(address)));
  const open = pids.map(openFiles);
  const connections = (counts: (remote: string) => boolean) =>
    mean(open, (files) => files.connections.filter(({ remote }) => counts(remote)).length);
  return {
    cpuPercent: round((cpuAfter - cpuBefore) / (seconds * 10)),
    wakeUpsPerSecond: round((wokenAfter - wokenBefore) / seconds),
    residentMib: Math.round(mean(pids, (pid) => residentMib(pid).now)),
    descriptors: mean(open, ({ descriptors }) => descriptors),
    redisConnections: connections((remote) => remote !== consulAddress && !sentinelAddresses.has(remote)),
    sentinelConnections: connections((remote) => sentinelAddresses.has(remote)),
    consulConnections: connections((remote) => remote === consulAddress),
    consulRequestsPerSecond: round((countAfter.requests - countBefore.requests) / seconds),
  };
}
