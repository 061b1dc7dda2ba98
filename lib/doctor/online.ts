import { faultOfError } from '../client/fault.ts';
import { InstanceLink } from '../client/instance.ts';
import { RedisLink } from '../client/redis.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import { type Fields, readFieldsList, readReplica } from '../client/sentinel-shapes.ts';
import { exchangeOverSocket, SocketExchangeError } from '../client/socket-exchange.ts';
import { aclNeeds } from '../config/acl-needs.ts';
import type { Config } from '../config/model.ts';
import { revealAccess } from '../config/reveal.ts';
import { ConsulPart } from '../consul/part.ts';
import { type ErrorCode, SwitchmasterError } from '../errors.ts';
import { planAcl } from '../model/acl/policy.ts';
import { type Address, formatAddress, formatEndpoint, toAddress } from '../model/address.ts';
import { matchesAny } from '../model/glob.ts';
import { instanceKind } from '../model/instance-kinds.ts';
import { explainFault, type LinkFault, linkFaults } from '../model/link-fault.ts';
import { readMissing } from './examine/consul.ts';
import { readListedSentinels } from './listed-sentinels.ts';

/** Whether a server that the config names answers as it should. */
export interface ServerFinding {
  /** `consul 127.0.0.1:8500`, `sentinel 10.0.0.5:26379`. */
  readonly server: string;
  readonly answers: boolean;
  /** What it answered, or why it does not answer. */
  readonly says: string;
  readonly code?: ErrorCode;
  /** Why it cannot be used, where that is known. */
  readonly fault?: LinkFault;
  /** What to do about it. */
  readonly hint?: string;
}

const timeoutMs = 3_000;

/** A server to ask, and the credentials for it. */
interface Target {
  readonly server: string;
  readonly address: Address;
  readonly access: RedisAccess;
}

/**
 * Asks every server that the config names, the Sentinels that Consul lists, and every Redis that the Sentinels name, as the
 * daemon would. The list has the servers that cannot be asked, too. Takes some seconds at most, and never throws.
 */
export async function askServers(config: Config): Promise<readonly ServerFinding[]> {
  const named = new Map<string, Target>();
  const [consul, sentinels, nodes] = await Promise.all([
    askConsul(config),
    askSentinels(config, named),
    Promise.all(clusterTargets(config).map(askNode)),
  ]);
  for (const target of instanceTargets(config)) named.set(identityOf(target), target);
  const instances = await Promise.all([
    ...[...named.values()].map(askNode),
    ...askSockets(config),
    ...askProxies(config),
  ]);
  return [consul, ...sentinels, ...nodes, ...instances];
}

async function askSentinels(config: Config, named: Map<string, Target>): Promise<readonly ServerFinding[]> {
  const { sentinel } = config;
  if (sentinel === undefined) return [];
  const addresses = new Map(sentinel.addresses.map((address) => [formatAddress(address), address]));
  const found = await findSentinels(config);
  for (const address of found.addresses) addresses.set(formatAddress(address), address);
  const access = revealAccess(sentinel.access);
  const redisAccess = revealAccess(sentinel.redis);
  const findings = [...addresses.values()].map((address) =>
    ask({ server: 'sentinel', address, access }, async (link) => {
      const masters = readFieldsList(await link.call(['SENTINEL', 'MASTERS'], { timeoutMs }), 'SENTINEL MASTERS');
      const wanted = masters.filter(({ name = '' }) => matchesAny(sentinel.masters, name));
      for (const one of (await Promise.all(wanted.map((fields) => nodesOf(link, fields)))).flat()) {
        const target: Target = { server: 'redis', address: one, access: redisAccess };
        named.set(identityOf(target), target);
      }
      return `masters that it monitors: ${masters.length}`;
    }),
  );
  return [...found.problems, ...(await Promise.all(findings))];
}

async function findSentinels(config: Config) {
  try {
    return { addresses: await readListedSentinels(config), problems: [] };
  } catch (thrown) {
    return { addresses: [], problems: [toFinding(`sentinels of service ${config.sentinel?.service}`, thrown)] };
  }
}

/** The master and its replicas, as this Sentinel has them. */
async function nodesOf(link: RedisLink, fields: Fields): Promise<readonly Address[]> {
  const what = `SENTINEL REPLICAS ${fields.name}`;
  const replicas = readFieldsList(await link.call(['SENTINEL', 'REPLICAS', fields.name ?? ''], { timeoutMs }), what);
  const master = toAddress(fields.ip, fields.port);
  return [
    ...(master === undefined ? [] : [master]),
    ...replicas.flatMap((replica) => readReplica(replica)?.address ?? []),
  ];
}

function clusterTargets({ cluster }: Config): readonly Target[] {
  return cluster.flatMap(({ seeds, access }) =>
    seeds.map((address): Target => ({ server: 'cluster', address, access: revealAccess(access) })),
  );
}

/** The Redis, Sentinel and cluster node processes that `register` names by an address. */
function instanceTargets({ register }: Config): readonly Target[] {
  return (register?.instances ?? []).flatMap(({ spec, access }) => {
    const { kind, address } = spec;
    if (instanceKind(kind).answer === 'proxy' || typeof address === 'string') return [];
    return [{ server: kind, address, access: revealAccess(access) }];
  });
}

function askNode(target: Target): Promise<ServerFinding> {
  return ask(target, async (link) => {
    if (target.server === 'sentinel') {
      const info = String(await link.call(['INFO', 'server'], { timeoutMs }));
      if (/^redis_mode:(?!sentinel)/m.test(info)) throw wrongServer('not-sentinel');
      return 'lets this node in';
    }
    const [role] = (await link.call(['ROLE'], { timeoutMs })) as readonly unknown[];
    if (role === 'sentinel') throw wrongServer('not-redis');
    if (target.server === 'cluster') await link.call(['CLUSTER', 'MYID'], { timeoutMs });
    return letsIn(role);
  });
}

function wrongServer(fault: LinkFault): SwitchmasterError {
  return new SwitchmasterError('redis-refused', `the server ${explainFault(fault)}`, { details: { fault } });
}

/** The Redis processes that `register` names by a socket. */
function askSockets({ register }: Config): readonly Promise<ServerFinding>[] {
  return (register?.instances ?? []).flatMap(({ spec: { kind, address }, access }) => {
    if (instanceKind(kind).answer === 'proxy' || typeof address !== 'string') return [];
    return [
      find(`${kind} ${address}`, async () => {
        const link = new InstanceLink({ address, access: revealAccess(access), onLinkState: () => undefined });
        try {
          const [role] = await link.request([['ROLE']], { timeoutMs });
          if (!Array.isArray(role)) throw link.translate(role, `ROLE at ${address}`);
          if (role[0] === 'sentinel') throw wrongServer('not-redis');
          return letsIn(role[0]);
        } finally {
          link.close();
        }
      }),
    ];
  });
}

function letsIn(role: unknown): string {
  return `lets the bridge in, as a ${role === 'master' ? 'master' : 'replica'}`;
}

function askProxies({ register }: Config): readonly Promise<ServerFinding>[] {
  return (register?.instances ?? []).flatMap(({ spec: { kind, address } }) => {
    if (instanceKind(kind).answer !== 'proxy') return [];
    return [
      find(`${kind} ${formatEndpoint(address)}`, async () => {
        await exchangeOverSocket({ to: address, until: 'connected', timeoutMs });
        return 'takes connections';
      }),
    ];
  });
}

/** The same server is asked again with other credentials. */
function identityOf(target: Target): string {
  return `${keyOf(target)} ${JSON.stringify(target.access)}`;
}

function keyOf({ server, address }: Pick<Target, 'server' | 'address'>): string {
  return `${server} ${formatAddress(address)}`;
}

async function ask(target: Target, question: (link: RedisLink) => Promise<string>): Promise<ServerFinding> {
  const link = new RedisLink(target.address, target.access);
  return find(keyOf(target), async () => {
    try {
      return await question(link);
    } catch (thrown) {
      throw await link.explain(thrown);
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
      await part.client.proveScope({ timeoutMs });
      // Without a right to read, Consul answers with success and an empty list.
      const missing = (await readMissing(part.client, planAcl(aclNeeds(config, [])))) ?? [];
      if (missing.length > 0) throw lacksRules(missing);
      // Both need no rule: the least policy permits no list of services.
      const [{ knownLeader }, leader] = await Promise.all([
        part.client.read({ kind: 'datacenters' }, { timeoutMs }),
        part.client.send({ method: 'get', path: '/status/leader', what: 'its leader' }, { timeoutMs }),
      ]);
      if (!knownLeader || typeof leader !== 'string' || leader === '')
        throw new SwitchmasterError('consul-unavailable', 'it knows no leader');
      return 'knows a leader';
    } finally {
      await part.stop();
    }
  });
}

function lacksRules(missing: readonly string[]): SwitchmasterError {
  const shown = missing.slice(0, 3).join('; ') + (missing.length > 3 ? `; and ${missing.length - 3} more` : '');
  const message = `the token lacks these rules: ${shown}. Give its policy what \`switchmaster acl\` prints`;
  return new SwitchmasterError('consul-denied', message);
}

async function find(server: string, question: () => Promise<string>): Promise<ServerFinding> {
  try {
    return { server, answers: true, says: await question() };
  } catch (thrown) {
    return toFinding(server, thrown);
  }
}

function toFinding(server: string, thrown: unknown): ServerFinding {
  const code = thrown instanceof SocketExchangeError ? 'redis-unreachable' : undefined;
  const error = SwitchmasterError.from(thrown, code);
  const refused = thrown instanceof SocketExchangeError ? faultOfError(thrown.cause ?? {}) : undefined;
  const fault = refused ?? (error.details.fault as LinkFault | undefined);
  const known = fault === undefined ? {} : { fault, hint: linkFaults[fault].hint };
  return { server, answers: false, says: error.message, code: error.code, ...known };
}
