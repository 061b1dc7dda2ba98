import type { LocalMaster } from '../bridge/part.ts';
import type { Views } from '../http/views.ts';
import type { Endpoint } from '../model/address.ts';

/** The masters that this daemon's registrar probes, as the records have them. */
export function localMasters({ instances }: Pick<Views, 'instances'>): readonly LocalMaster[] {
  return instances.list().flatMap(({ kind, name, role, address, socket }) => {
    const endpoint = address ?? socket;
    return kind === 'redis' && role === 'master' && name !== null && endpoint !== null ? [{ name, endpoint }] : [];
  });
}

/** The nodes of Redis Clusters that this daemon's registrar probes. */
export function localClusterNodes({ instances }: Pick<Views, 'instances'>): readonly Endpoint[] {
  return instances.list().flatMap(({ kind, address, socket }) => {
    const endpoint = address ?? socket;
    return kind === 'cluster' && endpoint !== null ? [endpoint] : [];
  });
}
