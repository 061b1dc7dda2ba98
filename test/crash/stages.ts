import { formatAddress } from '../../lib/model/address.ts';
import { startCluster } from '../integration/support/clustering.ts';
import type { RedisConfig, RedisServer } from '../sandbox/redis.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { type CrashPair, type CrashStage, openStage, type Whole } from './stage.ts';

/** How many rounds run at the same time: one at each pair. */
const pairCount = 6;
const failoverTimeoutMs = 1_000;
const nodeTimeoutMs = 5_000;
const clusterName = 'crash-rounds';
const config: RedisConfig = {
  'enable-debug-command': 'yes',
  'tcp-backlog': '4',
  appendonly: 'yes',
  appendfsync: 'always',
};

/** Masters with a replica each, and three Sentinels with a long down-after. */
async function openSentinelStage(sandbox: Sandbox): Promise<CrashStage> {
  const names = Array.from({ length: pairCount }, (_, i) => `shard${i + 1}`);
  const [consul, ...shards] = await Promise.all([
    sandbox.consul(),
    ...names.map((name) => sandbox.redis({ name, config })),
  ]);
  const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 30_000, failoverTimeoutMs });
  for (const sentinel of sentinels) await sentinel.command('SENTINEL', 'DEBUG', 'info-period', 1_000);
  const pairs = shards.map(({ name, servers }): CrashPair => {
    const isAgreed = async ({ master }: Whole) => {
      const views = sentinels.map((each) => Promise.all([each.masterInfo(name), each.replicaInfos(name)]));
      return (await Promise.all(views)).every(
        ([info, [other]]) =>
          info.flags === 'master' &&
          `${info.ip}:${info.port}` === formatAddress(master.address) &&
          other?.flags === 'slave' &&
          other['master-link-status'] === 'ok',
      );
    };
    return { name, servers, settleMs: failoverTimeoutMs + 100, isAgreed };
  });
  const addresses = sentinels.map(({ address }) => address);
  return openStage(sandbox, {
    consul,
    pairs,
    observers: () => addresses.map(({ host }) => host),
    order: (common) => ({ ...common, kind: 'sentinel', sentinels: addresses }),
    bridgeKeys: 'redis/crash/bridge/',
  });
}

/** A cluster that waits for 5 s. */
async function openClusterStage(sandbox: Sandbox): Promise<CrashStage> {
  const configs = Array.from({ length: 2 * pairCount }, () => ({
    ...config,
    'cluster-node-timeout': String(nodeTimeoutMs),
  }));
  const [consul, { nodes }] = await Promise.all([
    sandbox.consul(),
    startCluster(sandbox, { name: clusterName, masters: pairCount, configs }),
  ]);
  const pairs = nodes.slice(0, pairCount).map((node, i): CrashPair => {
    const servers = [node, nodes[i + pairCount] as RedisServer];
    const others = nodes.filter((one) => !servers.includes(one));
    return {
      name: node.name,
      servers,
      settleMs: 4 * nodeTimeoutMs + 1_000,
      isAgreed: ({ master }) => isLinked(others, master),
    };
  });
  return openStage(sandbox, {
    consul,
    pairs,
    observers: ({ servers }) => nodes.filter((one) => !servers.includes(one)).map(({ address }) => address.host),
    order: (common) => ({ ...common, kind: 'cluster', name: clusterName, seeds: nodes.map(({ address }) => address) }),
    bridgeKeys: `redis/crash/cluster/${clusterName}/bridge/`,
  });
}

/** Other nodes may be down or stopped in rounds of their own. */
async function isLinked(nodes: readonly RedisServer[], master: RedisServer): Promise<boolean> {
  const texts = await Promise.all(nodes.map((node) => node.command('CLUSTER', 'NODES').catch(() => undefined)));
  const at = ` ${formatAddress(master.address)}@`;
  const lines = texts.flatMap((text) =>
    String(text ?? '')
      .split('\n')
      .filter((line) => line.includes(at)),
  );
  const isWell = (line: string) => / master - .* connected /.test(line) && !line.includes('fail');
  return lines.length > 0 && lines.every(isWell);
}

export const stages = { sentinel: openSentinelStage, cluster: openClusterStage };
export type StageKind = keyof typeof stages;
