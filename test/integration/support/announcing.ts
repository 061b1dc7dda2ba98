import { type Address, formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { only, recordOf } from './bridging.ts';
import { idOf, instanceOf, type Registered, replicaOf, untilSays } from './registering.ts';

export interface Announcing {
  readonly sandbox: Sandbox;
  /** Of the shard; unique in the sandbox. */
  readonly name: string;
  /** Such as `valkey`, of which there are `valkey-server` and `valkey-sentinel`. Default: what is installed. */
  readonly edition?: string;
  readonly sentinelConfig?: Readonly<Record<string, string>>;
  /** The address under which others reach a server, by its address on this node. Default: the same. */
  readonly outside?: (inside: Address) => Address;
  /** Runs before those addresses are used. */
  readonly open?: (inside: readonly Address[]) => Promise<void>;
}

export interface Announced {
  readonly consul: ConsulAgent;
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly SentinelServer[];
}

/**
 * Starts a daemon with a shard and empty Sentinels, and waits until all of them are registered and use the outside
 * addresses.
 */
export async function startAnnounced(setting: Announcing): Promise<Announced> {
  const { sandbox, name, edition, sentinelConfig = {}, outside = (inside) => inside, open } = setting;
  const program = (kind: string) => (edition === undefined ? {} : { program: `${edition}-${kind}` });
  const [consul, shard, sentinels] = await Promise.all([
    sandbox.consul({ name: `consul-${name}` }),
    sandbox.redis({ name, ...program('server') }),
    sandbox.sentinels({ name: `${name}-sentinel`, masters: [], config: sentinelConfig, ...program('sentinel') }),
  ]);
  await open?.([...shard.servers, ...sentinels].map(({ address }) => address));
  await Promise.all([
    ...shard.servers.map(async (server) => {
      const { host, port } = outside(server.address);
      await server.command('CONFIG', 'SET', 'replica-announce-ip', host, 'replica-announce-port', port);
    }),
    ...sentinels.map(async (sentinel) => {
      const { host, port } = outside(sentinel.address);
      await sentinel.command('SENTINEL', 'CONFIG', 'SET', 'announce-ip', host);
      await sentinel.command('SENTINEL', 'CONFIG', 'SET', 'announce-port', port);
      await sentinel.command('SENTINEL', 'DEBUG', 'publish-period', 500, 'info-period', 500);
    }),
  ]);
  // The replica sends its address when it connects.
  await shard.master.command('CLIENT', 'KILL', 'TYPE', 'replica');
  const check = { interval: '200ms' };
  await sandbox.switchmaster({
    name: `switchmaster-${name}`,
    ready: '/live',
    config: {
      consul: { address: consul.url },
      register: [
        ...shard.servers.map(({ address }) => ({ kind: 'redis', name, address: formatAddress(address), check })),
        ...sentinels.map(({ address }) => ({ kind: 'sentinel', address: formatAddress(address), check })),
      ],
      sentinel: { service: 'redis-sentinel', resync: '1s' },
    },
  });
  const options = { 'down-after-milliseconds': 1_000, 'failover-timeout': 10_000 };
  const desired = { ...outside(shard.master.address), quorum: 2, options };
  await consul.putKey(`redis/desired/${name}`, JSON.stringify(desired));
  const replica = replicaOf(shard);
  await recordOf(consul, name, {
    until: (record) =>
      sameAddress(record.master, outside(shard.master.address)) &&
      record.replicas.some((address) => sameAddress(address, outside(replica.address))),
  });
  await untilMet({ name, sentinels });
  return { consul, master: shard.master, replica, sentinels };
}

/** Waits until a server is registered with this role. */
export async function untilRole(consul: ConsulAgent, server: RedisServer, role: string): Promise<Registered> {
  const found = await waitFor(`${server.name} to be registered as ${role}`, () => instanceOf(consul, idOf(server)), {
    until: (one) => one?.Service.Tags.includes(role) === true,
  });
  return found as Registered;
}

/** Waits until the deep checks of all of them pass. */
export async function untilAllPass({ consul, master, replica, sentinels }: Announced): Promise<void> {
  const ids = [idOf(master), idOf(replica), ...sentinels.map(({ address }) => `sentinel-${formatAddress(address)}`)];
  for (const id of ids) await untilSays(consul, id, 'passing: answers');
}

function untilMet(all: { readonly name: string; readonly sentinels: readonly SentinelServer[] }): Promise<unknown> {
  const { name, sentinels } = all;
  return waitFor('the Sentinels to know each other', () => Promise.all(sentinels.map((one) => one.masterInfo(name))), {
    until: (infos) => infos.every((info) => info['num-other-sentinels'] === '2' && info['num-slaves'] === '1'),
    timeoutMs: 20_000,
  });
}

/** Kills the master, and waits until the record and the tags name its replica. */
export async function failOverTo(all: Announced & { readonly name: string; readonly at: Address }): Promise<void> {
  const { consul, master, replica, name, at } = all;
  await master.kill();
  await recordOf(consul, name, { until: (record) => sameAddress(record.master, at), timeoutMs: 30_000 });
  await untilRole(consul, replica, 'master');
  await untilSays(consul, idOf(replica), 'passing: answers');
  await untilSays(consul, idOf(master), 'critical: refuses connections');
}

export async function masterService(consul: ConsulAgent): Promise<Registered['Service']> {
  return only((await consul.get<Registered[]>('/v1/health/service/redis-master')) ?? []).Service;
}
