import { formatAddress } from '../../lib/model/address.ts';
import type { Shard } from '../../test/sandbox/redis.ts';

export const poolName = 'bench';

/** A config of twemproxy that names a server for each shard. The bench starts no twemproxy. */
export function nutcrackerConfig(shards: readonly Shard[], { port }: { readonly port?: number } = {}): string {
  const servers = shards.map(({ name, master: { address } }) => {
    const server = formatAddress({ ...address, ...(port === undefined ? {} : { port }) });
    return `  - ${server}:1 ${name}`;
  });
  const settings = ['listen: 127.0.0.1:22121', 'hash: fnv1a_64', 'distribution: ketama', 'redis: true', 'servers:'];
  return [`${poolName}:`, ...settings.map((line) => `  ${line}`), ...servers, ''].join('\n');
}
