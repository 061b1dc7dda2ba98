import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../../lib/model/address.ts';
import type { Isolation } from '../../lib/model/instance.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import { Links } from '../sandbox/links.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';
import type { NodeOrder, NodeWord } from './node.ts';

const program = fileURLToPath(new URL('node.ts', import.meta.url));
const shardName = 'shard';

/** A machine with a Redis, a Sentinel and a bridge: three IPs that are cut off together. */
export interface IsolationNode {
  readonly redis: RedisServer;
  readonly sentinel: SentinelServer;
  readonly bridgeHost: string;
  readonly child: ChildProcess;
  state: Extract<NodeWord, { kind: 'state' }> | undefined;
  /** Of the watched Redis, each as often as it was seen. */
  readonly states: string[];
  readonly reports: Extract<NodeWord, { kind: 'report' }>[];
}

/** Two such machines, and a third with Consul and a Sentinel. */
export interface IsolationStage {
  readonly links: Links;
  readonly consul: ConsulAgent;
  readonly nodes: readonly IsolationNode[];
  readonly thirdSentinel: SentinelServer;
}

export async function startStage(
  sandbox: Sandbox,
  { downAfterMs }: { readonly downAfterMs: number },
): Promise<IsolationStage> {
  const [links, consul, shard] = await Promise.all([
    Links.open(),
    sandbox.consul(),
    sandbox.redis({ name: shardName, replicas: 1 }),
  ]);
  const sentinels = await sandbox.sentinels({ masters: [shard], downAfterMs, failoverTimeoutMs: 3_000 });
  for (const sentinel of sentinels) await sentinel.command('SENTINEL', 'DEBUG', 'info-period', 1_000);
  const [third] = sentinels.slice(2);
  if (third === undefined) throw new Error('there is no third Sentinel');
  const nodes = shard.servers.map((redis, i) => {
    const sentinel = sentinels[i];
    if (sentinel === undefined) throw new Error('a Redis has no Sentinel beside it');
    const order: NodeOrder = {
      id: `bridge-${i + 1}`,
      host: sandbox.host(),
      consul: consul.http,
      sentinels: sentinels.map(({ address }) => address),
      name: shardName,
      redis: redis.address,
      isolation: 'pause',
    };
    return startNode(order, { redis, sentinel, env: sandbox.env });
  });
  return { links, consul, nodes, thirdSentinel: third };
}

function startNode(
  order: NodeOrder,
  { redis, sentinel, env }: Pick<IsolationNode, 'redis' | 'sentinel'> & { readonly env: NodeJS.ProcessEnv },
): IsolationNode {
  const child = fork(program, [JSON.stringify(order)], { env });
  const node: IsolationNode = {
    redis,
    sentinel,
    bridgeHost: order.host,
    child,
    state: undefined,
    states: [],
    reports: [],
  };
  child.on('message', (word: NodeWord) => {
    if (word.kind === 'report') node.reports.push(word);
    else {
      node.state = word;
      if (word.state !== undefined) node.states.push(word.state);
    }
  });
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) throw new Error(`${order.id} ended with ${code}`);
  });
  return node;
}

export interface Whole {
  readonly master: IsolationNode;
  readonly replica: IsolationNode;
}

/** The master's and the other machine, once everybody agrees and the replica is in sync. */
export async function untilWhole(stage: IsolationStage, mode: Isolation): Promise<Whole> {
  for (const { child } of stage.nodes) child.send(mode);
  const whole = await waitFor('the shard to be whole', () => readWhole(stage, mode), {
    timeoutMs: 90_000,
    intervalMs: 200,
  });
  if (whole === undefined) throw new Error('the shard is not whole');
  return whole;
}

async function readWhole({ nodes, thirdSentinel }: IsolationStage, mode: Isolation): Promise<Whole | undefined> {
  const named = new Set(nodes.map(({ state }) => state?.master));
  const [one] = named;
  const master = nodes.find(({ redis }) => formatAddress(redis.address) === one);
  const replica = nodes.find((node) => node !== master);
  if (named.size > 1 || master === undefined || replica === undefined) return undefined;
  const wanted = mode === 'pause' ? 'connected' : undefined;
  if (master.state?.state !== wanted) return undefined;
  const [role, ...views] = await Promise.all([
    replica.redis.command('ROLE') as Promise<unknown[]>,
    ...[...nodes.map(({ sentinel }) => sentinel), thirdSentinel].map((each) =>
      Promise.all([each.masterInfo(shardName), each.replicaInfos(shardName)]),
    ),
  ]);
  const agrees = views.every(
    ([info, [other]]) =>
      info.flags === 'master' &&
      `${info.ip}:${info.port}` === one &&
      other?.flags === 'slave' &&
      other['master-link-status'] === 'ok',
  );
  return agrees && role[3] === 'connected' ? { master, replica } : undefined;
}

/** Cuts the machine off from everybody but the clients on it, and Consul. Resolves with the function that heals it. */
export function cutOff(
  { links, consul, nodes, thirdSentinel }: IsolationStage,
  { node, reaches }: { readonly node: IsolationNode; readonly reaches: 'nobody' | 'consul' },
) {
  const others = nodes.filter((other) => other !== node).flatMap(hostsOf);
  const to = [...others, thirdSentinel.address.host, ...(reaches === 'consul' ? [] : [consul.http.host])];
  return links.cut({ from: hostsOf(node), to, direction: 'both', manner: 'drop' });
}

export function hostsOf({ redis, sentinel, bridgeHost }: IsolationNode): readonly string[] {
  return [redis.address.host, sentinel.address.host, bridgeHost];
}
