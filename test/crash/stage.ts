import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import { Links } from '../sandbox/links.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { BridgeOrder, BridgeWord } from './bridge.ts';

const program = fileURLToPath(new URL('bridge.ts', import.meta.url));
export const crashAfterMs = 60;

/** A bridge in a process of its own, and the masters that it could judge. */
interface CrashBridge {
  readonly host: string;
  readonly child: ChildProcess;
  masters: readonly string[];
}

export type CrashWord = Extract<BridgeWord, { kind: 'crash' }>;

export interface Whole {
  readonly master: RedisServer;
  readonly replica: RedisServer;
}

/** A master and its replica, of Sentinels or of a cluster. */
export interface CrashPair {
  readonly name: string;
  readonly servers: readonly RedisServer[];
  /** How long ago its last failover must be. */
  readonly settleMs: number;
  /** Whether Sentinels or nodes see both of them well, with this one as the master. */
  readonly isAgreed: (whole: Whole) => Promise<boolean>;
}

/** Pairs of servers, three bridges with an IP each, and who else watches the masters. */
export interface CrashStage {
  readonly sandbox: Sandbox;
  readonly links: Links;
  readonly pairs: readonly CrashPair[];
  /** The hosts of Sentinels, or of other nodes of the cluster. */
  readonly observers: (pair: CrashPair) => readonly string[];
  readonly bridges: readonly CrashBridge[];
  /** What the bridges have reported about crashes. */
  readonly words: CrashWord[];
}

/** What a kind of stage adds to the bridges. */
export interface StageParts extends Pick<CrashStage, 'pairs' | 'observers'> {
  readonly consul: ConsulAgent;
  readonly order: (common: Omit<BridgeOrder, 'kind' | 'sentinels' | 'seeds' | 'name'>) => BridgeOrder;
  /** The folder in Consul where the bridges are listed. */
  readonly bridgeKeys: string;
}

export async function openStage(sandbox: Sandbox, parts: StageParts): Promise<CrashStage> {
  const { consul, order, bridgeKeys, pairs, observers } = parts;
  const links = await Links.open();
  const words: CrashWord[] = [];
  const bridges = [1, 2, 3].map((n) => {
    const common = { id: `bridge-${n}`, host: sandbox.host(), consul: consul.http, crashAfterMs };
    return startBridge(order(common), words, sandbox.env);
  });
  await waitFor('the bridges in Consul', () => consul.get<string[]>(`/v1/kv/${bridgeKeys}?keys`), {
    until: (keys) => keys?.length === bridges.length,
    // On a busy machine, three processes take their time to start.
    timeoutMs: 180_000,
  });
  return { sandbox, links, pairs, observers, bridges, words };
}

/** Reports about crashes of this master. */
export function wordsAbout({ words }: CrashStage, { address }: RedisServer): readonly CrashWord[] {
  return words.filter(({ summary }) => summary.startsWith(`${formatAddress(address)} `));
}

function startBridge(order: BridgeOrder, words: CrashWord[], env: NodeJS.ProcessEnv): CrashBridge {
  const child = fork(program, [JSON.stringify(order)], { env });
  const bridge: CrashBridge = { host: order.host, child, masters: [] };
  child.on('message', (word: BridgeWord) => {
    if (word.kind === 'crash') words.push(word);
    else bridge.masters = word.masters;
  });
  child.on('exit', (code) => {
    if (code !== 0 && code !== null) throw new Error(`${order.id} ended with ${code}`);
  });
  return bridge;
}

/** The master by every bridge's record, and the other server; both run, and everybody is connected and in step. */
export async function untilWhole(stage: CrashStage, pair: CrashPair): Promise<Whole> {
  for (const server of pair.servers) if (server.exit !== undefined) await server.start();
  const whole = await waitFor(`${pair.name} to be whole`, () => readWhole(stage, pair), { timeoutMs: 120_000 });
  if (whole === undefined) throw new Error(`${pair.name} is not whole`);
  return whole;
}

async function readWhole({ bridges }: CrashStage, pair: CrashPair): Promise<Whole | undefined> {
  const isNamed = ({ address }: RedisServer) =>
    bridges.every(({ masters }) => masters.includes(formatAddress(address)));
  const named = pair.servers.filter(isNamed);
  const [master] = named;
  const replica = pair.servers.find((server) => server !== master);
  if (named.length !== 1 || master === undefined || replica === undefined) return undefined;
  const [hosts, role] = await Promise.all([connectedHosts(master), replica.command('ROLE') as Promise<unknown[]>]);
  const isWhole = role[3] === 'connected' && bridges.every(({ host }) => hosts.has(host));
  return isWhole && (await pair.isAgreed({ master, replica })) ? { master, replica } : undefined;
}

async function connectedHosts(master: RedisServer): Promise<ReadonlySet<string>> {
  const list = String(await master.command('CLIENT', 'LIST'));
  return new Set([...list.matchAll(/ addr=([\d.]+):/g)].map(([, host = '']) => host));
}
