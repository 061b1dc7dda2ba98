import { type RedisAccess, RedisLink } from '../client/redis.ts';
import { type Fields, readFieldAddress, readFieldsList, readReplica } from '../client/sentinel-shapes.ts';
import { matchesAny } from '../config/glob.ts';
import type { Config } from '../config/model.ts';
import { revealAccess } from '../config/reveal.ts';
import { ConsulPart } from '../consul/part.ts';
import { type ErrorCode, SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress } from '../model/address.ts';

/** Whether a server that the config names answers as it should. */
export interface ServerFinding {
  /** `consul 127.0.0.1:8500`, `sentinel 10.0.0.5:26379`. */
  readonly server: string;
  readonly answers: boolean;
  /** What it said, or why there was no use in asking. */
  readonly says: string;
  readonly code?: ErrorCode;
}

const timeoutMs = 3_000;

/**
 * Asks every server that the config names, and every Redis that the Sentinels name, as the bridge would; takes at most a
 * few seconds, and never throws.
 */
export async function askServers(config: Config): Promise<readonly ServerFinding[]> {
  const { sentinel } = config;
  const named = new Map<string, Address>();
  const sentinels = (sentinel?.addresses ?? []).map((address) =>
    find(`sentinel ${formatAddress(address)}`, async () => {
      const link = new RedisLink(address, revealAccess(sentinel?.access ?? {}));
      try {
        const masters = readFieldsList(await link.call(['SENTINEL', 'MASTERS'], { timeoutMs }), 'SENTINEL MASTERS');
        const wanted = masters.filter(({ name = '' }) => matchesAny(sentinel?.masters ?? [], name));
        for (const address of (await Promise.all(wanted.map((fields) => nodesOf(link, fields)))).flat())
          named.set(formatAddress(address), address);
        return `masters that it monitors: ${masters.length}`;
      } finally {
        link.close();
      }
    }),
  );
  const servers = await Promise.all([askConsul(config), ...sentinels]);
  const access = revealAccess(sentinel?.redis ?? {});
  const redis = await Promise.all([...named.values()].map((address) => askRedis(address, access)));
  // One that is down is a failure like any other, and nothing that a config could do about it.
  return [...servers, ...redis.filter(({ code }) => code === undefined || code === 'redis-denied')];
}

/** The master and its replicas, as this Sentinel has them. */
async function nodesOf(link: RedisLink, fields: Fields): Promise<readonly Address[]> {
  const what = `SENTINEL REPLICAS ${fields.name}`;
  const replicas = readFieldsList(await link.call(['SENTINEL', 'REPLICAS', fields.name ?? ''], { timeoutMs }), what);
  return [readFieldAddress(fields, what), ...replicas.map(readReplica).flatMap((replica) => replica?.address ?? [])];
}

function askRedis(address: Address, access: RedisAccess): Promise<ServerFinding> {
  return find(`redis ${formatAddress(address)}`, async () => {
    const link = new RedisLink(address, access);
    try {
      const [role] = (await link.call(['ROLE'], { timeoutMs })) as readonly unknown[];
      return `lets the bridge in, as a ${role === 'master' ? 'master' : 'replica'}`;
    } finally {
      link.close();
    }
  });
}

function askConsul(config: Config): Promise<ServerFinding> {
  const { host, port, socketPath } = config.consul;
  return find(`consul ${socketPath ?? formatAddress({ host, port })}`, async () => {
    const part = new ConsulPart(config.consul);
    try {
      const { knownLeader } = await part.client.read({ kind: 'services' }, { timeoutMs });
      if (!knownLeader) throw new SwitchmasterError('consul-unavailable', 'it knows no leader');
      return 'knows a leader';
    } finally {
      await part.stop();
    }
  });
}

async function find(server: string, ask: () => Promise<string>): Promise<ServerFinding> {
  try {
    return { server, answers: true, says: await ask() };
  } catch (thrown) {
    const { code, message } = SwitchmasterError.from(thrown);
    return { server, answers: false, says: message, code };
  }
}
