import { type Address, formatAddress, sameAddress } from '../../lib/model/address.ts';
import { only, readRecord } from '../integration/support/bridging.ts';
import { mayFailOver } from '../integration/support/failover-waits.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import type { SentinelRecorder } from '../sandbox/recorder.ts';
import type { RedisServer, Shard } from '../sandbox/redis.ts';
import { redisCli } from '../sandbox/resp.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';

/** One shard, and everything that a client of it depends on. */
export interface ClientStack {
  readonly consul: ConsulAgent;
  readonly shard: Shard;
  readonly sentinels: readonly SentinelServer[];
  /** One at each Sentinel. */
  readonly recorders: readonly SentinelRecorder[];
  /** The first one is that of the node. */
  readonly endpoints: readonly [Address, ...Address[]];
  /** Of the first one. */
  restartEndpoint(): Promise<void>;
  /** Starts a planned failover. */
  failOver(): Promise<void>;
}

const name = 'shard1';
const token = 'client-test';

/** The bridge and two endpoints are daemons of their own. */
export async function startClientStack(sandbox: Sandbox): Promise<ClientStack> {
  // A server with data on disk: a Consul that starts again has its data.
  const [consuls, shard] = await Promise.all([sandbox.consulServers({ count: 1 }), sandbox.redis({ name })]);
  const consul = { address: only(consuls).url };
  const sentinels = await sandbox.sentinels({ masters: [shard] });
  const addresses = sentinels.map(({ address }) => formatAddress(address));
  const [listen, second] = [await sandbox.address(), await sandbox.address()];
  const startEndpoint = (id: number, at: Address) =>
    sandbox.switchmaster({
      name: `endpoint-${id}`,
      config: { consul, sentinelEndpoint: { listen: formatAddress(at) } },
    });
  const api = { tokenFile: sandbox.write('api.token', `${token}\n`) };
  const [bridge, endpoint] = await Promise.all([
    sandbox.switchmaster({ name: 'bridge', config: { consul, sentinel: { addresses }, api } }),
    startEndpoint(1, listen),
    startEndpoint(2, second),
  ]);
  return {
    consul: only(consuls),
    shard,
    sentinels,
    recorders: await Promise.all(sentinels.map((sentinel) => sentinel.record())),
    endpoints: [listen, second],
    restartEndpoint: () => endpoint.restart(),
    failOver: () => orderFailover(bridge.api),
  };
}

async function orderFailover(api: Address): Promise<void> {
  const response = await fetch(`http://${formatAddress(api)}/v1/masters/${name}/failover`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
    signal: AbortSignal.timeout(60_000),
  });
  if (response.status !== 200)
    throw new Error(`the failover was answered ${response.status}: ${await response.text()}`);
}

/**
 * The master, once Sentinels, record and endpoint agree on it, its replicas are in sync, and no Sentinel waits after a
 * failover that failed.
 */
export async function calmMaster({
  consul,
  shard,
  sentinels,
  recorders,
  endpoints,
}: ClientStack): Promise<RedisServer> {
  const agreed = async () => {
    const masters = await Promise.all(sentinels.map((sentinel) => sentinel.masterInfo(shard.name)));
    const replicas = (await Promise.all(sentinels.map((sentinel) => sentinel.replicaInfos(shard.name)))).flat();
    const [first] = masters;
    const at = { host: first?.ip ?? '', port: Number(first?.port) };
    const record = await readRecord(consul, shard.name);
    const answer = await redisCli(endpoints[0], ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', shard.name]);
    const isWhole =
      masters.every(({ ip, flags }) => ip === at.host && flags === 'master') &&
      replicas.every((one) => one['master-link-status'] === 'ok' && one.flags === 'slave') &&
      record?.phase === 'confirmed' &&
      sameAddress(record.master, at) &&
      Array.isArray(answer) &&
      answer[0] === at.host;
    return isWhole && mayFailOver(recorders) && (await shard.at(at).role()) === 'master' ? shard.at(at) : undefined;
  };
  await askOften(sentinels, 500);
  const master = await waitFor('Sentinels, record and endpoint to agree', agreed, { timeoutMs: 90_000 });
  await askOften(sentinels);
  if (master === undefined) throw new Error('there is no master');
  return master;
}

/** Between two faults the Sentinels read INFO more often. */
async function askOften(sentinels: readonly SentinelServer[], periodMs = 10_000): Promise<void> {
  await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'info-period', periodMs)));
}
