import { collisions } from '../model/naming.ts';
import { resolveAccess } from './access.ts';
import type { RawCluster } from './cluster-schema.ts';
import type { ClusterConfig } from './model.ts';
import type { Resolution } from './resolution.ts';

export async function resolveClusters(
  resolution: Resolution,
  raw: readonly RawCluster[],
): Promise<readonly ClusterConfig[]> {
  for (const group of collisions(raw.map(({ name }) => name))) {
    const at = ['cluster', raw.findLastIndex(({ name }) => group.includes(name)), 'name'];
    resolution.report({ at }, { message: `${group.join(' and ')} have the same name in Consul's DNS` });
  }
  return Promise.all(
    raw.map(async (cluster, i) => {
      const at = ['cluster', i];
      if (cluster.seeds.length === 0 && cluster.service === undefined) {
        resolution.report({ at }, { message: 'has neither seeds nor service', hint: 'write seeds: ["host:port"]' });
      }
      return {
        name: cluster.name,
        seeds: cluster.seeds,
        ...(cluster.service === undefined ? {} : { service: cluster.service }),
        access: await resolveAccess(resolution, { raw: cluster, at, variable: 'SWITCHMASTER_REDIS_PASSWORD' }),
        resyncMs: cluster.resync,
        onCrash: cluster.onCrash,
        crashAfterMs: cluster.crashAfter,
      };
    }),
  );
}
