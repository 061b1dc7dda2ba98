import type { ClusterState } from '../../http/views.ts';
import { formatAddress, sameAddress } from '../../model/address.ts';
import { countSlots, describeSlots } from '../../model/cluster.ts';
import { type HealthCode, makeReason, type Reason } from '../../model/health.ts';
import { judgeCrash } from './crash.ts';

/** Whether a Redis Cluster serves every slot, and can lose a master. */
export function judgeCluster({
  name,
  record,
  problem,
  nodes: known,
  unwell,
  crashes,
}: ClusterState): readonly Reason[] {
  const masters = record?.shards.flatMap(({ master }) => master ?? []) ?? [];
  const ask = [...masters, ...known].find((node) => !unwell.some(({ address }) => sameAddress(address, node)));
  const reason = (code: HealthCode, text: string) =>
    makeReason({ code, subject: { kind: 'cluster', name }, text, ask });
  if (record === null) return [reason('cluster-unrecorded', problem ?? 'Consul holds no record of it yet.')];
  const { state, uncovered, shards } = record;
  const slots = countSlots(uncovered);
  const serving = shards.filter((shard) => shard.slots.length > 0);
  const alone = serving.filter(({ replicas }) => replicas.length === 0).length;
  const nodes = unwell.map(({ address, health }) => {
    const node = formatAddress(address);
    const text = `Node ${node} ${health === 'fail' ? 'is down' : 'is loading its data'}.`;
    return makeReason({ code: 'cluster-node-down', subject: { kind: 'cluster', name, address: node }, text });
  });
  const crashed = crashes.map((crash) => judgeCrash({ kind: 'cluster', name }, crash));
  return [
    ...crashed,
    ...(problem === null ? [] : [reason('cluster-problem', problem)]),
    ...(state === 'fail' ? [reason('cluster-failed', 'Its nodes report cluster_state:fail.')] : []),
    ...(slots > 0
      ? [reason('cluster-slots-uncovered', `No master serves ${slots} of its slots: ${describeSlots(uncovered)}.`)]
      : []),
    ...(alone > 0
      ? [
          reason(
            'cluster-without-replica',
            `${alone} of ${serving.length} shards ${alone === 1 ? 'has' : 'have'} no replica.`,
          ),
        ]
      : []),
    ...nodes,
  ];
}
