import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../../test/sandbox/condition.ts';
import type { Sandbox } from '../../test/sandbox/sandbox.ts';
import { cpuMs } from '../process-cost.ts';
import { round } from '../statistics.ts';
import { countingConsul } from './consul-count.ts';
import { measureEachSize } from './each-size.ts';
import { measureIdle } from './masters.ts';
import type { Row } from './table.ts';

export interface InstancesSizes {
  readonly instances: readonly number[];
  /** How long idling is measured. */
  readonly idleSeconds: number;
}

/** Redis instances that one daemon registers in its local agent. One process stands for all of them. */
export function measureInstances(
  { instances: sizes, idleSeconds }: InstancesSizes,
  progress: (line: string) => void,
): Promise<readonly Row[]> {
  const measure = (sandbox: Sandbox, instances: number) => measureSize(sandbox, { instances, seconds: idleSeconds });
  return measureEachSize({ what: 'instances', sizes, measure }, progress);
}

async function measureSize(
  sandbox: Sandbox,
  { instances, seconds }: { readonly instances: number; readonly seconds: number },
): Promise<Row> {
  const [consul, redis] = await Promise.all([
    sandbox.consul({ config: countingConsul }),
    sandbox.simulatedRedis({ masters: instances, replicas: 0 }),
  ]);
  const register = redis.shards.map(({ name, master }) => ({
    kind: 'redis',
    name,
    address: formatAddress(master.address),
  }));
  const beganMs = performance.now();
  const daemon = await sandbox.switchmaster({ config: { consul: { address: consul.url }, register }, ready: '/live' });
  const registered = async () => Object.keys((await consul.get<object>('/v1/agent/services')) ?? {}).length;
  await waitFor(`${instances} services in the agent`, registered, {
    until: (count) => count >= instances,
    timeoutMs: 600_000,
    intervalMs: 250,
  });
  const registeredMs = performance.now() - beganMs;
  const startCpuMs = cpuMs(daemon.pid ?? 0);
  const idle = await measureIdle({ consul, sentinels: [] }, { daemons: [daemon], seconds });
  const { sentinelConnections: _, ...row } = idle;
  return { instances, registeredMs: Math.round(registeredMs), startCpuMs: round(startCpuMs), ...row };
}
