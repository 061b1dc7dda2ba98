import { setTimeout as lasting } from 'node:timers/promises';
import { formatAddress } from '../../../lib/model/address.ts';
import type { RedisServer, Shard } from '../../sandbox/redis.ts';
import type { Server } from '../../sandbox/server.ts';
import type { Random } from '../random.ts';
import type { Stage } from '../stage.ts';

/** What a fault may do to acknowledged writes. */
type Hazard =
  /** None may be lost. */
  | 'none'
  /** What a master that dies or is isolated had not replicated yet. */
  | 'unreplicated';

export interface Fault {
  readonly name: string;
  readonly hazard: Hazard;
  /** An edit by hand of a rendered file or of a proxy's servers. What they name counts again after the repair. */
  readonly edits?: 'place';
  /** Prepares the fault from the random numbers alone: what it hits, how long; then it can be carried out. */
  draw(stage: Stage, random: Random): DrawnFault;
}

export interface DrawnFault {
  /** Such as `shard1-b for 700 ms`. */
  readonly target: string;
  /** Servers that do nothing for a while. */
  readonly stops?: readonly Server[];
  /** Carries it out and undoes it. It ignores what is down already. */
  run(): Promise<void>;
}

export interface Span {
  readonly lowMs: number;
  readonly highMs: number;
}

export async function killFor(server: Server, forMs: number): Promise<void> {
  if (!server.running) return;
  await server.kill();
  await lasting(forMs);
  if (!server.running) await server.start();
}

export async function freezeFor(server: Server, forMs: number): Promise<void> {
  if (!server.running || server.paused) return;
  server.pause();
  await lasting(forMs);
  // Another fault may have killed it meanwhile.
  if (server.paused) server.resume();
}

/** Ends it with SIGTERM, and starts it again. */
export async function restartAfter(server: Server, forMs: number): Promise<void> {
  if (!server.running) return;
  await server.stop({ timeoutMs: 20_000 });
  await lasting(forMs);
  if (!server.running) await server.start();
}

type Act<S extends Server> = (server: S, forMs: number) => Promise<void>;

/** One of the servers, for some time. */
export function drawOne<S extends Server>(
  servers: readonly S[],
  random: Random,
  { span: { lowMs, highMs }, act }: { readonly span: Span; readonly act: Act<S> },
): DrawnFault {
  const server = random.pick(servers);
  const forMs = random.between(lowMs, highMs);
  return { target: `${server.name} for ${forMs} ms`, stops: [server], run: () => act(server, forMs) };
}

/** Servers of one shard that are chosen when the fault begins. */
export function drawAtShard(
  stage: Stage,
  random: Random,
  options: {
    readonly span: Span;
    readonly choose: (shard: Shard, master: RedisServer) => readonly RedisServer[];
    readonly act: Act<RedisServer>;
  },
): DrawnFault {
  const shard = random.pick(stage.shards);
  const forMs = random.between(options.span.lowMs, options.span.highMs);
  const run = async () => {
    const master = await masterOf(stage, shard);
    if (master === undefined) return;
    await Promise.all(options.choose(shard, master).map((server) => options.act(server, forMs)));
  };
  return { target: `${shard.name} for ${forMs} ms`, run };
}

/** The master by most of the Sentinels. */
export async function masterOf(stage: Stage, shard: Shard): Promise<RedisServer | undefined> {
  const named = await Promise.all(
    stage.sentinels.map((sentinel) => sentinel.masterAddress(shard.name).then(formatAddress, () => undefined)),
  );
  return shard.servers.find((server) => named.filter((name) => name === formatAddress(server.address)).length >= 2);
}
