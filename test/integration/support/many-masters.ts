import { readdirSync, readlinkSync } from 'node:fs';
import { formatAddress } from '../../../lib/model/address.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Daemon } from '../../sandbox/daemon.ts';
import { Shard } from '../../sandbox/redis.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';

/** Many masters behind three Sentinels, one Consul and one daemon. */
export interface ManyMasters {
  readonly consul: ConsulAgent;
  readonly sentinels: readonly SentinelServer[];
  readonly daemon: Daemon;
  /** Real servers, each with a replica. */
  readonly pairs: readonly Shard[];
  /** The names of each pair, in the order of the pairs. */
  readonly names: readonly (readonly string[])[];
}

/**
 * Sentinel identifies masters by their names, so one pair of servers may have several: with twenty names a pair, the death
 * of one process is twenty failovers at once.
 */
export async function startManyMasters(
  sandbox: Sandbox,
  wanted: { readonly pairs: number; readonly namesEach: number; readonly config?: Record<string, unknown> },
): Promise<ManyMasters> {
  const consul = await sandbox.consul();
  const pairs: Shard[] = [];
  for (let index = 0; index < wanted.pairs; index += 8) {
    const batch = Array.from({ length: Math.min(8, wanted.pairs - index) }, (_, k) => `pair${index + k}`);
    pairs.push(...(await Promise.all(batch.map((name) => sandbox.redis({ name, replicas: 1 })))));
  }
  const names = pairs.map((_, index) => Array.from({ length: wanted.namesEach }, (_, k) => `shard${index}-${k}`));
  const masters = pairs.flatMap(({ master, replicas, password }, index) =>
    (names[index] ?? []).map((name) => new Shard(name, { master, replicas, password })),
  );
  // A lost vote is tried again after twice the timeout.
  const sentinels = await sandbox.sentinels({ count: 3, masters, downAfterMs: 2_000, failoverTimeoutMs: 3_000 });
  const daemon = await sandbox.switchmaster({
    // The first hundred records take a busy machine a while: who needs them waits for them.
    ready: '/live',
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['shard*'] },
      ...wanted.config,
    },
  });
  return { consul, sentinels, daemon, pairs, names };
}

/** What a daemon has cost so far. The lag of its event loop is that since the last scrape. */
export interface Cost {
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  readonly sockets: number;
  readonly loopLagP99Ms: number;
  readonly watches: number;
}

/** Read from its own metrics and from /proc. */
export async function costOf(daemon: Daemon): Promise<Cost> {
  const text = String((await daemon.get('/metrics')).body);
  const metric = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
  const folder = `/proc/${daemon.pid}/fd`;
  const files = readdirSync(folder).map((fd) => linkOf(`${folder}/${fd}`));
  return {
    cpuSeconds: metric('process_cpu_seconds_total'),
    residentMiB: Math.round(metric('process_resident_memory_bytes') / 2 ** 20),
    sockets: files.filter((target) => target.startsWith('socket:')).length,
    loopLagP99Ms: Math.round(metric('nodejs_eventloop_lag_p99_seconds') * 1_000),
    watches: metric('switchmaster_watches'),
  };
}

/** Empty where it was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
