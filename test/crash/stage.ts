import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Links } from '../sandbox/links.ts';
import type { RedisServer, Shard } from '../sandbox/redis.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';
import type { BridgeOrder, BridgeWord } from './bridge.ts';

const program = fileURLToPath(new URL('bridge.ts', import.meta.url));
const shardName = 'shard';
export const crashAfterMs = 60;
const failoverTimeoutMs = 1_000;

/** A bridge in a process of its own, and its last report. */
interface CrashBridge {
  readonly host: string;
  readonly child: ChildProcess;
  state: Extract<BridgeWord, { kind: 'state' }> | undefined;
}

type CrashWord = Extract<BridgeWord, { kind: 'crash' }>;

/** A shard of two, three Sentinels with a long down-after, Consul and three bridges, each with an IP of its own. */
export interface CrashStage {
  readonly sandbox: Sandbox;
  readonly links: Links;
  readonly shard: Shard;
  readonly sentinels: readonly SentinelServer[];
  readonly bridges: readonly CrashBridge[];
  /** What the bridges reported about crashes since the list was last emptied. */
  readonly words: CrashWord[];
}

export async function startStage(sandbox: Sandbox): Promise<CrashStage> {
  const [links, consul, shard] = await Promise.all([
    Links.open(),
    sandbox.consul(),
    sandbox.redis({
      name: shardName,
      config: { 'enable-debug-command': 'yes', 'tcp-backlog': '4', appendonly: 'yes', appendfsync: 'always' },
    }),
  ]);
  const sentinels = await sandbox.sentinels({ masters: [shard], downAfterMs: 30_000, failoverTimeoutMs });
  for (const sentinel of sentinels) await sentinel.command('SENTINEL', 'DEBUG', 'info-period', 1_000);
  const words: CrashWord[] = [];
  const bridges = [1, 2, 3].map((n) => {
    const order: BridgeOrder = {
      id: `bridge-${n}`,
      host: sandbox.host(),
      consul: consul.http,
      sentinels: sentinels.map(({ address }) => address),
      name: shardName,
      crashAfterMs,
    };
    return startBridge(order, words, sandbox.env);
  });
  await waitFor('the bridges in Consul', () => consul.get<string[]>('/v1/kv/redis/crash/bridge/?keys'), {
    until: (keys) => keys?.length === bridges.length,
    timeoutMs: 60_000,
  });
  return { sandbox, links, shard, sentinels, bridges, words };
}

function startBridge(order: BridgeOrder, words: CrashWord[], env: NodeJS.ProcessEnv): CrashBridge {
  const child = fork(program, [JSON.stringify(order)], { env });
  const bridge: CrashBridge = { host: order.host, child, state: undefined };
  child.on('message', (word: BridgeWord) => {
    if (word.kind === 'crash') words.push(word);
    else bridge.state = word;
  });
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) throw new Error(`${order.id} ended with ${code}`);
  });
  return bridge;
}

export interface Whole {
  readonly master: RedisServer;
  readonly replica: RedisServer;
}

/** The master by every bridge's record, and the other server; both run, and everybody is connected and in step. */
export async function untilWhole(stage: CrashStage): Promise<Whole> {
  for (const server of stage.shard.servers) if (server.exit !== undefined) await server.start();
  const whole = await waitFor('the shard to be whole', () => readWhole(stage), { timeoutMs: 60_000 });
  if (whole === undefined) throw new Error('the shard is not whole');
  return whole;
}

async function readWhole({ shard, bridges, sentinels }: CrashStage): Promise<Whole | undefined> {
  const named = new Set(bridges.map(({ state }) => (state?.measured === true ? state.master : undefined)));
  const [one] = named;
  const master = shard.servers.find(({ address }) => formatAddress(address) === one);
  const replica = shard.servers.find((server) => server !== master);
  if (named.size > 1 || master === undefined || replica === undefined) return undefined;
  const [hosts, role, ...views] = await Promise.all([
    connectedHosts(master),
    replica.command('ROLE') as Promise<unknown[]>,
    ...sentinels.map((each) => Promise.all([each.masterInfo(shardName), each.replicaInfos(shardName)])),
  ]);
  const agrees = views.every(
    ([info, [other]]) =>
      info.flags === 'master' &&
      `${info.ip}:${info.port}` === one &&
      other?.flags === 'slave' &&
      other['master-link-status'] === 'ok',
  );
  const isWhole = agrees && role[3] === 'connected' && bridges.every(({ host }) => hosts.has(host));
  return isWhole ? { master, replica } : undefined;
}

async function connectedHosts(master: RedisServer): Promise<ReadonlySet<string>> {
  const list = String(await master.command('CLIENT', 'LIST'));
  return new Set([...list.matchAll(/ addr=([\d.]+):/g)].map(([, host = '']) => host));
}
