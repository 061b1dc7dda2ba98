import { type Address, formatAddress } from '../lib/model/address.ts';
import { mayFailOver } from '../test/integration/support/failover-waits.ts';
import { NumberWriter, persistentClient, sentinelClient } from '../test/integration/support/writing.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import type { Daemon } from '../test/sandbox/daemon.ts';
import { haproxyTemplate, twemproxyTemplate } from '../test/sandbox/proxy-templates.ts';
import type { SentinelRecorder } from '../test/sandbox/recorder.ts';
import type { RedisServer, Shard } from '../test/sandbox/redis.ts';
import type { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';

export interface OutageMode {
  readonly follow: 'promotion' | 'announcement';
  readonly fence: 'demote' | 'pause' | 'none';
}

/** One shard with everything that moves its traffic, in one mode of switchmaster. */
export interface OutageStack {
  readonly shard: Shard;
  readonly sentinels: readonly SentinelServer[];
  /** One at each Sentinel. */
  readonly recorders: readonly SentinelRecorder[];
  readonly daemon: Daemon;
  readonly token: string;
  /** Writers of five forms, each with a key of its own that begins with `prefix`. */
  startWriters(prefix: string): readonly NumberWriter[];
}

const name = 'shard1';
const token = 'outage-bench';

export async function startOutageStack(sandbox: Sandbox, mode: OutageMode): Promise<OutageStack> {
  const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name, replicas: 1 })]);
  const sentinels = await sandbox.sentinels({ count: 3, masters: [shard] });
  const [haproxyAt, twemproxyAt] = [await sandbox.address(), await sandbox.address()];
  const endpointAt = await sandbox.address();
  const files = { haproxy: sandbox.path('haproxy.cfg'), twemproxy: sandbox.path('nutcracker.yml') };
  const haproxy = await sandbox.haproxy({ configFile: files.haproxy, listen: haproxyAt, start: 'later' });
  const twemproxy = await sandbox.nutcracker({ configFile: files.twemproxy, listen: twemproxyAt, start: 'later' });
  const daemon = await sandbox.switchmaster({
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: [name], ...mode },
      templates: [
        haproxyTemplate({
          destination: files.haproxy,
          socket: sandbox.path('haproxy.sock'),
          reloadCommand: haproxy.reloadCommand,
          listeners: { bind: haproxyAt.host, ports: { [name]: haproxyAt.port } },
        }),
        twemproxyTemplate({
          destination: files.twemproxy,
          restartCommand: twemproxy.restartCommand,
          listen: twemproxyAt,
        }),
      ],
      sentinelEndpoint: { listen: formatAddress(endpointAt) },
      api: { tokenFile: sandbox.write('api.token', `${token}\n`) },
    },
  });
  return {
    shard,
    sentinels,
    recorders: await Promise.all(sentinels.map((sentinel) => sentinel.record())),
    daemon,
    token,
    startWriters: (prefix) =>
      startWriters(prefix, {
        consul,
        haproxyAt,
        twemproxyAt,
        endpointAt,
        sentinels: sentinels.map(({ address }) => address),
      }),
  };
}

function startWriters(
  prefix: string,
  at: {
    readonly consul: ConsulAgent;
    readonly haproxyAt: Address;
    readonly twemproxyAt: Address;
    readonly endpointAt: Address;
    readonly sentinels: readonly Address[];
  },
): readonly NumberWriter[] {
  return [
    new NumberWriter({ name: 'haproxy', key: `${prefix}:haproxy`, client: persistentClient(() => at.haproxyAt) }),
    new NumberWriter({ name: 'twemproxy', key: `${prefix}:twemproxy`, client: persistentClient(() => at.twemproxyAt) }),
    new NumberWriter({ name: 'dns', key: `${prefix}:dns`, client: persistentClient(() => byDns(at.consul)) }),
    new NumberWriter({
      name: 'sentinel',
      key: `${prefix}:sentinel`,
      client: sentinelClient({ sentinels: at.sentinels, name }),
    }),
    new NumberWriter({
      name: 'endpoint',
      key: `${prefix}:endpoint`,
      client: sentinelClient({ sentinels: [at.endpointAt], name }),
    }),
  ];
}

async function byDns(consul: ConsulAgent) {
  const [answer] = await consul.dnsSrv(`${name}.redis-master.service.consul`);
  const [host] = answer === undefined ? [] : await consul.dnsA(answer.target);
  if (answer === undefined || host === undefined) throw new Error('DNS names no master');
  return { host, port: answer.port };
}

/**
 * The master by most of the Sentinels, once all of them agree, the other server is its replica in sync, and no Sentinel
 * waits after a failover that failed.
 */
export async function calmMaster({ shard, sentinels, recorders, daemon }: OutageStack): Promise<RedisServer> {
  for (const server of shard.servers) if (!server.running) await server.start();
  await hurry(sentinels, 500);
  const agreed = async () => {
    const infos = await Promise.all(sentinels.map((sentinel) => sentinel.masterInfo(shard.name)));
    const lists = await Promise.all(sentinels.map((sentinel) => sentinel.replicaInfos(shard.name)));
    const [first] = infos;
    const master = shard.at({ host: first?.ip ?? '', port: Number(first?.port) });
    const { body } = await daemon.get(`/v1/masters/${shard.name}`);
    const { record } = body as { record: { phase: string; master: { host: string } } };
    const same = infos.every(({ ip, flags }) => ip === first?.ip && flags === 'master');
    const synced = lists.every(
      ([replica, ...more]) =>
        more.length === 0 && replica?.['master-link-status'] === 'ok' && replica.flags === 'slave',
    );
    const recorded = record.phase === 'confirmed' && record.master.host === master.address.host;
    return same && synced && recorded && mayFailOver(recorders) && (await master.role()) === 'master'
      ? master
      : undefined;
  };
  const master = await waitFor('the shard to be whole again', agreed, { timeoutMs: 90_000, intervalMs: 100 });
  await hurry(sentinels, undefined);
  if (master === undefined) throw new Error('there is no master');
  return master;
}

/** Shorter periods of Sentinel between two rounds; undefined for its defaults, which rounds have. */
async function hurry(sentinels: readonly SentinelServer[], periodMs: number | undefined): Promise<void> {
  const [info, publish] = [periodMs ?? 10_000, periodMs ?? 2_000];
  const settings = ['info-period', info, 'publish-period', publish] as const;
  await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', ...settings)));
}
