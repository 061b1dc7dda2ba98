import { setTimeout as delay } from 'node:timers/promises';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../../test/sandbox/condition.ts';
import type { Daemon } from '../../test/sandbox/daemon.ts';
import type { Sandbox } from '../../test/sandbox/sandbox.ts';
import { wakeUps } from '../process-cost.ts';
import { Inspector } from '../profile/inspector.ts';
import { countOf } from './consul-count.ts';
import { measureIdle } from './masters.ts';
import { type MastersWorld, readRecords } from './world.ts';

/** What one daemon holds and asks for with some masters. No times: those depend on the machine. */
export interface Holding {
  readonly masters: number;
  readonly descriptors: number;
  readonly redisConnections: number;
  readonly sentinelConnections: number;
  readonly consulConnections: number;
  /** Of the daemon, from the start until every record is confirmed: what it asks for on its own, and reads of what it watches. */
  readonly startRequests: number;
  readonly startWatchedReads: number;
  /** What V8 and its buffers hold after a garbage collection. */
  readonly heapBytes: number;
  /** A second, while nothing happens: commands to Redis and to Sentinels without PING, and how often the main thread stops waiting. */
  readonly redisCommands: number;
  readonly sentinelCommands: number;
  readonly wakeUps: number;
}

/** With any number of masters, a daemon asks Consul once a second when its start is over. */
const idling = { seconds: 2, requests: 5 };
/** Each master is measured every five seconds at least, and has a full run every 30 to 33 s at first. */
const commandSeconds = 35;

/**
 * Starts a daemon for the first `masters` of the world, and stops it after the reading. Rejects if it asks Consul often for a
 * minute while nothing happens.
 */
export async function readHolding(sandbox: Sandbox, world: MastersWorld, masters: number): Promise<Holding> {
  const { consul, sentinels, shards } = world;
  const before = await countOf(consul);
  const inspected = await sandbox.address();
  const daemon = await sandbox.switchmaster({
    name: `switchmaster-${masters}`,
    nodeArguments: [`--inspect=${formatAddress(inspected)}`],
    config: {
      consul: { address: consul.url },
      sentinel: {
        addresses: sentinels.map(({ address }) => formatAddress(address)),
        masters: shards.slice(0, masters).map(({ name }) => name),
      },
    },
  });
  let ownReads = 0;
  const read = () => {
    ownReads += 1;
    return readRecords(consul);
  };
  await waitFor('every record to be confirmed', read, {
    until: (records) => records.filter(({ phase }) => phase === 'confirmed').length === masters,
  });
  const started = await countOf(consul);
  const watchedReads = started.watchedReads - before.watchedReads;
  const idle = await waitFor(
    'few requests to Consul while nothing happens',
    () => measureIdle(world, { daemons: [daemon], seconds: idling.seconds }),
    { until: ({ consulRequestsPerSecond }) => consulRequestsPerSecond * idling.seconds <= idling.requests },
  );
  const calm = await readCalm(daemon);
  const inspector = await Inspector.connect(inspected);
  const heapBytes = await readHeap(inspector);
  inspector.close();
  await daemon.stop();
  return {
    masters,
    descriptors: idle.descriptors,
    redisConnections: idle.redisConnections,
    sentinelConnections: idle.sentinelConnections,
    consulConnections: idle.consulConnections,
    startRequests: started.requests - before.requests - watchedReads,
    startWatchedReads: watchedReads - ownReads,
    heapBytes,
    ...calm,
  };
}

async function readCalm(daemon: Daemon): Promise<Pick<Holding, 'redisCommands' | 'sentinelCommands' | 'wakeUps'>> {
  const before = await readCounts(daemon);
  await delay(commandSeconds * 1_000);
  const after = await readCounts(daemon);
  const rate = (name: keyof typeof after) => (after[name] - before[name]) / commandSeconds;
  return { redisCommands: rate('redis'), sentinelCommands: rate('sentinel'), wakeUps: rate('wakeUps') };
}

/** Since the start of the daemon. */
async function readCounts(daemon: Daemon) {
  const text = String((await daemon.get('/metrics')).body);
  const commands = (server: string) =>
    [
      ...text.matchAll(
        new RegExp(`^switchmaster_request_duration_seconds_count{[^}]*server="${server}"[^}]*} (\\S+)$`, 'gm'),
      ),
    ].reduce((sum, [, count]) => sum + Number(count), 0);
  return { redis: commands('redis'), sentinel: commands('sentinel'), wakeUps: wakeUps(daemon.pid ?? 0) };
}

async function readHeap(inspector: Inspector): Promise<number> {
  await inspector.send('HeapProfiler.enable');
  await inspector.send('HeapProfiler.collectGarbage');
  return inspector.evaluate<number>(
    '(({ heapUsed, external, arrayBuffers }) => heapUsed + external + arrayBuffers)(process.memoryUsage())',
  );
}

/** What each further master adds between two sizes. */
export function slopeOf(small: Holding, large: Holding): Readonly<Omit<Holding, 'masters'>> {
  const per = (name: keyof Holding) => (large[name] - small[name]) / (large.masters - small.masters);
  return {
    descriptors: per('descriptors'),
    redisConnections: per('redisConnections'),
    sentinelConnections: per('sentinelConnections'),
    consulConnections: per('consulConnections'),
    startRequests: per('startRequests'),
    startWatchedReads: per('startWatchedReads'),
    heapBytes: per('heapBytes'),
    redisCommands: per('redisCommands'),
    sentinelCommands: per('sentinelCommands'),
    wakeUps: per('wakeUps'),
  };
}
